// @ts-check
/**
 * Something that opens at a button, above all else on the page: no box around the button cuts it off. It stays inside
 * the window, and closes on Escape, on a press elsewhere, and when the focus or the button goes away.
 */
import { el, setAttribute } from "./dom.js";

/** Between the button and what opens, and between that and the window's edge. CSS pixels. */
const GAP_PX = 4;
const EDGE_PX = 8;

export class Popup {
  /**
   * @param {HTMLElement} anchor the button it opens at, which gets the focus back
   * @param {HTMLElement} content
   */
  constructor(anchor, content) {
    this.anchor = anchor;
    /** Called before it closes for whatever reason. @type {() => void} */
    this.onClose = () => {};
    this.element = el("div", { class: "moa-popup", popover: "manual" }, content);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("focusout", (event) => this.left(event));
    // a press must not take the focus away first: the popup would be gone before the click
    this.element.addEventListener("mousedown", (event) => { if (!isField(event.target)) event.preventDefault(); });
    anchor.addEventListener("mousedown", (event) => { if (this.isOpen) event.preventDefault(); });
    this.moved = (/** @type {Event} */ event) => {
      const inside = event.target instanceof Node && this.element.contains(event.target); // its own list is scrolled
      if (!inside) this.place();
    };
    this.pressed = (/** @type {Event} */ event) => this.outside(event);
  }

  get isOpen() {
    return this.element.matches(":popover-open");
  }

  open() {
    if (this.isOpen || !this.element.isConnected) return;
    this.element.showPopover();
    this.place();
    setAttribute(this.anchor, "aria-expanded", "true");
    addEventListener("scroll", this.moved, { capture: true, passive: true });
    addEventListener("resize", this.moved);
    addEventListener("pointerdown", this.pressed, { capture: true });
  }

  /** @param {boolean} [focus] whether the button gets the focus */
  close(focus = false) {
    removeEventListener("scroll", this.moved, { capture: true });
    removeEventListener("resize", this.moved);
    removeEventListener("pointerdown", this.pressed, { capture: true });
    setAttribute(this.anchor, "aria-expanded", "false");
    if (focus) this.anchor.focus({ preventScroll: true });
    if (!this.isOpen) return;
    this.onClose();
    this.element.hidePopover();
  }

  /** Below the button, or above it where there is more room; its far edge with the button's, inside the window. */
  place() {
    const { style } = this.element;
    const at = this.anchor.getBoundingClientRect();
    if (!this.anchor.isConnected || at.bottom < 0 || at.top > innerHeight) {
      this.close();
      return;
    }
    style.maxHeight = "";
    const { width, height } = this.element.getBoundingClientRect();
    const below = innerHeight - at.bottom - GAP_PX - EDGE_PX;
    const above = at.top - GAP_PX - EDGE_PX;
    const up = height > below && above > below;
    style.maxHeight = `${Math.max(0, up ? above : below)}px`;
    style.left = `${Math.max(EDGE_PX, Math.min(at.right - width, innerWidth - width - EDGE_PX))}px`;
    style.top = up ? "auto" : `${at.bottom + GAP_PX}px`;
    style.bottom = up ? `${innerHeight - at.top + GAP_PX}px` : "auto";
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.key !== "Escape" || event.isComposing) return;
    event.preventDefault();
    event.stopPropagation();
    this.close(true);
  }

  /** @param {FocusEvent} event */
  left(event) {
    const to = /** @type {Node|null} */ (event.relatedTarget);
    if (to !== this.anchor && !this.element.contains(to)) this.close();
  }

  /** @param {Event} event */
  outside(event) {
    const target = /** @type {Node|null} */ (event.target);
    if (!this.element.contains(target) && !this.anchor.contains(target)) this.close();
  }
}

/** @param {EventTarget|null} target */
function isField(target) {
  return target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
}
