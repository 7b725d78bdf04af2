// @ts-check
/** The user's own words for the kind of question, in one field with commas between. */
import { el } from "./dom.js";
import { texts } from "./texts.js";

const TAGS_MAX = 5;
/** Of one tag, in characters. */
const LENGTH_MAX = 24;

export class TagsView {
  /** @param {(tags: string[]) => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** What the server holds, or was told last. @type {string[]} */
    this.tags = [];
    this.input = el("input", {
      type: "text", class: "moa-input", placeholder: texts.compare.tagsHint, autocomplete: "off", enterkeyhint: "done",
      onblur: () => this.take(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => { if (event.key === "Enter" && !event.isComposing) this.take(); },
    });
    this.element = el("label", { class: "moa-tags" }, texts.compare.tags, this.input);
  }

  /** A draft is left alone. @param {string[]} tags */
  update(tags) {
    if (same(tags, this.tags)) return;
    const drafted = !same(tagsOf(this.input.value), this.tags);
    this.tags = tags;
    if (!drafted) this.show();
  }

  take() {
    const tags = tagsOf(this.input.value);
    const told = same(tags, this.tags);
    this.tags = tags;
    this.show();
    if (!told) this.changed(tags);
  }

  show() {
    this.input.value = this.tags.join(", ");
  }
}

/** What is written in the field: no tag twice, none too long, none too many. @param {string} written */
function tagsOf(written) {
  const cut = written.split(",").map((tag) => [...tag.trim().replace(/\s+/g, " ")].slice(0, LENGTH_MAX).join("").trim());
  return [...new Set(cut.filter(Boolean))].slice(0, TAGS_MAX);
}

/** @param {string[]} some @param {string[]} others */
function same(some, others) {
  return some.join() === others.join();
}
