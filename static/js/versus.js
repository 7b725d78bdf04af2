// @ts-check
/** The compare bar: whether the next question is asked in several columns, and what answers beside the mixture. */
import { el, fill, rootOf, setAttribute, setText, show } from "./dom.js";
import { icon } from "./icon.js";
import { versusTexts } from "./texts-versus.js";
import { keep, withKept } from "./versus-kept.js";
import { OpponentRow } from "./versus-row.js";

/** @typedef {import("./types.js").VersusJson} VersusJson */
/** @typedef {import("./types.js").OpponentJson} OpponentJson */
/** @typedef {Partial<Pick<VersusJson, "on"|"picked"|"blind"|"reuse">>} Edit */

/** Of the columns beside the first. */
const SIDES = ["B", "C", "D"];

/**
 * What the user sets is written into the value, for other handlers, told as `input` with `{on, picked, blind, reuse}`, and
 * kept in this tab: it stands again in place of a value that is off. One that is on was asked for by a link, and is kept.
 * @param {HTMLElement} element @param {import("./types.js").Props} props
 * @param {import("./types.js").Watch} watch @param {import("./types.js").Trigger} trigger
 */
export function mount(element, props, watch, trigger) {
  /** The value as it was written here, not sent. */
  let own = "";
  /** @param {VersusJson} value */
  const write = (value) => {
    own = JSON.stringify(value);
    props.value = value;
    bar.update(value);
  };
  const tell = () => {
    const { on, picked, blind, reuse } = bar.value;
    trigger("input", { on, picked, blind, reuse });
  };
  const bar = new VersusBar((edit) => {
    write({ ...bar.value, ...edit });
    keep(bar.value);
    tell();
  });
  rootOf(element).replaceChildren(bar.element);
  document.addEventListener("click", ({ target }) => { if (target instanceof Element && target.closest("#moa-send")) bar.unfold(false); });
  /** @returns {boolean} whether the value was another one than is to stand now */
  const draw = () => {
    const { value } = props;
    if (!value || JSON.stringify(value) === own) return false;
    own = "";
    bar.update(value);
    if (value.on) keep(value);
    const kept = value.on ? value : withKept(value);
    if (JSON.stringify(kept) === JSON.stringify(value)) return false;
    write(kept);
    return true;
  };
  watch("value", () => { if (draw()) tell(); });
  draw(); // the page's own value: one that was loaded follows
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
      type: "button", class: "moa-button moa-versus-toggle", title: versusTexts.compareHint, text: versusTexts.compare,
      onclick: () => this.turn(),
    });
    this.words = el("span");
    this.fold = el("button", {
      type: "button", class: "moa-button moa-versus-fold", "aria-expanded": "false", title: versusTexts.foldHint,
      onclick: () => this.unfold(!this.element.hasAttribute("data-unfolded")),
    }, this.words, icon("chevron"));
    this.letter = el("span", { class: "moa-letter", text: "A" });
    this.list = el("div", { class: "moa-versus-list" });
    this.add = el("button", {
      type: "button", class: "moa-button", title: versusTexts.addHint, onclick: () => this.addOne(),
    }, icon("plus"), versusTexts.add);
    this.blind = check((blind) => this.changed({ blind }));
    this.reuse = check((reuse) => this.changed({ reuse }));
    this.order = el("span", { class: "moa-quiet", text: versusTexts.shuffled });
    this.options = el("div", { class: "moa-versus-options" }, this.add,
      el("label", { class: "moa-check", title: versusTexts.blindHint }, this.blind, versusTexts.blind, this.order),
      el("label", { class: "moa-check", title: versusTexts.reuseHint }, this.reuse, versusTexts.reuse));
    this.settings = el("div", { class: "moa-versus-settings" },
      el("p", { class: "moa-versus-first" }, this.letter, versusTexts.mixture), this.list, this.options);
    this.element = el("section", { class: "moa-versus", "aria-label": versusTexts.bar }, this.toggle, this.fold, this.settings);
  }

  /** @param {VersusJson} value */
  update(value) {
    this.value = value;
    const { on, choices, picked, blind, reuse, max } = value;
    show(this.element, on || this.free() !== undefined);
    setAttribute(this.toggle, "aria-pressed", String(on));
    show(this.settings, on);
    show(this.fold, on);
    setText(this.words, versusTexts.folded(picked.length + 1, blind));
    show(this.letter, !blind);
    const rows = picked.map((opponent, index) => {
      const row = this.row(index);
      row.update(opponent, { choices, removable: picked.length > 1, blind });
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
    const hooks = { changed: (/** @type {OpponentJson} */ opponent) => this.set(index, opponent), removed: () => this.remove(index) };
    const row = this.rows[index] ?? new OpponentRow(/** @type {string} */ (SIDES[index]), index + 1, hooks);
    this.rows[index] = row;
    return row;
  }

  /** Where there is little room, what is set is one line until it is wanted. @param {boolean} wanted */
  unfold(wanted) {
    this.element.toggleAttribute("data-unfolded", wanted);
    setAttribute(this.fold, "aria-expanded", String(wanted));
  }

  turn() {
    const { on, picked } = this.value;
    this.unfold(!on && document.querySelector(".moa-turn") !== null);
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
