// @ts-check
/** One turn: the question, the layers, the answer. The same element from its first word to the settled transcript. */
import { AnswerView } from "./answer.js";
import { el, fill, setAttribute, show } from "./dom.js";
import { LayerView } from "./layer.js";
import { loadTurn } from "./loader.js";
import { QuestionView } from "./question.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */
/** @typedef {import("./types.js").PanelJson} PanelJson */

export class TurnView {
  /**
   * @param {string} id
   * @param {((event: string, payload: object) => void)|null} tell null: to read only
   * @param {boolean} stoppable whether running panels carry a stop button
   * @param {import("./footing.js").Footing["take"]} [stepping] told before the page is to step from here
   */
  constructor(id, tell, stoppable, stepping = () => {}) {
    this.id = id;
    this.hooks = {
      opened: () => this.load(),
      stop: stoppable && tell ? (/** @type {string} */ slot) => tell("stop_one", { slot }) : null,
      hurry: tell && (() => tell("answer_now", {})),
      retry: tell && ((/** @type {string} */ slot, /** @type {string|null} */ model) => tell("retry_slot", { turn: id, slot, model })),
    };
    /** As it was sent. @type {TurnJson|null} */
    this.source = null;
    /** As it is shown, with texts known from before. @type {TurnJson|null} */
    this.turn = null;
    /** @type {Map<number, LayerView>} */
    this.layers = new Map();
    this.place = { newest: false, busy: false };
    this.loading = false;
    this.question = new QuestionView(tell && {
      edit: (question) => tell("edit", { turn: id, question }),
      step: (turn, ...where) => {
        stepping({ turn }, ...where);
        tell("show_turn", { turn });
      },
    });
    this.stack = el("div", { class: "moa-layers" });
    this.answer = new AnswerView(id, tell, (run, ...where) => {
      stepping({ turn: id, run }, ...where);
      tell?.("show_run", { turn: id, run });
    }, (overlaps) => this.showOverlaps(overlaps));
    this.leftOut = el("p", { class: "moa-left-out", text: texts.leftOut, hidden: true });
    this.element = el("article", { class: "moa-turn", "data-turn": id, tabindex: "-1" },
      this.leftOut, this.question.element, this.stack, this.answer.element);
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
    if (turn === this.source && newest === this.place.newest && busy === this.place.busy) return;
    this.source = turn;
    this.place = { newest, busy };
    const before = this.turn?.run === turn.run ? this.turn : null;
    if (before === null) this.layers.clear();
    this.turn = withKnownTexts(turn, before);
    setAttribute(this.element, "data-state", turn.status);
    setAttribute(this.element, "aria-label", turn.question.slice(0, 120));
    this.element.toggleAttribute("data-newest", newest);
    this.question.update(turn, busy);
    this.updateLayers(this.turn);
    this.answer.update(this.turn, this.place);
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

  /** @param {TurnJson} turn */
  updateLayers(turn) {
    const views = turn.layers.map((layer) => {
      const view = this.layers.get(layer.number) ?? new LayerView(layer.number, this.hooks);
      this.layers.set(layer.number, view);
      view.update(layer, {
        open: opens(turn, layer), ended: turn.status !== "running", busy: this.place.busy, early: early(turn),
      });
      return view.element;
    });
    fill(this.stack, views);
  }

  /** Fetch the texts that were not sent. Failing is said in the layers, with a button that tries again. */
  async load() {
    if (this.loading || this.turn === null) return;
    this.loading = true;
    const { run } = this.turn;
    try {
      const whole = await loadTurn(this.id);
      if (whole.run === this.turn.run) this.update(whole);
      this.failed(false);
    } catch {
      // whatever stood in the way (network, session, a turn that is gone) reads the same here, and is tried again by hand
      this.failed(true);
    }
    this.loading = false;
    if (this.turn.run !== run && this.turn.layers.some((layer) => this.layers.get(layer.number)?.wantsTexts())) void this.load();
  }

  /** @param {Map<string, number>|null} overlaps of the answer with proposals, by slot; null takes them away */
  showOverlaps(overlaps) {
    for (const { panels } of this.layers.values()) {
      for (const [slot, panel] of panels) panel.overlap.update(overlaps?.get(slot) ?? null);
    }
  }

  /** @param {boolean} failed */
  failed(failed) {
    for (const layer of this.layers.values()) layer.showFailure(failed);
  }
}

/**
 * A layer is open while it writes, and until the answer has words. A run that ended without an answer stays open
 * where its texts are here.
 * @param {TurnJson} turn @param {import("./types.js").LayerJson} layer
 */
function opens(turn, layer) {
  const begun = layer.panels.some((panel) => panel.status !== "waiting");
  const here = layer.panels.every((panel) => panel.text !== null);
  const answered = !!turn.answer && (turn.answer.text !== "" || turn.answer.reasoning !== "");
  return begun && here && !answered && (turn.status === "running" || turn.status === "failed");
}

/** Whether nothing of the answer is begun. @param {TurnJson} turn */
function early(turn) {
  return turn.status === "running" && (turn.answer === null || turn.answer.status === "waiting");
}

/**
 * The turn with the texts that the page has already and this value leaves out.
 * @param {TurnJson} turn @param {TurnJson|null} before the same run as it was shown
 * @returns {TurnJson}
 */
function withKnownTexts(turn, before) {
  if (before === null) return turn;
  const known = new Map(before.layers.flatMap((layer) => layer.panels).map((panel) => [panel.slot, panel]));
  const fill = (/** @type {PanelJson} */ panel) => {
    const old = known.get(panel.slot);
    return panel.text === null && old?.text != null ? { ...panel, text: old.text, reasoning: panel.reasoning || old.reasoning } : panel;
  };
  return { ...turn, layers: turn.layers.map((layer) => ({ ...layer, panels: layer.panels.map(fill) })) };
}
