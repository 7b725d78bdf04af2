// @ts-check
/** What one model wrote: its thinking, folded, then its text. Shared by panels and the answer. */
import { el, setText, show } from "./dom.js";
import { MarkdownView } from "./markdown.js";
import { texts } from "./texts.js";

/** Thinking longer than this is shown from its end. Characters. */
const THINKING_CHARS = 20_000;

export class Writing {
  constructor() {
    this.markdown = new MarkdownView();
    this.thought = el("div", { class: "moa-thought", dir: "auto", tabindex: "0" });
    this.thinking = el("details", { class: "moa-thinking", hidden: true }, el("summary", { text: texts.thinking }), this.thought);
    this.empty = el("p", { class: "moa-quiet", hidden: true });
    this.error = el("p", { class: "moa-error", hidden: true });
    this.element = el("div", { class: "moa-writing" }, this.thinking, this.markdown.element, this.empty, this.error);
  }

  /**
   * @param {{text: string|null, reasoning: string, error: string|null, status: string}} panel
   * @param {string} empty said when there is nothing to read
   */
  update(panel, empty) {
    const running = panel.status === "running";
    this.markdown.update(panel.text ?? "", running);
    setText(this.thought, panel.reasoning.slice(-THINKING_CHARS));
    show(this.thinking, panel.reasoning !== "");
    this.thinking.toggleAttribute("data-busy", running && panel.text === "");
    setText(this.error, panel.error ?? "");
    show(this.error, panel.error !== null);
    setText(this.empty, empty);
    show(this.empty, !panel.text && panel.error === null && empty !== "");
    this.empty.toggleAttribute("data-busy", running);
  }
}
