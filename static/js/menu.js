// @ts-check
/** A button that opens a short list of things to do: arrow keys, Home and End, the first letter of a name. */
import { el, setAttribute } from "./dom.js";
import { icon } from "./icon.js";
import { Popup } from "./popup.js";

/**
 * @typedef {object} MenuItem
 * @property {string} text
 * @property {() => void} act called when the menu is closed and its button has the focus again
 * @property {boolean} [danger]
 * @property {boolean} [disabled] listed, and read out with its hint, but not to be chosen
 * @property {string|null} [hint] a second, quieter line
 */

let made = 0;

export class Menu {
  /**
   * @param {string} label the button's accessible name
   * @param {MenuItem[]} items
   * @param {{shape?: "more"|"caret", quiet?: string}} [look] the button's icon, and a class for it
   */
  constructor(label, items, look = {}) {
    /** Called before it opens, to set the items at the last moment. @type {() => void} */
    this.onOpen = () => {};
    this.list = el("div", { class: "moa-items", role: "menu" });
    this.button = el("button", {
      type: "button", class: `moa-button ${look.quiet ?? ""}`.trim(), "aria-haspopup": "menu", "aria-expanded": "false",
      onclick: () => (this.popup.isOpen ? this.close(true) : this.open()),
    }, icon(look.shape ?? "more"));
    this.popup = new Popup(this.button, this.list);
    this.element = el("span", { class: "moa-menu-place" }, this.button, this.popup.element);
    this.button.addEventListener("keydown", (event) => this.buttonKey(event));
    this.list.addEventListener("keydown", (event) => this.key(event));
    this.setLabel(label);
    this.next = items;
  }

  /** @param {string} label */
  setLabel(label) {
    setAttribute(this.button, "aria-label", label);
    setAttribute(this.button, "title", label);
    setAttribute(this.list, "aria-label", label);
  }

  /** What it holds from the next opening on. @param {MenuItem[]} items */
  setItems(items) {
    this.next = items;
  }

  /** @param {boolean} disabled no opening; what is open closes */
  setDisabled(disabled) {
    this.button.disabled = disabled;
    if (disabled && this.popup.isOpen) this.close();
  }

  /** @param {MenuItem} item */
  item({ text, act, danger = false, disabled = false, hint = null }) {
    const line = hint ? el("span", { class: "moa-item-hint", id: `moa-hint-${(made += 1)}`, text: hint }) : null;
    return el("button", {
      type: "button", role: "menuitem", tabindex: "-1", class: danger ? "moa-item moa-danger" : "moa-item", "aria-label": text,
      "aria-disabled": disabled ? "true" : null, "aria-describedby": line?.id ?? null,
      onclick: () => {
        if (disabled) return;
        this.close(true);
        act();
      },
    }, el("span", { text }), line);
  }

  /** @param {number} [at] which item gets the focus; -1 is the last */
  open(at = 0) {
    if (this.button.disabled) return;
    this.onOpen();
    this.list.replaceChildren(...this.next.map((item) => this.item(item)));
    this.popup.open();
    this.items().at(at)?.focus({ preventScroll: true });
  }

  /** @param {boolean} [focus] whether the button gets the focus */
  close(focus = false) {
    this.popup.close(focus);
  }

  items() {
    return /** @type {HTMLButtonElement[]} */ ([...this.list.children]);
  }

  /** @param {KeyboardEvent} event */
  buttonKey(event) {
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    event.preventDefault();
    this.open(event.key === "ArrowDown" ? 0 : -1);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    const items = this.items();
    const at = items.findIndex((item) => item === document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key] ?? this.named(event, at);
    if (to === null) return;
    event.preventDefault();
    event.stopPropagation();
    items.at(to % items.length)?.focus();
  }

  /** The next item that begins with the letter that was pressed. @param {KeyboardEvent} event @param {number} at */
  named(event, at) {
    if (event.key.length !== 1 || event.key === " " || event.ctrlKey || event.metaKey || event.altKey) return null;
    const names = this.items().map((item) => (item.textContent ?? "").toLowerCase());
    const wanted = event.key.toLowerCase();
    const order = names.map((_, index) => (at + 1 + index) % names.length);
    return order.find((index) => names[index]?.startsWith(wanted)) ?? null;
  }
}
