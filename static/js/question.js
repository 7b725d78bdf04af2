// @ts-check
/** A turn's question: to read, to step between its versions, and to ask in other words in its place. */
import { el, setText, show } from "./dom.js";
import { icon } from "./icon.js";
import { Stepper } from "./stepper.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */

/** What browsers report for a key that an input method is using. */
const IME_KEY_CODE = 229;

export class QuestionView {
  /**
   * @param {{edit: (question: string) => void, step: import("./stepper.js").Stepper["step"]}|null} hooks
   *     null: to read only
   */
  constructor(hooks) {
    this.hooks = hooks;
    this.busy = false;
    this.question = el("div", { class: "moa-question", dir: "auto" });
    this.pencil = el("button", {
      type: "button", class: "moa-button moa-seldom moa-edit", "aria-label": texts.editQuestion, title: texts.editQuestion,
      hidden: true, onclick: () => this.open(),
    }, icon("pencil"));
    this.stepper = new Stepper(
      { all: texts.versions, earlier: texts.earlierVersion, later: texts.laterVersion, at: texts.versionOf },
      (...step) => hooks?.step(...step),
    );
    this.line = el("div", { class: "moa-asked-line" }, this.pencil, this.question);
    /** There while the question is edited. @type {HTMLFormElement|null} */
    this.form = null;
    this.element = el("div", { class: "moa-asked" }, el("span", { class: "moa-offscreen", text: texts.you }), this.line,
      this.stepper.element);
  }

  /** An open draft stays as it is. @param {TurnJson} turn @param {boolean} busy a run is under way in the conversation */
  update(turn, busy) {
    this.busy = busy;
    setText(this.question, turn.question);
    show(this.pencil, this.hooks !== null && turn.status !== "running");
    this.pencil.disabled = busy;
    this.stepper.update(turn.siblings, turn.id, this.hooks !== null);
    this.allow();
  }

  open() {
    this.area = el("textarea", {
      class: "moa-input moa-draft", rows: "1", dir: "auto", "aria-label": texts.editQuestion, oninput: () => this.written(),
      onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
    });
    this.area.value = this.question.textContent ?? "";
    this.send = el("button", { type: "submit", class: "moa-button moa-strong", text: texts.askAgain });
    this.form = el("form", { class: "moa-editing", onsubmit: (/** @type {Event} */ event) => this.submit(event) }, this.area,
      el("p", { class: "moa-quiet", text: texts.editHint }),
      el("span", { class: "moa-buttons" },
        el("button", { type: "button", class: "moa-button", text: texts.cancel, onclick: () => this.close() }), this.send));
    this.line.replaceWith(this.form);
    this.written();
    this.area.focus({ preventScroll: true });
  }

  close() {
    this.form?.replaceWith(this.line);
    this.form = null;
    this.pencil.focus({ preventScroll: true });
  }

  /** As high as its text, and sent only where there is one. */
  written() {
    if (!this.area) return;
    this.area.style.height = "auto";
    this.area.style.height = `${this.area.scrollHeight + this.area.offsetHeight - this.area.clientHeight}px`;
    this.allow();
  }

  allow() {
    if (this.send && this.area) this.send.disabled = this.busy || this.area.value.trim() === "";
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing || event.keyCode === IME_KEY_CODE) return;
    if (event.key === "Escape") this.close();
    else if (event.key === "Enter" && !event.shiftKey && !event.altKey) this.form?.requestSubmit();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The form stays until the page shows the new turn in this one's place: refused, no word is lost. @param {Event} event */
  submit(event) {
    event.preventDefault();
    const question = this.area?.value.trim() ?? "";
    if (question !== "" && !this.busy) this.hooks?.edit(question);
  }
}
