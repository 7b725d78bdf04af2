// @ts-check
/** What a search found. Titles and snippets are text, never markup. */
import { dayName } from "./days.js";
import { el, setText, show } from "./dom.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").HitJson} HitJson */
/** @typedef {import("./types.js").FoundJson} FoundJson */

export class FoundList {
  /** @param {(hit: HitJson) => void} open @param {(offset: number) => void} ask for another page */
  constructor(open, ask) {
    this.open = open;
    this.ask = ask;
    this.next = 0;
    this.list = el("ul");
    this.told = el("p", { class: "moa-quiet moa-found-told", role: "status" });
    this.more = el("button", { type: "button", class: "moa-button moa-more", hidden: true, onclick: () => this.ask(this.next) });
    this.element = el("section", { class: "moa-found", "aria-label": texts.search }, this.told, this.list, this.more);
  }

  /** @param {FoundJson} found @param {number} offset 0 begins anew */
  show({ hits, next }, offset) {
    const at = this.list.children.length;
    const walking = document.activeElement === this.more;
    if (offset === 0) this.list.replaceChildren();
    this.list.append(...hits.map((hit) => this.item(hit)));
    const count = this.list.children.length;
    setText(this.told, count > 0 ? texts.found(count, next !== null) : texts.nothingFound);
    this.offer(next, texts.showMore);
    if (walking && offset > 0) this.focus(at);
  }

  /** @param {string} words @param {number} offset the page that was not found */
  fail(words, offset) {
    if (offset === 0) this.list.replaceChildren();
    setText(this.told, words);
    this.offer(offset, texts.tryAgain);
  }

  clear() {
    this.list.replaceChildren();
    setText(this.told, "");
    this.offer(null, "");
  }

  /** @param {number|null} next @param {string} label */
  offer(next, label) {
    this.next = next ?? 0;
    setText(this.more, label);
    show(this.more, next !== null);
  }

  /** @param {HitJson} hit */
  item(hit) {
    const inTitle = hit.where === "title";
    const title = el("span", { class: "moa-hit-title", dir: "auto" },
      ...(inTitle ? marked(hit.snippet) : [hit.title || texts.untitled]));
    const snippet = inTitle ? null : el("span", { class: "moa-hit-snippet", dir: "auto" }, ...marked(hit.snippet));
    const place = el("span", { class: "moa-hit-place", text: `${texts.where[hit.where]} · ${dayName(hit.at)}` });
    return el("li", {}, el("button", {
      type: "button", class: "moa-hit", "data-conversation": hit.conversation, onclick: () => this.open(hit),
    }, title, snippet, place));
  }

  buttons() {
    return /** @type {HTMLElement[]} */ ([...this.list.querySelectorAll(".moa-hit")]);
  }

  /** Which one has the focus; -1: none. */
  focused() {
    return this.buttons().findIndex((button) => button === document.activeElement);
  }

  /** @param {number} at -1 is the last; beyond the last is what loads more @returns {boolean} whether there is one */
  focus(at) {
    const buttons = this.buttons();
    const wanted = at === buttons.length && !this.more.hidden ? this.more : buttons.at(at);
    wanted?.focus();
    return wanted !== undefined;
  }

  openFirst() {
    this.buttons()[0]?.click();
  }
}

/** @param {{text: string, hit: boolean}[]} pieces */
function marked(pieces) {
  return pieces.map(({ text, hit }) => (hit ? el("mark", { text }) : text));
}
