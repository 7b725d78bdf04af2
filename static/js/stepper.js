// @ts-check
/** "‹ 2/3 ›": a step to the one before or after, of several that stand in one place. */
import { el, setAttribute, setText, show } from "./dom.js";
import { icon } from "./icon.js";

/** @typedef {"earlier"|"later"} Way */

export class Stepper {
  /**
   * @param {{all: string, earlier: string, later: string, at: (n: number, of: number) => string}} names
   * @param {(id: string, way: Way, button: Element) => void} step
   */
  constructor(names, step) {
    this.names = names;
    this.step = step;
    /** @type {string[]} */
    this.ids = [];
    this.at = 0;
    this.buttons = { earlier: this.button("earlier"), later: this.button("later") };
    this.figures = el("span", { class: "moa-step-at", "aria-hidden": "true" });
    this.spoken = el("span", { class: "moa-offscreen", role: "status" });
    this.element = el("span", { class: "moa-steps", role: "group", "aria-label": names.all, hidden: true },
      this.buttons.earlier, this.figures, this.spoken, this.buttons.later);
  }

  /** @param {Way} way */
  button(way) {
    return el("button", {
      type: "button", class: "moa-button moa-step", "aria-label": this.names[way], title: this.names[way],
      onclick: () => this.go(way),
    }, icon(way));
  }

  /** @param {string[]} ids in order @param {string} shown one of them @param {boolean} [offered] */
  update(ids, shown, offered = true) {
    this.ids = ids;
    this.at = ids.indexOf(shown);
    const last = ids.length - 1;
    show(this.element, offered && this.at >= 0 && last > 0);
    setText(this.figures, `${this.at + 1}/${ids.length}`);
    setText(this.spoken, this.names.at(this.at + 1, ids.length));
    // not `disabled`: the focus stays where it is when the end is reached
    setAttribute(this.buttons.earlier, "aria-disabled", this.at <= 0 ? "true" : null);
    setAttribute(this.buttons.later, "aria-disabled", this.at >= last ? "true" : null);
  }

  /** @param {Way} way */
  go(way) {
    const id = this.ids[this.at + (way === "later" ? 1 : -1)];
    if (id !== undefined) this.step(id, way, this.buttons[way]);
  }
}
