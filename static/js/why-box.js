// @ts-check
/** What the proposals tell about an answer: whose words it has, how alike they are, what only one said. */
import { el } from "./dom.js";
import { OverlapBar } from "./overlap.js";
import { texts } from "./texts.js";
import { positionOf, voiceOf } from "./voices.js";
import { canTint } from "./why-tint.js";

/** @typedef {import("./types.js").WhyJson} WhyJson */

/** A code block keeps its lines. */
const FENCE = /^(?:`{3}|~{3})/;

export class WhyBox {
  /**
   * @param {WhyJson} why
   * @param {Map<string, string>} names of the proposers, by slot
   * @param {(slots: string[]) => void} tint the sentences of these, and no others
   */
  constructor(why, names, tint) {
    this.why = why;
    this.names = names;
    this.tint = tint;
    /** The proposer whose sentences alone are tinted, by a click. @type {string|null} */
    this.kept = null;
    this.entries = why.slots.map((slot, index) => this.entry(slot, why.overlaps[index] ?? 0));
    this.switch = el("input", { type: "checkbox", checked: true, onchange: () => this.show(null) });
    this.elements = [
      el("p", { class: "moa-quiet", role: "status", text: texts.whyAbout }),
      canTint ? el("label", { class: "moa-why-switch" }, this.switch, texts.whyTint) : null,
      el("ul", { class: "moa-why-legend", "aria-label": texts.whyProposers }, ...this.entries.map((button) => el("li", {}, button))),
      matrix(why, (slot) => this.name(slot)),
      this.dissent(),
    ].filter((element) => element !== null);
  }

  /** @param {string} slot */
  name(slot) {
    return this.names.get(slot) ?? slot;
  }

  /** @param {string} slot @param {number} overlap */
  entry(slot, overlap) {
    const { sentences } = this.why;
    const own = sentences.filter((sentence) => sentence.slot === slot).length;
    const bar = new OverlapBar();
    bar.update(overlap);
    const button = el("button", {
      type: "button", class: "moa-why-entry", "data-voice": voiceOf(slot), "data-slot": slot, "aria-pressed": "false",
      onpointerenter: () => this.show(slot),
      onpointerleave: () => this.show(null),
      onfocus: () => { if (button.matches(":focus-visible")) this.show(slot); },
      onblur: () => this.show(null),
      onclick: () => this.keep(slot),
    },
    mark(slot), el("span", { class: "moa-why-name", text: this.name(slot) }), bar.element,
    el("span", { class: "moa-figures", text: texts.whySentences(own, sentences.length) }));
    return button;
  }

  /** Stay with one proposer, or with all again. @param {string} slot */
  keep(slot) {
    this.kept = this.kept === slot ? null : slot;
    for (const entry of this.entries) entry.setAttribute("aria-pressed", String(entry.dataset.slot === this.kept));
    this.show(this.kept);
  }

  /** Tint one proposer's sentences; null: those of the one that is kept, or of all. @param {string|null} slot */
  show(slot) {
    const one = slot ?? this.kept;
    this.tint(!this.switch.checked ? [] : one === null ? this.why.slots : [one]);
  }

  dissent() {
    const groups = this.why.slots.flatMap((slot, index) => {
      const said = this.why.dissents[index] ?? [];
      if (said.length === 0) return [];
      return [el("dt", { "data-voice": voiceOf(slot) }, mark(slot), this.name(slot)),
        ...said.map((text) => el("dd", { dir: "auto", "data-code": FENCE.test(text), text }))];
    });
    const inside = groups.length > 0 ? el("dl", {}, ...groups) : el("p", { class: "moa-quiet", text: texts.noneAlone });
    return el("div", { class: "moa-why-alone", role: "group", "aria-label": texts.onlyOne },
      el("p", { class: "moa-why-head", text: texts.onlyOne }), inside);
  }
}

/** A proposer's number, in its colour and with its line. @param {string} slot */
function mark(slot) {
  return el("span", { class: "moa-why-mark", text: String(positionOf(slot)) });
}

/** @param {WhyJson} why @param {(slot: string) => string} name */
function matrix({ slots, agreement }, name) {
  const rows = slots.map((slot, row) => el("tr", {},
    el("th", { scope: "row", "data-voice": voiceOf(slot) }, mark(slot), el("span", { class: "moa-why-whose", text: name(slot) })),
    ...(agreement[row] ?? []).map((share, column) => cell(row === column ? null : share))));
  const heads = slots.map((slot) => el("th", { scope: "col", "data-voice": voiceOf(slot) }, mark(slot)));
  return el("div", { class: "moa-table moa-why-table", tabindex: "0", role: "group", "aria-label": texts.agreement },
    el("table", {}, el("caption", { text: texts.agreement }),
      el("thead", {}, el("tr", {}, el("td"), ...heads)), el("tbody", {}, ...rows)));
}

/** @param {number|null} share null: of a proposal with itself */
function cell(share) {
  const made = el("td", { text: share === null ? "–" : texts.percent(share) });
  if (share !== null) made.style.setProperty("--share", share.toFixed(2));
  return made;
}
