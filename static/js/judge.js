// @ts-check
/** A model's opinion of a comparison, asked for by the user: which model, what it preferred in each order, and why. */
import { asked, wordsOf } from "./conversations.js";
import { el, fill, setText, show } from "./dom.js";
import { joined } from "./figures.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";
import { judgeTexts } from "./texts-judge.js";

/** @typedef {import("./types.js").ComparisonJson} ComparisonJson */
/**
 * What `moa/api/judge.py` tells.
 * @typedef {{id: string, label: string}} JudgeModel
 * @typedef {{order: string[], choice: string|null, reason: string}} Reading of one order, in the page's letters
 * @typedef {{judge: string, label: string, verdict: string|null, agreed: boolean, biased: "first"|"last"|null,
 *   readings: Reading[], seconds: number, cost: string|null, cut: number, stale: boolean}} Judgement
 */

export class JudgeView {
  /** @param {string} turnId */
  constructor(turnId) {
    this.path = `turns/${encodeURIComponent(turnId)}/judge`;
    /** The runs that are shown, and those that were shown when the judgements were loaded. */
    this.runs = "";
    this.loaded = "";
    this.waits = false;
    /** An answer is being written: the judge waits for it. */
    this.early = false;
    this.select = el("select", { class: "moa-input", "aria-label": judgeTexts.model, hidden: true });
    this.button = el("button", { type: "button", class: "moa-button moa-strong", text: judgeTexts.judge, onclick: () => this.judge() });
    this.says = el("p", { class: "moa-quiet moa-judge-says", role: "status", hidden: true });
    this.list = el("div", { class: "moa-judge-list" });
    this.element = el("details", { class: "moa-judge", hidden: true }, el("summary", {}, icon("chevron"), judgeTexts.ask),
      el("div", { class: "moa-judge-body" }, el("p", { class: "moa-quiet", text: judgeTexts.about }),
        el("div", { class: "moa-judge-ask" }, this.select, this.button), this.says, this.list));
    this.element.addEventListener("toggle", () => {
      if (!this.element.open) return;
      // what opens below is to be read from its beginning: the page must not follow it to its end
      this.element.dispatchEvent(new CustomEvent("moa-stay", { bubbles: true }));
      this.refresh();
    });
  }

  /** @param {ComparisonJson} comparison */
  update({ hidden, votable, columns }) {
    this.runs = columns.map(({ turn }) => turn.run).join();
    this.early = !votable;
    this.button.disabled = this.waits || this.early;
    // what is open stays so while an answer is written again
    show(this.element, !hidden && (votable || this.element.open));
    if (this.element.open && !this.element.hidden) this.refresh();
  }

  /** Load what was said, once for the answers that are shown. */
  async refresh() {
    if (this.waits || this.early || this.loaded === this.runs) return;
    await this.wait(texts.loading, async () => {
      const { runs } = this;
      const { models, judgements } = await asked("GET", this.path);
      this.loaded = runs;
      this.offer(models);
      this.draw(judgements);
    });
  }

  async judge() {
    if (this.loaded === "") return void this.refresh();
    await this.wait(judgeTexts.pending, async () => {
      // a model may think for minutes: only the server knows when it has given up
      await asked("POST", this.path, { body: JSON.stringify({ model: this.select.value }), lost_ms: null });
      this.draw((await asked("GET", this.path)).judgements);
    });
  }

  /** Do one thing at a time, and say what came in its way. @param {string} meanwhile @param {() => Promise<void>} job */
  async wait(meanwhile, job) {
    if (this.waits) return;
    this.waits = true;
    this.button.disabled = true;
    this.say(meanwhile);
    let words = "";
    try {
      await job();
    } catch (error) {
      words = wordsOf(error);
    }
    this.waits = false;
    this.button.disabled = this.early;
    if (words === "" && this.select.options.length === 0) words = judgeTexts.none;
    this.say(words);
  }

  /** @param {string} words */
  say(words) {
    setText(this.says, words);
    show(this.says, words !== "");
  }

  /** @param {JudgeModel[]} models */
  offer(models) {
    const picked = this.select.value;
    this.select.replaceChildren(...models.map(({ id, label }) => el("option", { value: id, text: label })));
    if (models.some(({ id }) => id === picked)) this.select.value = picked;
    show(this.select, models.length > 0);
    show(this.button, models.length > 0);
  }

  /** @param {Judgement[]} judgements */
  draw(judgements) {
    fill(this.list, judgements.map(drawn));
  }
}

/** @param {Judgement} said */
function drawn(said) {
  const figures = joined([texts.seconds(said.seconds), said.cost]);
  const notes = [said.stale ? judgeTexts.stale : "", said.cut > 0 ? judgeTexts.cut(said.cut) : ""].filter(Boolean);
  return el("article", { class: "moa-judgement", "data-stale": said.stale, "aria-label": said.label },
    el("p", {}, el("strong", { dir: "auto", text: said.label }), " ", judgeTexts.verdict(said), " ",
      el("span", { class: "moa-figures", text: figures })),
    ...notes.map((text) => el("p", { class: "moa-quiet", text })),
    ...said.readings.map(({ order, choice, reason }) => el("details", {},
      el("summary", {}, icon("chevron"), judgeTexts.reading(order, choice)),
      el("p", { class: "moa-judge-reason", dir: "auto", text: reason || judgeTexts.noReason }))));
}
