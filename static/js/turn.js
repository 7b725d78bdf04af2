// @ts-check
/** One turn: the question, the layers, the answer. The same element from its first word to the settled transcript. */
import { AnswerView } from "./answer.js";
import { el, fill, setAttribute, setText } from "./dom.js";
import { LayerView } from "./layer.js";
import { loadTurn } from "./loader.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */
/** @typedef {import("./types.js").PanelJson} PanelJson */

export class TurnView {
  /**
   * @param {string} id
   * @param {(event: string, payload: object) => void} tell
   * @param {boolean} stoppable whether running panels carry a stop button
   */
  constructor(id, tell, stoppable) {
    this.id = id;
    this.stop = stoppable ? (/** @type {string} */ slot) => tell("stop_one", { slot }) : null;
    /** As it was sent. @type {TurnJson|null} */
    this.source = null;
    /** As it is shown, with texts known from before. @type {TurnJson|null} */
    this.turn = null;
    /** @type {Map<number, LayerView>} */
    this.layers = new Map();
    this.newest = false;
    this.loading = false;
    this.question = el("div", { class: "moa-question", dir: "auto" });
    this.stack = el("div", { class: "moa-layers" });
    this.answer = new AnswerView({
      regenerate: () => tell("regenerate", { turn: id }),
      retry: () => tell("retry", { turn: id }),
    });
    this.element = el("article", { class: "moa-turn", "data-turn": id },
      el("div", { class: "moa-asked" }, el("span", { class: "moa-offscreen", text: texts.you }), this.question),
      this.stack, this.answer.element);
  }

  /** @param {TurnJson} turn @param {boolean} newest */
  update(turn, newest) {
    if (turn === this.source && newest === this.newest) return;
    this.source = turn;
    const before = this.turn?.run === turn.run ? this.turn : null;
    if (before === null) this.layers.clear();
    this.turn = withKnownTexts(turn, before);
    this.newest = newest;
    setAttribute(this.element, "data-state", turn.status);
    setAttribute(this.element, "aria-label", turn.question.slice(0, 120));
    setText(this.question, turn.question);
    this.updateLayers(this.turn);
    this.answer.update(this.turn, newest);
  }

  /** @param {TurnJson} turn */
  updateLayers(turn) {
    const views = turn.layers.map((layer) => {
      const view = this.layers.get(layer.number) ?? new LayerView(layer.number, { opened: () => this.load(), stop: this.stop });
      this.layers.set(layer.number, view);
      view.update(layer, opens(turn, layer));
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
      if (this.turn.run === run) this.update(whole, this.newest);
      this.failed(false);
    } catch {
      // whatever stood in the way (network, session, a turn that is gone) reads the same here, and is tried again by hand
      this.failed(true);
    }
    this.loading = false;
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
