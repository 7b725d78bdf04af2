// @ts-check
/** Several answers to one question, side by side, and what the user thinks of them. */
import { forkButton } from "./answer.js";
import { ColumnView } from "./column.js";
import { el, fill, setAttribute, setText, show } from "./dom.js";
import { totalFigures } from "./figures.js";
import { JudgeView } from "./judge.js";
import { JumpBar } from "./jumps.js";
import { Mending } from "./mending.js";
import { TagsView } from "./tags.js";
import { texts } from "./texts.js";
import { VoteBar } from "./vote.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */
/** @typedef {import("./types.js").ComparisonJson} ComparisonJson */
/** @typedef {import("./types.js").Side} Side */

/** Relative to this module, so that an app that is served below a path of its own is found too. */
const RESULTS = new URL("../../results", import.meta.url).href;

export class CompareView {
  /**
   * @param {string} id the turn's
   * @param {((event: string, payload: object) => void)|null} tell null: to read only
   * @param {() => void} opened texts of layers are wanted
   */
  constructor(id, tell, opened) {
    this.id = id;
    this.tell = tell;
    this.opened = opened;
    /** @type {Map<Side, ColumnView>} */
    this.columns = new Map();
    this.notice = el("p", { class: "moa-notice", hidden: true });
    this.row = el("div", { class: "moa-columns" });
    this.jumps = new JumpBar(this.row);
    /** The choice that was shown last. */
    this.voted = "";
    this.vote = new VoteBar((choice) => tell?.("vote", { turn: id, choice }));
    this.tags = new TagsView((tags) => tell?.("tag", { turn: id, tags }));
    this.after = el("div", { class: "moa-voted", hidden: true }, this.tags.element,
      el("a", { class: "moa-link", href: RESULTS, text: texts.compare.results }));
    this.judge = new JudgeView(id);
    this.totals = el("span", { class: "moa-figures" });
    this.fork = forkButton(() => tell?.("fork", { turn: id }));
    this.mending = new Mending(id, tell ?? (() => {}));
    this.element = el("div", { class: "moa-compare" }, this.notice,
      el("div", { class: "moa-answers" }, this.jumps.element, this.row),
      ...(tell === null ? [] : [this.vote.element, this.after, this.judge.element]),
      el("footer", { class: "moa-compare-foot" }, this.totals,
        el("span", { class: "moa-buttons" }, this.fork, this.mending.mend)));
  }

  /**
   * @param {TurnJson} turn @param {ComparisonJson} comparison the turn's
   * @param {{newest: boolean, busy: boolean}} place whether it is the last turn, and whether a run is under way
   */
  update(turn, comparison, { newest, busy }) {
    const { hidden, columns, vote, tags } = comparison;
    const top = this.heldAt(comparison);
    const ended = turn.status !== "running";
    setAttribute(this.element, "data-count", String(columns.length));
    const views = columns.map(({ side, turn: told }) => {
      const view = this.column(side);
      view.update(told, hidden, busy);
      view.element.toggleAttribute("data-chosen", vote?.choice === side && !vote.stale);
      return view;
    });
    fill(this.row, views.map((view) => view.element));
    this.jumps.update(views);
    const notice = hidden ? null : turn.notice;
    setText(this.notice, notice ?? "");
    setAttribute(this.notice, "data-kind", turn.status);
    show(this.notice, !!notice);
    setText(this.totals, hidden ? "" : texts.compare.together(totalFigures(turn.totals, ended)));
    this.vote.update(comparison);
    this.tags.update(tags);
    show(this.after, vote !== null);
    if (this.tell === null) return;
    this.judge.update(comparison);
    show(this.fork, ended && !newest && !hidden && columns.some((column) => column.turn.answer?.text));
    this.fork.disabled = busy;
    this.mending.update(turn, "", busy);
    if (top !== null) moved(this.vote.element, this.vote.element.getBoundingClientRect().top - top);
  }

  /** Where the vote bar is in the window, if a vote just came; else null. @param {ComparisonJson} comparison */
  heldAt({ vote }) {
    const voted = vote === null ? "" : vote.choice;
    const came = voted !== this.voted && voted !== "" && this.vote.element.isConnected;
    this.voted = voted;
    const { top, bottom } = this.vote.element.getBoundingClientRect();
    return came && bottom > 0 && top < innerHeight ? top : null;
  }

  /** @param {Side} side */
  column(side) {
    const { tell, id, opened } = this;
    const view = this.columns.get(side) ?? new ColumnView(side, { opened, again: tell && (() => tell("regenerate_column", { turn: id, side })) });
    this.columns.set(side, view);
    return view;
  }

  stacks() {
    return [...this.columns.values()].map((view) => view.layers);
  }
}

/** Have the page scroll along with what moved under the reader's hand. @param {Element} element @param {number} by CSS pixels */
function moved(element, by) {
  if (by !== 0) element.dispatchEvent(new CustomEvent("moa-moved", { bubbles: true, detail: by }));
}
