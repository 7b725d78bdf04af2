// @ts-check
import { el, setText } from "./dom.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";

/** A status as icon and word, so that colour is never the only sign. */
export class StatusChip {
  /** @param {boolean} [spoken] announced to screen readers when it changes */
  constructor(spoken = false) {
    this.word = el("span");
    this.element = el("span", { class: "moa-status", role: spoken ? "status" : null }, this.word);
    this.status = "";
  }

  /** @param {import("./types.js").PanelStatus} status @param {string} [word] said of it */
  update(status, word = texts.status[status]) {
    setText(this.word, word);
    if (status === this.status) return;
    this.status = status;
    this.element.dataset.kind = status;
    this.element.replaceChildren(icon(status), this.word);
  }
}
