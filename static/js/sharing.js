// @ts-check
/** The dialog that makes links to a conversation, lists those that work, and ends them. */
import * as server from "./conversations.js";
import { copyButton } from "./copy.js";
import { fullDate } from "./days.js";
import { el, setText, show } from "./dom.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").ShareJson} ShareJson */
/** @typedef {import("./types.js").EntryJson} EntryJson */

const DAYS = [1, 7, 30, 365];
const USUAL_DAYS = 7;

export class ShareDialog {
  constructor() {
    this.id = "";
    this.head = el("h2", { id: "moa-share-head", dir: "auto" });
    this.days = el("select", { class: "moa-input" },
      ...DAYS.map((days) => el("option", { value: days, text: texts.days(days) })));
    this.make = el("button", { type: "submit", class: "moa-button moa-strong", text: texts.shareMake });
    this.form = el("form", { class: "moa-share-form" }, el("label", {}, texts.shareFor, this.days), this.make);
    this.link = el("input", { type: "text", class: "moa-input", readonly: true, "aria-label": texts.shareLink, onfocus: () => this.link.select() });
    this.made = el("div", { class: "moa-share-made", hidden: true },
      el("div", { class: "moa-share-link" }, this.link, copyButton(texts.copyLink, () => this.link.value, texts.copy)),
      el("p", { class: "moa-quiet", text: texts.shareOnce }));
    this.told = el("p", { class: "moa-share-told", role: "status" });
    this.list = el("ul", { class: "moa-share-list" });
    this.links = el("section", { hidden: true }, el("h3", { text: texts.shareList }), this.list);
    const close = el("button", {
      type: "button", class: "moa-button", "aria-label": texts.close, title: texts.close, onclick: () => this.element.close(),
    }, icon("cross"));
    this.element = el("dialog", { class: "moa-root moa-dialog", "aria-labelledby": "moa-share-head" },
      el("div", { class: "moa-dialog-body" },
        el("header", { class: "moa-dialog-head" }, this.head, close),
        el("p", { text: texts.shareAbout }), this.form, this.made, this.told, this.links));
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.create();
    });
    this.element.addEventListener("mousedown", (event) => {
      if (event.target !== this.element) return;
      event.preventDefault(); // else the press would take the focus that closing gives back
      this.element.close();
    });
    this.element.addEventListener("close", () => this.element.remove());
  }

  /** Open it for a conversation. @param {EntryJson} entry */
  open(entry) {
    this.id = entry.id;
    setText(this.head, texts.shareHead(entry.title || texts.untitled));
    this.days.value = String(USUAL_DAYS);
    this.forget();
    this.draw([]);
    document.body.append(this.element);
    this.element.showModal();
    this.make.focus();
    void this.load();
  }

  /** A link is shown once: not again for the next conversation. */
  forget() {
    this.madeId = "";
    this.link.value = "";
    show(this.made, false);
    setText(this.told, "");
  }

  async load() {
    const { id } = this;
    await this.trying(async () => {
      const found = await server.shares(id);
      if (id === this.id) this.draw(found);
    });
  }

  async create() {
    const { id } = this;
    this.forget();
    this.make.disabled = true;
    await this.trying(async () => {
      const { address, share } = await server.share(id, Number(this.days.value));
      if (id !== this.id || !this.element.open) return;
      this.madeId = share.id;
      this.link.value = address;
      show(this.made, true);
      this.link.focus();
      await this.load();
    });
    this.make.disabled = false;
  }

  /** @param {ShareJson} share */
  async revoke(share) {
    await this.trying(async () => {
      await server.revoke(share.id);
      if (share.id === this.madeId) this.forget();
      setText(this.told, texts.revoked);
      this.make.focus();
      await this.load();
    });
  }

  /** @param {() => Promise<void>} what */
  async trying(what) {
    try {
      await what();
    } catch (error) {
      setText(this.told, server.wordsOf(error));
    }
  }

  /** @param {ShareJson[]} found */
  draw(found) {
    this.list.replaceChildren(...found.map((share) => this.item(share)));
    show(this.links, found.length > 0);
  }

  /** @param {ShareJson} share */
  item(share) {
    const made = fullDate(share.created_at);
    return el("li", {},
      el("span", { class: "moa-share-dates" }, el("span", { text: texts.shareUntil(fullDate(share.expires_at)) }),
        el("span", { class: "moa-quiet", text: texts.shareSince(made) })),
      el("button", {
        type: "button", class: "moa-button moa-danger", "aria-label": texts.revokeLink(made), text: texts.revoke,
        onclick: () => this.revoke(share),
      }));
  }
}
