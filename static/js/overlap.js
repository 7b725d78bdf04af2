// @ts-check
/** One proposal's part in the wording that an answer shares with all of them, as a thin bar. */
import { el, setAttribute, setText, show } from "./dom.js";
import { texts } from "./texts.js";

export class OverlapBar {
  constructor() {
    this.fill = el("span");
    this.figure = el("span", { class: "moa-overlap-figure", "aria-hidden": "true" });
    this.element = el("span", { class: "moa-overlap", role: "img", title: texts.overlapHint, hidden: true },
      el("span", { class: "moa-overlap-bar" }, this.fill), this.figure);
  }

  /** @param {number|null} share from 0 to 1; null hides it */
  update(share) {
    show(this.element, share !== null);
    if (share === null) return;
    setText(this.figure, texts.percent(share));
    setAttribute(this.element, "aria-label", texts.overlap(texts.percent(share)));
    this.fill.style.inlineSize = `${share * 100}%`;
  }
}
