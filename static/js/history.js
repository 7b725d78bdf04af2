// @ts-check
/** The sidebar's list of conversations, grouped by day. Rows are kept across updates: an open menu stays open. */
import { el, fill, rootOf, setText } from "./dom.js";
import { EntryRow } from "./entry.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").EntryJson} EntryJson */

/**
 * Mount the list; its value is a HistoryJson.
 * @param {HTMLElement} element @param {import("./types.js").Props} props
 * @param {import("./types.js").Watch} watch @param {import("./types.js").Trigger} trigger
 */
export function mount(element, props, watch, trigger) {
  const list = new HistoryList(trigger);
  rootOf(element).replaceChildren(list.element);
  const draw = () => list.update(props.value?.entries ?? []);
  watch("value", draw);
  draw();
}

class HistoryList {
  /** @param {import("./types.js").Trigger} trigger */
  constructor(trigger) {
    this.trigger = trigger;
    /** @type {Map<string, EntryRow>} */
    this.rows = new Map();
    /** @type {Map<string, HTMLElement>} */
    this.days = new Map();
    this.nothing = el("p", { class: "moa-quiet", text: texts.noHistory });
    this.element = el("nav", { class: "moa-history", "aria-label": texts.history });
  }

  /** @param {EntryJson[]} entries */
  update(entries) {
    const ids = new Set(entries.map((entry) => entry.id));
    for (const id of this.rows.keys()) if (!ids.has(id)) this.rows.delete(id);
    const days = Map.groupBy(entries, (entry) => entry.day);
    const sections = [...days].map(([day, its]) => this.day(day, its));
    for (const day of this.days.keys()) if (!days.has(day)) this.days.delete(day);
    fill(this.element, sections.length > 0 ? sections : [this.nothing]);
  }

  /** @param {string} day @param {EntryJson[]} entries */
  day(day, entries) {
    const section = this.days.get(day) ?? el("section", {}, el("h2", { class: "moa-day" }), el("ul"));
    this.days.set(day, section);
    setText(/** @type {Element} */ (section.firstElementChild), day);
    fill(/** @type {Element} */ (section.lastElementChild), entries.map((entry) => this.row(entry).element));
    return section;
  }

  /** @param {EntryJson} entry */
  row(entry) {
    const row = this.rows.get(entry.id) ?? new EntryRow(entry.id, this.trigger);
    this.rows.set(entry.id, row);
    row.update(entry);
    return row;
  }
}
