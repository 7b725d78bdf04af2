// @ts-check
/**
 * One turn: the question, then the layers and the answer, or several answers side by side. The same element from its
 * first word to the settled transcript.
 */
import { AnswerView } from "./answer.js";
import { CompareView } from "./compare.js";
import { el, fill, setAttribute, show } from "./dom.js";
import { LayerStack } from "./layers.js";
import { loadTurn } from "./loader.js";
import { QuestionView } from "./question.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */

export class TurnView {
  /**
   * @param {string} id
   * @param {((event: string, payload: object) => void)|null} tell null: to read only
   * @param {boolean} stoppable whether running panels carry a stop button
   * @param {import("./footing.js").Footing["take"]} [stepping] told before the page is to step from here
   */
  constructor(id, tell, stoppable, stepping = () => {}) {
    this.id = id;
    this.tell = tell;
    /** As it was sent. @type {TurnJson|null} */
    this.turn = null;
    this.place = { newest: false, busy: false };
    this.loading = false;
    this.question = new QuestionView(tell && {
      edit: (question) => tell("edit", { turn: id, question }),
      step: (turn, ...where) => {
        stepping({ turn }, ...where);
        tell("show_turn", { turn });
      },
    });
    this.layers = new LayerStack({
      opened: () => this.load(),
      stop: stoppable && tell ? (slot) => tell("stop_one", { slot }) : null,
      hurry: tell && (() => tell("answer_now", {})),
      retry: tell && ((slot, model) => tell("retry_slot", { turn: id, slot, model })),
    });
    this.answer = new AnswerView(id, tell, (run, ...where) => {
      stepping({ turn: id, run }, ...where);
      tell?.("show_run", { turn: id, run });
    }, (overlaps) => this.layers.showOverlaps(overlaps));
    /** Made when the turn is one of several answers. @type {CompareView|null} */
    this.compare = null;
    this.leftOut = el("p", { class: "moa-left-out", text: texts.leftOut, hidden: true });
    this.element = el("article", { class: "moa-turn", "data-turn": id, tabindex: "-1" });
    this.element.addEventListener("animationend", (event) => { if (event.animationName === "moa-found") this.unmark(); });
    this.element.addEventListener("blur", () => this.unmark());
  }

  /**
   * @param {TurnJson} turn
   * @param {{newest: boolean, busy: boolean}} [place] whether it is the conversation's last one, and whether a run is
   *     under way there
   */
  update(turn, place = this.place) {
    const { newest, busy } = place;
    if (turn === this.turn && newest === this.place.newest && busy === this.place.busy) return;
    this.turn = turn;
    this.place = { newest, busy };
    setAttribute(this.element, "data-state", turn.status);
    setAttribute(this.element, "aria-label", turn.question.slice(0, 120));
    this.element.toggleAttribute("data-newest", newest);
    this.question.update(turn, busy);
    fill(this.element, [this.leftOut, this.question.element, ...this.answered(turn)]);
  }

  /** What stands below the question, in its newest state. @param {TurnJson} turn */
  answered(turn) {
    if (!turn.comparison) {
      this.layers.update(turn, this.place.busy);
      this.answer.update(turn, this.place);
      return [this.layers.element, this.answer.element];
    }
    this.compare ??= new CompareView(this.id, this.tell, () => this.load());
    this.compare.update(turn, turn.comparison, this.place);
    return [this.compare.element];
  }

  /** Whether the next question leaves this turn out; the first of those says so. @param {"first"|"rest"|null} which */
  setLeftOut(which) {
    this.element.toggleAttribute("data-after-fork", which !== null);
    show(this.leftOut, which === "first");
  }

  /** Show that this is the turn that was looked for; until the reader has seen it, or goes elsewhere. */
  mark() {
    this.element.toggleAttribute("data-found", true);
    this.element.focus({ preventScroll: true });
  }

  unmark() {
    this.element.toggleAttribute("data-found", false);
  }

  /** Fetch the texts that were not sent. Failing is said in the layers, with a button that tries again. */
  async load() {
    if (this.loading || this.turn === null) return;
    this.loading = true;
    const runs = runsOf(this.turn);
    try {
      const whole = await loadTurn(this.id);
      if (runsOf(whole) === runsOf(this.turn)) this.update(withTextsOf(this.turn, whole));
      this.failed(false);
    } catch {
      // whatever stood in the way (network, session, a turn that is gone) reads the same here, and is tried again by hand
      this.failed(true);
    }
    this.loading = false;
    if (runsOf(this.turn) !== runs && this.stacks().some((stack) => stack.wantsTexts())) void this.load();
  }

  /** @param {boolean} failed */
  failed(failed) {
    for (const stack of this.stacks()) stack.showFailure(failed);
  }

  stacks() {
    return this.turn?.comparison ? (this.compare?.stacks() ?? []) : [this.layers];
  }
}

/** What a turn shows: its run, or those of its columns. @param {TurnJson} turn */
function runsOf({ run, comparison }) {
  return [run, ...(comparison?.columns ?? []).map((column) => column.turn.run)].join(" ");
}

/**
 * A turn with the layers of the same one as the server tells them; what else it tells may be older than what is shown.
 * @param {TurnJson} turn @param {TurnJson} whole
 * @returns {TurnJson}
 */
function withTextsOf(turn, whole) {
  const { comparison } = turn;
  return { ...turn, layers: whole.layers, comparison: comparison && { ...comparison, columns: whole.comparison?.columns ?? [] } };
}
