// @ts-check
/** "Why this answer": a switch below an answer, and what it shows of the proposals the answer was written from. */
import { el, show } from "./dom.js";
import { joined } from "./figures.js";
import { loadWhy } from "./loader.js";
import { texts } from "./texts.js";
import { WhyBox } from "./why-box.js";
import { placesOf } from "./why-places.js";
import { tint } from "./why-tint.js";
import { voiceOf } from "./voices.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */
/** @typedef {import("./types.js").WhyJson} WhyJson */
/** @typedef {(overlaps: Map<string, number>|null) => void} ShowOverlaps by slot; null takes them away */

let made = 0;

export class WhyView {
  /** @param {string} id the turn's @param {Element} text the answer, rendered @param {ShowOverlaps} overlaps */
  constructor(id, text, overlaps) {
    this.id = id;
    this.text = text;
    this.overlaps = overlaps;
    /** @type {TurnJson|null} */
    this.turn = null;
    /** What was found out about `why.run`. @type {WhyJson|null} */
    this.why = null;
    this.on = false;
    this.element = el("section", { class: "moa-why", id: `moa-why-${(made += 1)}`, "aria-label": texts.why, hidden: true });
    this.button = el("button", {
      type: "button", class: "moa-button moa-seldom moa-why-button", "aria-expanded": "false", "aria-controls": this.element.id,
      text: texts.why, hidden: true, onclick: () => this.turnTo(!this.on),
    });
  }

  /** @param {TurnJson} turn */
  update(turn) {
    const other = this.turn?.run !== turn.run;
    this.turn = turn;
    const offered = explainable(turn);
    show(this.button, offered);
    if (this.on && (other || !offered)) this.turnTo(false);
  }

  /** @param {boolean} on */
  turnTo(on) {
    this.on = on;
    this.button.setAttribute("aria-expanded", String(on));
    show(this.element, on);
    if (on) {
      // what opens below is to be read from its beginning: the page must not follow it to its end
      this.element.dispatchEvent(new CustomEvent("moa-stay", { bubbles: true }));
      this.explain();
      return;
    }
    this.element.replaceChildren();
    this.overlaps(null);
    tint(this, []);
  }

  async explain() {
    const { turn } = this;
    if (turn === null) return;
    if (this.why?.run !== turn.run) {
      this.element.replaceChildren(el("p", { class: "moa-quiet", role: "status", text: texts.whyLoading }));
      try {
        this.why = await loadWhy(this.id);
      } catch {
        // whatever stood in the way reads the same here, and is tried again by hand
        this.why = null;
        if (this.on && this.turn?.run === turn.run) this.fail();
        return;
      }
    }
    if (this.on && this.turn?.run === turn.run) this.draw(turn, this.why);
  }

  fail() {
    this.element.replaceChildren(el("p", { class: "moa-error", role: "alert" }, texts.whyFailed, " ",
      el("button", { type: "button", class: "moa-link", text: texts.tryAgain, onclick: () => this.tryAgain() })));
  }

  /** The button that was pressed goes; the switch takes the focus. */
  tryAgain() {
    this.button.focus({ preventScroll: true });
    this.explain();
  }

  /** @param {TurnJson} turn @param {WhyJson|null} why */
  draw(turn, why) {
    if (why === null) {
      this.element.replaceChildren(el("p", { class: "moa-quiet", role: "status", text: texts.whyNothing }));
      return;
    }
    if (why.run !== turn.run) { // another attempt was chosen elsewhere
      this.fail();
      return;
    }
    this.overlaps(new Map(why.slots.map((slot, index) => [slot, why.overlaps[index] ?? 0])));
    const sentences = this.sentences(why);
    const box = new WhyBox(why, namesOf(turn), (slots) => tint(this, sentences.filter(({ slot }) => slots.includes(slot))));
    this.element.replaceChildren(...box.elements);
    tint(this, sentences);
  }

  /** Those that are near to a proposal, where they stand. @param {WhyJson} why */
  sentences(why) {
    const places = placesOf(this.text, why.sentences.map(({ text }) => text));
    return why.sentences.flatMap(({ slot }, index) => {
      const range = places[index];
      return slot === null || !range ? [] : [{ slot, voice: voiceOf(slot), range }];
    });
  }
}

/** Whether an answer was written from several proposals that are there. @param {TurnJson} turn */
function explainable({ status, answer, layers }) {
  if (status === "running" || !answer?.text) return false;
  const proposers = layers.filter(({ kind }) => kind === "proposers").map(({ panels }) => panels);
  const used = proposers.findLast((panels) => panels.some((panel) => panel.status === "done")) ?? [];
  const written = !proposers.flat().some(({ slot }) => slot === answer.slot);
  return written && used.filter((panel) => panel.status === "done").length > 1;
}

/** @param {TurnJson} turn @returns {Map<string, string>} by slot */
function namesOf(turn) {
  return new Map(turn.layers.flatMap(({ panels }) => panels).map(({ slot, label, model }) => [slot, joined([label ?? "", model])]));
}
