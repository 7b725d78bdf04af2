// @ts-check
/** The list of conversations: pinned ones, then by day. Rows are kept across updates: an open menu stays open. */
import { dayName } from "./days.js";
import { el, fill, setText, show } from "./dom.js";
import { EntryRow } from "./entry.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").EntryJson} EntryJson */

/** More is loaded when the end is no further away than this. */
const AHEAD = "400px";

/**
 * @typedef {object} Shown
 * @property {EntryJson[]} entries in their order
 * @property {string|null} current
 * @property {boolean} archived
 * @property {boolean} more whether the list goes on
 * @property {boolean} loading
 * @property {string} problem why it does not go on
 */

export class EntryList {
  /** @param {import("./entry.js").Doings} doings @param {() => void} more asks for what follows */
  constructor(doings, more) {
    this.doings = doings;
    this.more = more;
    /** @type {Map<string, EntryRow>} */
    this.rows = new Map();
    /** @type {Map<string, HTMLElement>} */
    this.groups = new Map();
    this.nothing = el("p", { class: "moa-quiet" });
    this.body = el("div");
    this.problem = el("p", { class: "moa-quiet", role: "status" });
    this.button = el("button", { type: "button", class: "moa-button moa-more", text: texts.showMore, onclick: more });
    this.end = el("div", { class: "moa-end" }, this.problem, this.button);
    this.element = el("nav", { class: "moa-history", "aria-label": texts.history }, this.body, this.end);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.sight = new IntersectionObserver((seen) => this.reached(seen), { root: this.element, rootMargin: AHEAD });
  }

  /** @param {Shown} shown */
  update({ entries, current, archived, more, loading, problem }) {
    const ids = new Set(entries.map(({ id }) => id));
    for (const id of this.rows.keys()) if (!ids.has(id)) this.rows.delete(id);
    const groups = Map.groupBy(entries, (entry) => (entry.pinned ? texts.pinned : dayName(entry.at)));
    for (const name of this.groups.keys()) if (!groups.has(name)) this.groups.delete(name);
    const rows = (/** @type {EntryJson} */ entry) => this.row(entry, { current: entry.id === current, archived });
    const sections = [...groups].map(([name, its]) => this.group(name, its.map(rows)));
    setText(this.nothing, loading ? texts.loading : archived ? texts.noArchived : texts.noHistory);
    fill(this.body, sections.length > 0 ? sections : [this.nothing]);
    setText(this.problem, problem);
    show(this.end, more || problem !== "");
    setText(this.button, problem ? texts.tryAgain : texts.showMore);
    this.button.toggleAttribute("data-busy", loading);
    this.watch(more && !loading && problem === "");
  }

  /** @param {string} name @param {HTMLElement[]} rows */
  group(name, rows) {
    const group = this.groups.get(name) ?? el("section", {}, el("h2", { class: "moa-day", text: name }), el("ul"));
    this.groups.set(name, group);
    fill(/** @type {Element} */ (group.lastElementChild), rows);
    return group;
  }

  /** @param {EntryJson} entry @param {{current: boolean, archived: boolean}} place */
  row(entry, place) {
    const row = this.rows.get(entry.id) ?? new EntryRow(entry, this.doings);
    this.rows.set(entry.id, row);
    row.update(entry, place);
    return row.element;
  }

  /** Watched anew each time, so that an end that is still in sight is seen again. @param {boolean} wanted */
  watch(wanted) {
    this.sight.disconnect();
    if (wanted) this.sight.observe(this.end);
  }

  /**
   * Someone who walks through the list by keys asks for more by the button: else its end would never come.
   * @param {IntersectionObserverEntry[]} seen
   */
  reached(seen) {
    const walking = this.element.querySelector(":focus-visible") !== null;
    if (!walking && seen.some(({ isIntersecting }) => isIntersecting)) this.more();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const opens = /** @type {HTMLElement[]} */ ([...this.element.querySelectorAll(".moa-entry-open")]);
    const at = opens.findIndex((open) => open === event.target);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: opens.length - 1 }[event.key];
    if (at < 0 || to === undefined) return;
    event.preventDefault();
    opens[to]?.focus();
  }

  /** @param {string} id */
  focus(id) {
    this.rows.get(id)?.open.focus();
  }
}
