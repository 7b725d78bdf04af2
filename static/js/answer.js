// @ts-check
/** The final answer of a turn: who wrote it, the text, what it took, and what can be done with it. */
import { AnswerText } from "./answer-text.js";
import { el, setAttribute, setText, show } from "./dom.js";
import { joined, totalFigures } from "./figures.js";
import { icon } from "./icon.js";
import { Mending } from "./mending.js";
import { Stepper } from "./stepper.js";
import { texts } from "./texts.js";
import { WhyView } from "./why.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */

export class AnswerView {
  /**
   * @param {string} turn its id
   * @param {((event: string, payload: object) => void)|null} tell null: to read only
   * @param {Stepper["step"]} step to another attempt
   * @param {import("./why.js").ShowOverlaps} overlaps
   */
  constructor(turn, tell, step, overlaps) {
    this.tell = tell;
    this.answer = new AnswerText(texts.copyAnswer, true);
    this.who = el("span", { class: "moa-model" });
    this.totals = el("span", { class: "moa-figures" });
    this.stepper = new Stepper(
      { all: texts.attempts, earlier: texts.earlierAttempt, later: texts.laterAttempt, at: texts.attemptOf },
      step,
    );
    this.fork = forkButton(() => tell?.("fork", { turn }));
    this.mending = new Mending(turn, tell ?? (() => {}));
    this.why = new WhyView(turn, this.answer.writing.markdown.element, overlaps);
    this.element = el("section", { class: "moa-answer", role: "group", "data-answer": "", "aria-label": texts.answer },
      el("header", { class: "moa-answer-head" }, el("span", { class: "moa-answer-name", text: texts.answer }), this.who,
        this.answer.status.element),
      ...this.answer.elements,
      el("footer", { class: "moa-answer-foot" }, this.stepper.element, this.totals,
        el("span", { class: "moa-buttons" }, this.why.button, this.fork, this.mending.split, this.answer.copy, this.mending.mend)),
      this.why.element);
  }

  /**
   * @param {TurnJson} turn
   * @param {{newest: boolean, busy: boolean}} place whether it is the last turn, and whether a run is under way
   */
  update(turn, { newest, busy }) {
    const ended = turn.status !== "running";
    setAttribute(this.element, "data-status", this.answer.update(turn));
    setAttribute(this.element, "aria-busy", String(!ended));
    const who = joined([turn.answer?.model ?? "", turn.answer?.label ?? ""]);
    setText(this.who, who);
    setText(this.totals, totalFigures(turn.totals, ended));
    if (this.tell === null) return;
    this.stepper.update(turn.attempts, turn.run, ended);
    show(this.fork, ended && !newest && !!turn.answer?.text);
    this.fork.disabled = busy;
    this.mending.update(turn, who, busy);
    this.why.update(turn);
  }
}

/** The button that lets the next question follow a turn which is not the last. @param {() => void} fork */
export function forkButton(fork) {
  return el("button", {
    type: "button", class: "moa-button moa-seldom", "aria-label": texts.fork, title: texts.fork, hidden: true, onclick: fork,
  }, icon("branch"));
}
