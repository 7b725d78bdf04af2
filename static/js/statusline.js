// @ts-check
/** A line that tells what was done, and for a while offers to undo it. */
import { el, setText, show } from "./dom.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";

const SHOWN_MS = 10_000;
/** Looked at, or with the focus in it, it stays; this is how soon after that it goes. Milliseconds. */
const AFTER_MS = 2_000;

/** @typedef {{text: string, act: () => void}} Offer */

export class StatusLine {
  constructor() {
    this.words = el("span", { class: "moa-told-words", role: "status" });
    this.progress = el("progress", { class: "moa-told-progress", "aria-label": texts.loading, hidden: true });
    this.action = el("button", { type: "button", class: "moa-button moa-told-action", hidden: true, onclick: () => this.taken() });
    this.dismiss = el("button", {
      type: "button", class: "moa-button", "aria-label": texts.dismiss, title: texts.dismiss, hidden: true,
      onclick: () => this.clear(),
    }, icon("cross"));
    this.element = el("div", { class: "moa-told" }, this.words, this.action, this.dismiss, this.progress);
    /** @type {Offer|null} */
    this.offer = null;
    /** Called when the words go away by themselves or are dismissed. */
    this.onClear = () => {};
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
  }

  /**
   * Show words in the place of those before, for at least ten seconds.
   * @param {string} words @param {Offer|null} [offer]
   */
  say(words, offer = null) {
    this.draw(words, offer, false);
    this.timer = setTimeout(() => this.expire(), SHOWN_MS);
  }

  /** Show that something goes on, until `say` tells how it ended. @param {string} words */
  busy(words) {
    this.draw(words, null, true);
  }

  clear() {
    this.draw("", null, false);
    this.onClear();
  }

  /** @param {string} words @param {Offer|null} offer @param {boolean} busy */
  draw(words, offer, busy) {
    clearTimeout(this.timer);
    this.offer = offer;
    setText(this.words, words);
    setText(this.action, offer?.text ?? "");
    show(this.action, offer !== null);
    show(this.dismiss, words !== "" && !busy);
    show(this.progress, busy);
    this.element.toggleAttribute("data-shown", words !== "");
  }

  expire() {
    const held = this.element.matches(":hover") || this.element.querySelector(":focus-visible") !== null;
    if (held) this.timer = setTimeout(() => this.expire(), AFTER_MS);
    else this.clear();
  }

  taken() {
    const { offer } = this;
    this.draw("", null, false);
    offer?.act();
  }
}
