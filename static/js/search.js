// @ts-check
/** Full-text search over all conversations: the field, its keys, and when to ask. */
import { found, isDropped, wordsOf } from "./conversations.js";
import { el, show } from "./dom.js";
import { FoundList } from "./found.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";

/** Typing faster than this is one search. Milliseconds. */
const CALM_MS = 150;
const QUERY_CHARS = 200;
/** Words that an input method has not finished are searched for only where they are whole: syllables, not letters. */
const WHOLE = /^[\uac00-\ud7a3\p{Script=Han}]+$/u;

export class Search {
  /**
   * @param {(hit: import("./types.js").HitJson) => void} open
   * @param {(searching: boolean) => void} toggled whether what was found stands in the place of the list
   */
  constructor(open, toggled) {
    this.toggled = toggled;
    this.input = el("input", {
      type: "search", class: "moa-input", placeholder: texts.search, "aria-label": texts.search, autocomplete: "off",
      spellcheck: "false", enterkeyhint: "search", maxlength: QUERY_CHARS, dir: "auto",
      "aria-keyshortcuts": "Control+K Meta+K /",
    });
    this.list = new FoundList(open, (offset) => this.ask(offset));
    this.wipe = el("button", {
      type: "button", class: "moa-button", "aria-label": texts.clearSearch, title: texts.clearSearch, hidden: true,
      onclick: () => this.leave(),
    }, icon("cross"));
    this.field = el("div", { class: "moa-search", role: "search" }, icon("search"), this.input, this.wipe);
    this.searched = "";
    this.composing = "";
    /** @type {ReturnType<typeof setTimeout>|undefined} */
    this.timer = undefined;
    this.asking = new AbortController();
    this.input.addEventListener("compositionupdate", (event) => { this.composing = event.data; });
    this.input.addEventListener("compositionend", () => {
      this.composing = "";
      this.typed();
    });
    this.input.addEventListener("input", () => this.typed());
    this.input.addEventListener("keydown", (event) => this.key(event));
    this.list.element.addEventListener("keydown", (event) => this.listKey(event));
  }

  get words() {
    return this.input.value.trim();
  }

  typed() {
    clearTimeout(this.timer);
    show(this.wipe, this.input.value !== "");
    if (!this.words) this.reset();
    else if (!this.composing || WHOLE.test(this.composing)) this.timer = setTimeout(() => this.search(), CALM_MS);
  }

  search() {
    clearTimeout(this.timer);
    if (this.words === this.searched) return;
    this.searched = this.words;
    void this.ask(0);
  }

  /** Ask for a page of what the words find; an answer to older words is dropped. @param {number} offset */
  async ask(offset) {
    this.asking.abort();
    const asking = this.asking = new AbortController();
    this.field.toggleAttribute("data-busy", true);
    try {
      this.list.show(await found(this.searched, offset, asking.signal), offset);
    } catch (error) {
      if (isDropped(error)) return;
      this.list.fail(wordsOf(error), offset);
    }
    if (asking.signal.aborted) return;
    this.field.toggleAttribute("data-busy", false);
    this.toggled(true);
  }

  /** Back to the list of conversations. */
  clear() {
    this.input.value = "";
    show(this.wipe, false);
    this.reset();
  }

  reset() {
    clearTimeout(this.timer);
    this.asking.abort();
    this.searched = "";
    this.list.clear();
    this.field.toggleAttribute("data-busy", false);
    this.toggled(false);
  }

  /** The same, to type other words. */
  leave() {
    this.clear();
    this.input.focus();
  }

  focus() {
    this.input.focus();
    this.input.select();
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing) return; // the key belongs to the input method
    if (event.key === "Enter") this.enter();
    else if (event.key === "Escape") this.clear();
    else if (event.key !== "ArrowDown" || !this.list.focus(0)) return;
    event.preventDefault();
  }

  /** Opens the first that was found, or searches at once. */
  enter() {
    if (this.words && this.words !== this.searched) this.search();
    else if (this.words && !this.field.hasAttribute("data-busy")) this.list.openFirst();
  }

  /** @param {KeyboardEvent} event */
  listKey(event) {
    const at = this.list.focused();
    if (event.key === "Escape") this.leave();
    else if (event.key === "ArrowUp" && at === 0) this.input.focus();
    else {
      const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[event.key];
      if (to === undefined) return;
      this.list.focus(to);
    }
    event.preventDefault();
  }
}

/**
 * Ctrl+K, Cmd+K and, outside of fields, a slash lead to the search, as long as its element is on the page.
 * @param {Element} element @param {() => void} go
 */
export function attachShortcut(element, go) {
  const pressed = (/** @type {KeyboardEvent} */ event) => {
    if (!element.isConnected) document.removeEventListener("keydown", pressed);
    else if (isShortcut(event) && !document.querySelector("dialog:modal")) {
      event.preventDefault();
      go();
    }
  };
  document.addEventListener("keydown", pressed);
}

/** @param {KeyboardEvent} event */
function isShortcut({ key, ctrlKey, metaKey, altKey, shiftKey, isComposing, target }) {
  if (isComposing || altKey) return false;
  if (key.toLowerCase() === "k") return (ctrlKey || metaKey) && !shiftKey;
  return key === "/" && !ctrlKey && !metaKey && !isField(target);
}

/** @param {EventTarget|null} target */
function isField(target) {
  return target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"));
}
