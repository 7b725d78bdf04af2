// @ts-check
/** Letters that lead to the columns of a row which has no room for all of them; those in sight are marked. */
import { el, setAttribute, setText } from "./dom.js";
import { behaviour } from "./scroll.js";
import { texts } from "./texts.js";

/** A column counts as in sight when this share of its width is. */
const IN_SIGHT = 0.5;

export class JumpBar {
  /** @param {HTMLElement} row what scrolls sideways */
  constructor(row) {
    this.row = row;
    /** @type {Map<Element, HTMLButtonElement>} by column */
    this.buttons = new Map();
    this.element = el("div", { class: "moa-jumps", role: "group", "aria-label": texts.compare.jump });
    this.element.addEventListener("keydown", (event) => this.key(event));
    // the row is as high as its columns: what is out of the window above or below counts as in sight
    this.sight = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        const button = this.buttons.get(target);
        if (button) setAttribute(button, "aria-current", isIntersecting ? "true" : null);
      }
    }, { root: row, threshold: IN_SIGHT });
  }

  /** @param {import("./column.js").ColumnView[]} columns from left to right */
  update(columns) {
    for (const { element, name } of columns) {
      const button = this.buttons.get(element) ?? this.button(element);
      const [letter, words] = [element.getAttribute("aria-label"), name.textContent];
      setText(/** @type {Node} */ (button.lastChild), words ?? "");
      setAttribute(button, "aria-label", words ? `${letter}: ${words}` : letter);
    }
  }

  /** @param {HTMLElement} column */
  button(column) {
    const button = el("button", { type: "button", class: "moa-button moa-jump-to", onclick: () => this.go(column) },
      el("span", { text: column.dataset.side }), el("span", { class: "moa-jump-name" }));
    this.buttons.set(column, button);
    this.element.append(button);
    this.sight.observe(column);
    return button;
  }

  /** @param {HTMLElement} column */
  go(column) {
    this.row.scrollTo({ left: column.offsetLeft, behavior: behaviour(true) });
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    const buttons = [...this.buttons.values()];
    const at = buttons.findIndex((button) => button === document.activeElement);
    const to = step === undefined ? undefined : buttons[at + step];
    if (to === undefined) return;
    event.preventDefault();
    to.focus();
    to.click();
  }
}
