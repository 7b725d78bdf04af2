// @ts-check
/** Panels that were asked together, under a title that says how it went when folded. */
import { el, fill, setAttribute, setText, show } from "./dom.js";
import { joined, seconds } from "./figures.js";
import { icon } from "./icon.js";
import { PanelView } from "./panel.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").LayerJson} LayerJson */

export class LayerView {
  /**
   * @param {number} number
   * @param {object} hooks null: not offered
   * @param {() => void} hooks.opened its texts are wanted
   * @param {((slot: string) => void)|null} hooks.stop
   * @param {import("./mending.js").RetrySlot|null} hooks.retry
   * @param {(() => void)|null} hooks.hurry the answer is to be written from what is done
   */
  constructor(number, hooks) {
    this.hooks = hooks;
    /** What the reader chose, which no update overrules. @type {boolean|null} */
    this.chosen = null;
    /** @type {Map<string, PanelView>} */
    this.panels = new Map();
    this.name = el("span", { class: "moa-layer-name" });
    this.figures = el("span", { class: "moa-layer-figures" });
    this.dots = el("span", { class: "moa-dots", "aria-hidden": "true" });
    const summary = el("summary", { onclick: () => { this.chosen = !this.details.open; } },
      icon("chevron"), this.name, this.figures, this.dots);
    this.grid = el("div", { class: "moa-panels" });
    this.failure = el("p", { class: "moa-error", hidden: true }, texts.loadFailed, " ",
      el("button", { type: "button", class: "moa-link", text: texts.tryAgain, onclick: () => hooks.opened() }));
    this.details = el("details", { class: "moa-layer", "data-layer": number }, summary, this.failure, this.grid);
    this.details.addEventListener("toggle", () => this.toggled());
    this.hurry = el("button", {
      type: "button", class: "moa-button moa-hurry", title: texts.answerNowHint, hidden: true, onclick: () => hooks.hurry?.(),
    }, icon("hurry"), texts.answerNow);
    this.element = el("div", { class: "moa-layer-place" }, this.details, this.hurry);
  }

  /**
   * @param {LayerJson} layer
   * @param {{open: boolean, ended: boolean, busy: boolean, early: boolean}} state `open`: unless the reader chose
   *     otherwise; `ended`: its turn; `busy`: a run is under way; `early`: the answer is not begun yet
   */
  update(layer, { open, ended, busy, early }) {
    this.layer = layer;
    const analysis = layer.kind === "analysis";
    const views = layer.panels.map((panel) => {
      const view = this.panel(panel);
      view.update(panel, { ended, busy, analysis });
      return view;
    });
    fill(this.grid, views.map((view) => view.element));
    setAttribute(this.grid, "data-count", String(views.length));
    this.describe(layer);
    const wanted = this.chosen ?? open;
    if (this.details.open !== wanted) this.details.open = wanted;
    const all = layer.panels.map(({ status }) => status);
    show(this.hurry, this.hooks.hurry !== null && !analysis && early && all.includes("done") && all.includes("running"));
  }

  /** @param {import("./types.js").PanelJson} panel */
  panel(panel) {
    const there = this.panels.get(panel.slot);
    if (there) return there;
    const { stop, retry } = this.hooks;
    const view = new PanelView(panel, { touched: () => { this.chosen = this.details.open; }, stop, retry });
    this.panels.set(panel.slot, view);
    return view;
  }

  /** @param {LayerJson} layer */
  describe(layer) {
    const { panels, number, kind } = layer;
    const of = panels.length;
    const done = panels.filter((panel) => panel.status === "done").length;
    const failed = panels.filter((panel) => panel.status === "failed" || panel.status === "stopped").length;
    const busy = panels.some((panel) => panel.status === "running");
    const slowest = panels.reduce((most, panel) => Math.max(most, panel.seconds ?? -1), -1);
    setText(this.name, kind === "analysis" ? texts.analysis : joined([texts.layer(number), texts.proposers(of)]));
    const figures = joined([slowest < 0 ? null : seconds(slowest), busy && of > 1 ? texts.doneOf(done, of) : null,
      failed > 0 ? texts.failed(failed) : null]);
    setText(this.figures, figures && ` · ${figures}`);
    const kinds = panels.map((panel) => panel.status).join(" ");
    if (this.dots.dataset.kinds === kinds) return;
    this.dots.dataset.kinds = kinds;
    this.dots.replaceChildren(...panels.map((panel) => el("span", { "data-kind": panel.status })));
  }

  toggled() {
    if (!this.details.open) return;
    for (const panel of this.panels.values()) panel.follow();
    if (this.layer?.panels.some((panel) => panel.text === null)) this.hooks.opened();
  }

  /** Whether it is open and its texts are not here. */
  wantsTexts() {
    return this.details.open && !!this.layer?.panels.some((panel) => panel.text === null);
  }

  /** @param {boolean} failed */
  showFailure(failed) {
    show(this.failure, failed);
  }
}
