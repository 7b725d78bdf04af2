// @ts-check
/** The layers of one run, above its answer. Texts that a value leaves out and that were here before stay. */
import { el, fill } from "./dom.js";
import { LayerView } from "./layer.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */
/** @typedef {import("./types.js").LayerJson} LayerJson */
/** @typedef {import("./types.js").PanelJson} PanelJson */

export class LayerStack {
  /** @param {ConstructorParameters<typeof LayerView>[1]} hooks */
  constructor(hooks) {
    this.hooks = hooks;
    /** Whose layers are shown. @type {string|null} */
    this.run = null;
    /** As they are shown. @type {LayerJson[]} */
    this.shown = [];
    /** @type {Map<number, LayerView>} by number */
    this.views = new Map();
    this.element = el("div", { class: "moa-layers" });
  }

  /** Another run starts its layers anew. @param {TurnJson} turn @param {boolean} busy a run is under way in the conversation */
  update(turn, busy) {
    if (this.run !== turn.run) {
      this.views.clear();
      this.shown = [];
    }
    this.run = turn.run;
    this.shown = withKnownTexts(turn.layers, this.shown);
    fill(this.element, this.shown.map((layer) => {
      const view = this.views.get(layer.number) ?? new LayerView(layer.number, this.hooks);
      this.views.set(layer.number, view);
      view.update(layer, { open: opens(turn, layer), ended: turn.status !== "running", busy, early: early(turn) });
      return view.element;
    }));
  }

  /** Whether a layer is open and its texts are not here. */
  wantsTexts() {
    return this.shown.some(({ number }) => this.views.get(number)?.wantsTexts());
  }

  /** @param {Map<string, number>|null} overlaps of the answer with proposals, by slot; null takes them away */
  showOverlaps(overlaps) {
    for (const { panels } of this.views.values()) {
      for (const [slot, panel] of panels) panel.overlap.update(overlaps?.get(slot) ?? null);
    }
  }

  /** @param {boolean} failed whether texts could not be loaded */
  showFailure(failed) {
    for (const layer of this.views.values()) layer.showFailure(failed);
  }
}

/**
 * A layer is open while it writes, and until the answer has words. A run that ended without an answer stays open
 * where its texts are here.
 * @param {TurnJson} turn @param {LayerJson} layer
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
 * Layers with the texts that the page has already and this value leaves out.
 * @param {LayerJson[]} layers @param {LayerJson[]} before those of the same run as they were shown
 * @returns {LayerJson[]}
 */
function withKnownTexts(layers, before) {
  const known = new Map(before.flatMap((layer) => layer.panels).map((panel) => [panel.slot, panel]));
  const filled = (/** @type {PanelJson} */ panel) => {
    const old = known.get(panel.slot);
    return panel.text === null && old?.text != null ? { ...panel, text: old.text, reasoning: panel.reasoning || old.reasoning } : panel;
  };
  return layers.map((layer) => ({ ...layer, panels: layer.panels.map(filled) }));
}
