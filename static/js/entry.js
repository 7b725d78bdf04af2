// @ts-check
/** One conversation in the sidebar: open it, or choose from its menu; its title is edited in place. */
import { exportAddress } from "./conversations.js";
import { el, setAttribute, setText, show } from "./dom.js";
import { download } from "./download.js";
import { Menu } from "./menu.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").EntryJson} EntryJson */

const TITLE_CHARS = 200;

/**
 * @typedef {object} Doings what a line can ask for
 * @property {(id: string) => void} open
 * @property {(entry: EntryJson, title: string) => void} rename
 * @property {(entry: EntryJson) => void} pin pin, or unpin
 * @property {(entry: EntryJson) => void} archive into the archive, or out of it
 * @property {(entry: EntryJson) => void} share
 * @property {(entry: EntryJson) => void} remove
 */

export class EntryRow {
  /** @param {EntryJson} entry @param {Doings} doings */
  constructor(entry, doings) {
    this.entry = entry;
    this.doings = doings;
    this.archived = false;
    this.name = el("span", { class: "moa-entry-title", dir: "auto" });
    this.dot = el("span", { class: "moa-running", hidden: true }, el("span", { class: "moa-offscreen", text: texts.running }));
    this.open = el("button", {
      type: "button", class: "moa-entry-open", onclick: () => doings.open(entry.id),
    }, this.name, this.dot);
    this.menu = new Menu("", []);
    this.menu.onOpen = () => this.menu.setItems(this.items());
    this.line = el("div", { class: "moa-entry-line" }, this.open, this.menu.element);
    this.element = el("li", { class: "moa-entry", "data-conversation": entry.id }, this.line);
  }

  get title() {
    return this.entry.title || texts.untitled;
  }

  /** @param {EntryJson} entry @param {{current: boolean, archived: boolean}} place */
  update(entry, { current, archived }) {
    this.entry = entry;
    this.archived = archived;
    setText(this.name, this.title);
    setAttribute(this.open, "title", this.title);
    setAttribute(this.open, "aria-current", current ? "page" : null);
    this.element.toggleAttribute("data-current", current);
    show(this.dot, entry.running);
    this.menu.setLabel(texts.more(this.title));
  }

  /** @returns {import("./menu.js").MenuItem[]} */
  items() {
    const { entry, doings } = this;
    return [
      { text: texts.rename, act: () => this.rename() },
      { text: entry.pinned ? texts.unpin : texts.pin, act: () => doings.pin(entry) },
      { text: this.archived ? texts.unarchive : texts.archive, act: () => doings.archive(entry) },
      { text: texts.share, act: () => doings.share(entry) },
      { text: texts.downloadMarkdown, act: () => download(exportAddress(entry.id, "md")) },
      { text: texts.downloadJson, act: () => download(exportAddress(entry.id, "json")) },
      { text: texts.remove, danger: true, act: () => doings.remove(entry) },
    ];
  }

  rename() {
    const input = el("input", { type: "text", class: "moa-input", "aria-label": texts.renameTo, maxlength: TITLE_CHARS, dir: "auto" });
    input.value = this.title;
    const form = el("form", { class: "moa-entry-edit" }, input,
      el("button", { type: "submit", class: "moa-button", text: texts.save }),
      el("button", { type: "button", class: "moa-button", text: texts.cancel, onclick: () => this.restore() }));
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      const title = input.value.trim().replace(/\s+/g, " ");
      if (title && title !== this.title) this.doings.rename(this.entry, title);
      this.restore();
    });
    form.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !event.isComposing) this.restore();
      event.stopPropagation();
    });
    this.line.replaceWith(form);
    input.focus();
    input.select();
  }

  restore() {
    if (this.line.isConnected) return;
    this.element.replaceChildren(this.line);
    this.menu.button.focus();
  }
}
