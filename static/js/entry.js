// @ts-check
/** One conversation in the sidebar: open it, rename it in place, delete it after one question. */
import { el, setAttribute, setText, show } from "./dom.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";

const TITLE_CHARS = 200;

export class EntryRow {
  /** @param {string} id @param {import("./types.js").Trigger} trigger */
  constructor(id, trigger) {
    this.id = id;
    this.trigger = trigger;
    this.title = "";
    this.name = el("span", { class: "moa-entry-title", dir: "auto" });
    this.dot = el("span", { class: "moa-running", hidden: true }, el("span", { class: "moa-offscreen", text: texts.running }));
    this.open = el("button", { type: "button", class: "moa-entry-open", onclick: () => trigger("open", { id }) }, this.name, this.dot);
    this.more = el("button", {
      type: "button", class: "moa-button moa-entry-more", "aria-haspopup": "menu", "aria-expanded": "false",
      onclick: () => (this.menu.hidden ? this.showMenu() : this.hideMenu()),
    }, icon("more"));
    this.menu = this.makeMenu();
    this.line = el("div", { class: "moa-entry-line" }, this.open, this.more);
    this.element = el("li", { class: "moa-entry", "data-conversation": id }, this.line, this.menu);
    this.element.addEventListener("focusout", (event) => this.left(event));
  }

  makeMenu() {
    const menu = el("div", { class: "moa-menu", role: "menu", hidden: true },
      el("button", { type: "button", role: "menuitem", text: texts.rename, onclick: () => this.rename() }),
      el("button", { type: "button", role: "menuitem", class: "moa-danger", text: texts.remove, onclick: () => this.askRemove() }));
    menu.addEventListener("keydown", (event) => this.menuKey(event));
    return menu;
  }

  /** @param {import("./types.js").EntryJson} entry */
  update(entry) {
    this.title = entry.title || texts.untitled;
    setText(this.name, this.title);
    setAttribute(this.open, "title", this.title);
    setAttribute(this.open, "aria-current", entry.current ? "page" : null);
    this.element.toggleAttribute("data-current", entry.current);
    show(this.dot, entry.running);
    setAttribute(this.more, "aria-label", texts.more(this.title));
  }

  showMenu() {
    show(this.menu, true);
    setAttribute(this.more, "aria-expanded", "true");
    this.items()[0]?.focus();
  }

  hideMenu() {
    show(this.menu, false);
    setAttribute(this.more, "aria-expanded", "false");
  }

  items() {
    return [...this.menu.querySelectorAll("button")];
  }

  /** @param {KeyboardEvent} event */
  menuKey(event) {
    const items = this.items();
    const at = items.findIndex((item) => item === document.activeElement);
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") {
      this.hideMenu();
      this.more.focus();
    } else if (step !== undefined) items[(at + step + items.length) % items.length]?.focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The menu closes when the focus goes elsewhere. @param {FocusEvent} event */
  left(event) {
    if (!this.element.contains(/** @type {Node|null} */ (event.relatedTarget))) this.hideMenu();
  }

  rename() {
    this.hideMenu();
    const input = el("input", { type: "text", class: "moa-input", "aria-label": texts.renameTo, maxlength: TITLE_CHARS });
    input.value = this.title;
    const form = el("form", { class: "moa-entry-edit" }, input,
      el("button", { type: "submit", class: "moa-button", text: texts.save }),
      el("button", { type: "button", class: "moa-button", text: texts.cancel, onclick: () => this.restore() }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const title = input.value.trim();
      if (title && title !== this.title) this.trigger("rename", { id: this.id, title });
      this.restore();
    });
    this.replaceLine(form);
    input.select();
  }

  askRemove() {
    this.hideMenu();
    const keep = el("button", { type: "button", class: "moa-button", text: texts.keep, onclick: () => this.restore() });
    const remove = el("button", { type: "button", class: "moa-button moa-danger", text: texts.remove });
    remove.addEventListener("click", () => {
      this.trigger("remove", { id: this.id });
      this.restore();
    });
    this.replaceLine(el("div", { class: "moa-entry-ask", role: "group", "aria-label": texts.removeAsk },
      el("span", { text: texts.removeAsk }), el("span", { class: "moa-buttons" }, remove, keep)));
    keep.focus();
  }

  /** @param {HTMLElement} instead */
  replaceLine(instead) {
    instead.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.restore();
      event.stopPropagation();
    });
    this.element.firstElementChild?.replaceWith(instead);
  }

  restore() {
    if (this.element.firstElementChild === this.line) return;
    this.element.firstElementChild?.replaceWith(this.line);
    this.more.focus();
  }
}
