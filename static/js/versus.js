// @ts-check
/** The compare bar: whether the next question is asked in several columns, and what answers beside the mixture. */
import { el, fill, rootOf, setAttribute, setText, show } from "./dom.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";
import { OpponentRow } from "./versus-row.js";

/** @typedef {import("./types.js").VersusJson} VersusJson */
/** @typedef {import("./types.js").OpponentJson} OpponentJson */
/** @typedef {Partial<Pick<VersusJson, "on"|"picked"|"blind"|"reuse">>} Edit */

/** Of the columns beside the first. */
const SIDES = ["B", "C", "D"];

/**
 * What the user sets is written into the value, for other handlers, and told as `input` with `{on, picked, blind, reuse}`.
 * @param {HTMLElement} element @param {import("./types.js").Props} props
 * @param {import("./types.js").Watch} watch @param {import("./types.js").Trigger} trigger
 */
export function mount(element, props, watch, trigger) {
  const bar = new VersusBar((edit) => {
    const value = { ...bar.value, ...edit };
    const { on, picked, blind, reuse } = value;
    props.value = value;
    bar.update(value);
    trigger("input", { on, picked, blind, reuse });
  });
  rootOf(element).replaceChildren(bar.element);
  const draw = () => { if (props.value) bar.update(props.value); };
  watch("value", draw);
  draw();
}

class VersusBar {
  /** @param {(edit: Edit) => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {VersusJson} */
    this.value = { on: false, choices: [], picked: [], blind: false, reuse: false, max: 0 };
    /** By column, from the second on. @type {OpponentRow[]} */
    this.rows = [];
    this.toggle = el("button", {
      type: "button", class: "moa-button moa-versus-toggle", title: texts.versus.compareHint, text: texts.versus.compare,
      onclick: () => this.turn(),
    });
    this.list = el("div", { class: "moa-versus-list" });
    this.add = el("button", {
      type: "button", class: "moa-button", title: texts.versus.addHint, onclick: () => this.addOne(),
    }, icon("plus"), texts.versus.add);
    this.blind = check((blind) => this.changed({ blind }));
    this.reuse = check((reuse) => this.changed({ reuse }));
    this.order = el("span", { class: "moa-quiet", text: texts.versus.shuffled });
    this.options = el("div", { class: "moa-versus-options" }, this.add,
      el("label", { class: "moa-check", title: texts.versus.blindHint }, this.blind, texts.versus.blind, this.order),
      el("label", { class: "moa-check", title: texts.versus.reuseHint }, this.reuse, texts.versus.reuse));
    this.settings = el("div", { class: "moa-versus-settings" },
      el("p", { class: "moa-versus-first" }, el("span", { class: "moa-letter", text: "A" }), texts.versus.mixture), this.list, this.options);
    this.element = el("section", { class: "moa-versus", "aria-label": texts.versus.bar }, this.toggle, this.settings);
  }

  /** @param {VersusJson} value */
  update(value) {
    this.value = value;
    const { on, choices, picked, blind, reuse, max } = value;
    show(this.element, on || this.free() !== undefined);
    setAttribute(this.toggle, "aria-pressed", String(on));
    show(this.settings, on);
    const rows = picked.map((opponent, index) => {
      const row = this.row(index);
      row.update(opponent, choices, picked.length > 1);
      return row.element;
    });
    fill(this.list, rows);
    show(this.add, picked.length < max && picked.length < SIDES.length);
    this.blind.checked = blind;
    this.reuse.checked = reuse;
    show(this.order, blind);
  }

  /** @param {number} index */
  row(index) {
    const side = /** @type {string} */ (SIDES[index]);
    const row = this.rows[index] ?? new OpponentRow(side, { changed: (opponent) => this.set(index, opponent), removed: () => this.remove(index) });
    this.rows[index] = row;
    return row;
  }

  turn() {
    const { on, picked } = this.value;
    this.changed({ on: !on, picked: picked.length > 0 ? picked : this.oneMore() });
  }

  /** @param {number} index @param {OpponentJson} opponent */
  set(index, opponent) {
    this.changed({ picked: this.value.picked.map((old, at) => (at === index ? opponent : old)) });
  }

  addOne() {
    this.changed({ picked: this.oneMore() });
    this.rows[this.value.picked.length - 1]?.select.focus();
  }

  /** The focus goes to what stands in the place of what was removed, else to what adds one. @param {number} index */
  remove(index) {
    this.changed({ picked: this.value.picked.filter((_, at) => at !== index) });
    const next = index < this.value.picked.length ? this.rows[index]?.cross : undefined;
    (next?.checkVisibility() ? next : this.add).focus();
  }

  oneMore() {
    const { picked } = this.value;
    const choice = this.free();
    return choice === undefined ? picked : [...picked, { system: choice.id, temperature: null }];
  }

  /** What can be asked next: one that is not yet picked, where there is one. */
  free() {
    const { choices, picked } = this.value;
    const ready = choices.filter(({ needs }) => needs === null);
    return ready.find(({ id }) => !picked.some(({ system }) => system === id)) ?? ready[0];
  }
}

/** @param {(on: boolean) => void} changed */
function check(changed) {
  const input = el("input", { type: "checkbox", onchange: () => changed(input.checked) });
  return input;
}
