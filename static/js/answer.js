// @ts-check
/** The final answer of a turn: who wrote it, the text, what it took, and what can be done with it. */
import { copyButton } from "./copy.js";
import { el, setAttribute, setText, show } from "./dom.js";
import { joined, totalFigures } from "./figures.js";
import { icon } from "./icon.js";
import { Mending } from "./mending.js";
import { StatusChip } from "./status.js";
import { Stepper } from "./stepper.js";
import { texts } from "./texts.js";
import { WhyView } from "./why.js";
import { Writing } from "./writing.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */
/** @typedef {import("./types.js").PanelJson} PanelJson */

export class AnswerView {
  /**
   * @param {string} turn its id
   * @param {((event: string, payload: object) => void)|null} tell null: to read only
   * @param {Stepper["step"]} step to another attempt
   * @param {import("./why.js").ShowOverlaps} overlaps
   */
  constructor(turn, tell, step, overlaps) {
    this.tell = tell;
    /** @type {PanelJson|null} */
    this.panel = null;
    this.writing = new Writing();
    this.status = new StatusChip(true);
    this.who = el("span", { class: "moa-model" });
    this.note = el("p", { class: "moa-note", hidden: true });
    this.notice = el("p", { class: "moa-notice", hidden: true });
    this.totals = el("span", { class: "moa-figures" });
    this.copy = copyButton(texts.copyAnswer, () => this.panel?.text ?? "", texts.copy);
    this.stepper = new Stepper(
      { all: texts.attempts, earlier: texts.earlierAttempt, later: texts.laterAttempt, at: texts.attemptOf },
      step,
    );
    this.fork = el("button", {
      type: "button", class: "moa-button moa-seldom", "aria-label": texts.fork, title: texts.fork, hidden: true,
      onclick: () => tell?.("fork", { turn }),
    }, icon("branch"));
    this.mending = new Mending(turn, tell ?? (() => {}));
    this.why = new WhyView(turn, this.writing.markdown.element, overlaps);
    this.element = el("section", { class: "moa-answer", role: "group", "data-answer": "", "aria-label": texts.answer },
      el("header", { class: "moa-answer-head" }, el("span", { class: "moa-answer-name", text: texts.answer }), this.who,
        this.status.element),
      this.notice, this.note, this.writing.element,
      el("footer", { class: "moa-answer-foot" }, this.stepper.element, this.totals,
        el("span", { class: "moa-buttons" }, this.why.button, this.fork, this.mending.split, this.copy, this.mending.mend)),
      this.why.element);
  }

  /**
   * @param {TurnJson} turn
   * @param {{newest: boolean, busy: boolean}} place whether it is the last turn, and whether a run is under way
   */
  update(turn, { newest, busy }) {
    this.panel = turn.answer;
    const status = turn.answer?.status ?? missing(turn.status);
    const ended = turn.status !== "running";
    setAttribute(this.element, "data-status", status);
    setAttribute(this.element, "aria-busy", String(!ended));
    this.status.update(status);
    const who = joined([turn.answer?.model ?? "", turn.answer?.label ?? ""]);
    setText(this.who, who);
    setText(this.note, turn.answer?.note ?? "");
    show(this.note, !!turn.answer?.note);
    setText(this.notice, turn.notice ?? "");
    setAttribute(this.notice, "data-kind", turn.status);
    show(this.notice, !!turn.notice);
    this.writing.update(turn.answer ?? { text: "", reasoning: "", error: null, status }, emptyText(turn, status));
    setText(this.totals, totalFigures(turn.totals, ended));
    show(this.copy, !!turn.answer?.text);
    if (this.tell === null) return;
    this.stepper.update(turn.attempts, turn.run, ended);
    show(this.fork, ended && !newest && !!turn.answer?.text);
    this.fork.disabled = busy;
    this.mending.update(turn, who, busy);
    this.why.update(turn);
  }
}

/**
 * The status of an answer that nobody began to write.
 * @param {import("./types.js").TurnStatus} status
 * @returns {import("./types.js").PanelStatus}
 */
function missing(status) {
  if (status === "running") return "waiting";
  return status === "failed" ? "failed" : "stopped";
}

/** @param {TurnJson} turn @param {string} status */
function emptyText(turn, status) {
  if (status === "waiting") return turn.layers.length > 0 ? texts.waitingForProposals : texts.waitingForModel;
  if (status === "running") return turn.answer?.reasoning ? "" : texts.waitingForModel;
  return status === "done" ? texts.noText : "";
}
