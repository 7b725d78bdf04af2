// @ts-check
/** Having a part of an ended turn written again: one panel, the answer, all of it. */
import { el, setAttribute, show } from "./dom.js";
import { icon } from "./icon.js";
import { Menu } from "./menu.js";
import { ModelPicker } from "./picker.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */
/** @typedef {(event: string, payload: object) => void} Tell */
/** @typedef {(slot: string, model: string|null) => void} RetrySlot */

/** A proposer's menu: its model again, or another in its place. */
export class SlotMenu {
  /** @param {string} slot @param {RetrySlot} retry */
  constructor(slot, retry) {
    this.slot = slot;
    this.retry = retry;
    this.who = "";
    /** Made when it is first wanted. @type {ModelPicker|null} */
    this.picker = null;
    this.menu = new Menu("", []);
    this.element = this.menu.element;
    this.element.hidden = true;
  }

  /** @param {string} who @param {{offered: boolean, busy: boolean, other: boolean}} state `other`: it may be another model */
  update(who, { offered, busy, other }) {
    show(this.element, offered);
    if (!offered) return;
    this.who = who;
    this.menu.setLabel(texts.more(who));
    this.menu.setDisabled(busy);
    this.menu.setItems([
      { text: texts.askAgain, hint: texts.askAgainHint, act: () => this.retry(this.slot, null) },
      ...(other ? [{ text: texts.askOther, act: () => this.pick() }] : []),
    ]);
  }

  pick() {
    this.picker ??= new ModelPicker(this.menu.button, (model) => this.retry(this.slot, model));
    this.picker.open(texts.askInstead(this.who));
  }
}

/** The answer's buttons: go on with a turn that broke off, ask all of it again, or only the answer. */
export class Mending {
  /** @param {string} turn its id @param {Tell} tell */
  constructor(turn, tell) {
    this.slot = "";
    this.who = "";
    /** Made when it is first wanted. @type {ModelPicker|null} */
    this.picker = null;
    this.only = () => tell("regenerate_answer", { turn });
    this.retry = (/** @type {string|null} */ model) => tell("retry_slot", { turn, slot: this.slot, model });
    this.mend = el("button", { type: "button", class: "moa-button moa-strong", hidden: true, onclick: () => tell("resume", { turn }) });
    this.regenerate = el("button", {
      type: "button", class: "moa-button", "aria-label": texts.regenerate, title: texts.regenerateHint, onclick: () => tell("regenerate", { turn }),
    }, icon("regenerate"), el("span", { class: "moa-button-word", text: texts.regenerate }));
    this.menu = new Menu(texts.otherWays, [], { shape: "caret" });
    this.split = el("span", { class: "moa-split moa-seldom", hidden: true }, this.regenerate, this.menu.element);
  }

  /** @param {TurnJson} turn @param {string} who writes its answer @param {boolean} busy a run is under way */
  update(turn, who, busy) {
    const ended = turn.status !== "running";
    this.slot = turn.answer?.slot ?? "";
    this.who = who;
    show(this.split, ended);
    show(this.mend, ended && turn.mend !== null);
    for (const button of [this.mend, this.regenerate]) button.disabled = busy;
    this.updateMend(turn.mend);
    const ways = this.ways(turn);
    show(this.menu.element, ways.length > 0);
    this.menu.setItems(ways);
    this.menu.setDisabled(busy);
  }

  /** @param {"resume"|"retry"|null} mend */
  updateMend(mend) {
    if (mend === null || this.mend.dataset.kind === mend) return;
    this.mend.dataset.kind = mend;
    setAttribute(this.mend, "title", mend === "resume" ? texts.resumeHint : texts.retryHint);
    this.mend.replaceChildren(icon(mend === "resume" ? "resume" : "regenerate"), texts[mend]);
  }

  /** @param {TurnJson} turn */
  ways(turn) {
    const proposed = turn.layers.some(({ kind, panels }) => kind === "proposers" && panels.some(({ status }) => status === "done"));
    return [
      ...(proposed ? [{ text: texts.answerOnly, hint: texts.answerOnlyHint, act: this.only }] : []),
      ...(turn.answer ? [{ text: texts.askOther, act: () => this.pick() }] : []),
    ];
  }

  pick() {
    this.picker ??= new ModelPicker(this.menu.button, this.retry);
    this.picker.open(texts.askInstead(this.who));
  }
}
