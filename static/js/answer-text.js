// @ts-check
/** An answer to read: how far it is, the text, what is to be known about it, a button that copies it. */
import { copyButton } from "./copy.js";
import { el, setAttribute, setText, show } from "./dom.js";
import { StatusChip } from "./status.js";
import { texts } from "./texts.js";
import { Writing } from "./writing.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */
/** @typedef {import("./types.js").PanelStatus} PanelStatus */

export class AnswerText {
  /** @param {string} copyName the copy button's accessible name @param {boolean} spoken whether its status is announced */
  constructor(copyName, spoken) {
    /** @type {string} */
    this.text = "";
    this.writing = new Writing();
    this.status = new StatusChip(spoken);
    this.note = el("p", { class: "moa-note", hidden: true });
    this.notice = el("p", { class: "moa-notice", hidden: true });
    this.copy = copyButton(copyName, () => this.text, texts.copy);
  }

  /** What stands between the head and the foot. */
  get elements() {
    return [this.notice, this.note, this.writing.element];
  }

  /** @param {TurnJson} turn @param {string} [failed] said of an answer that failed @returns {PanelStatus} the answer's */
  update(turn, failed) {
    const { answer, notice } = turn;
    const status = answer?.status ?? missing(turn.status);
    this.text = answer?.text ?? "";
    this.status.update(status, status === "failed" ? failed : undefined);
    setText(this.note, answer?.note ?? "");
    show(this.note, !!answer?.note);
    setText(this.notice, notice ?? "");
    setAttribute(this.notice, "data-kind", turn.status);
    show(this.notice, !!notice);
    this.writing.update(answer ?? { text: "", reasoning: "", error: null, status }, emptyText(turn, status));
    show(this.copy, this.text !== "");
    return status;
  }
}

/**
 * The status of an answer that nobody began to write.
 * @param {import("./types.js").TurnStatus} status
 * @returns {PanelStatus}
 */
function missing(status) {
  if (status === "running") return "waiting";
  return status === "failed" ? "failed" : "stopped";
}

/** @param {TurnJson} turn @param {PanelStatus} status */
function emptyText(turn, status) {
  if (status === "waiting") return turn.layers.length > 0 ? texts.waitingForProposals : texts.waitingForModel;
  if (status === "running") return turn.answer?.reasoning ? "" : texts.waitingForModel;
  return status === "done" ? texts.noText : "";
}
