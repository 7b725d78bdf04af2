// @ts-check
/** One of several answers to a question: its letter, whose it is unless that is hidden, its layers, its text. */
import { AnswerText } from "./answer-text.js";
import { el, setAttribute, setText, show } from "./dom.js";
import { joined, totalFigures } from "./figures.js";
import { icon } from "./icon.js";
import { LayerStack } from "./layers.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */
/** @typedef {import("./types.js").Side} Side */

export class ColumnView {
  /**
   * @param {Side} side
   * @param {{opened: () => void, again: (() => void)|null}} hooks `opened`: texts of its layers are wanted; `again`: it
   *     is to be written again, null: not offered
   */
  constructor(side, { opened, again }) {
    this.again = again;
    this.layers = new LayerStack({ opened, stop: null, hurry: null, retry: null });
    this.answer = new AnswerText(texts.compare.copy(side), false);
    this.name = el("span", { class: "moa-column-name" });
    this.who = el("span", { class: "moa-model" });
    this.figures = el("span", { class: "moa-figures" });
    this.rewrite = el("button", {
      type: "button", class: "moa-button", "aria-label": texts.compare.rewriteOf(side), title: texts.compare.rewriteHint, hidden: true,
      onclick: () => again?.(),
    }, icon("regenerate"), texts.compare.rewrite);
    this.element = el("section", { class: "moa-column", "data-side": side, "aria-label": texts.compare.answer(side) },
      el("header", { class: "moa-column-head" }, el("span", { class: "moa-letter", text: side }),
        el("span", { class: "moa-column-who" }, this.name, this.who), this.answer.status.element),
      this.layers.element, ...this.answer.elements,
      el("footer", { class: "moa-column-foot" }, this.figures,
        el("span", { class: "moa-buttons" }, this.rewrite, this.answer.copy)));
  }

  /**
   * @param {TurnJson} told @param {boolean} hidden whether nobody may know whose answer it is
   * @param {boolean} busy a run is under way in the conversation
   */
  update(told, hidden, busy) {
    const turn = hidden ? veiled(told) : once(told);
    const ended = turn.status !== "running";
    const who = joined([turn.answer?.model ?? "", turn.answer?.label ?? ""]);
    setAttribute(this.element, "data-status", this.answer.update(turn, hidden ? texts.compare.notFinished : undefined));
    setAttribute(this.element, "aria-busy", String(!ended));
    setText(this.name, turn.recipe);
    setText(this.who, who === turn.recipe ? "" : who);
    this.layers.update(turn, busy);
    setText(this.figures, hidden ? "" : totalFigures(turn.totals, ended));
    show(this.rewrite, this.again !== null && ended && !busy && (!hidden || turn.status === "failed"));
  }
}

/**
 * A turn that says once what went wrong: where notice and error hold the same, the longer of them.
 * @param {TurnJson} turn
 * @returns {TurnJson}
 */
function once(turn) {
  const { answer, notice } = turn;
  if (!answer?.error || !notice) return turn;
  if (notice.includes(answer.error)) return { ...turn, answer: { ...answer, error: null } };
  return answer.error.includes(notice) ? { ...turn, notice: null } : turn;
}

/**
 * A turn of which nothing shows but its text and whether it is writing, done or failed.
 * @param {TurnJson} turn
 * @returns {TurnJson}
 */
function veiled(turn) {
  const done = turn.status === "complete" || turn.status === "degraded";
  const status = turn.status === "running" ? "running" : done ? "done" : "failed";
  return {
    ...turn,
    recipe: "",
    status: status === "done" ? "complete" : status,
    layers: [],
    notice: null,
    answer: {
      slot: "", model: "", label: null, status, text: turn.answer?.text ?? "", reasoning: "", seconds: null, tokens: null,
      estimated: false, cost: null, note: null, error: status === "failed" ? texts.compare.unfinished : null,
    },
  };
}
