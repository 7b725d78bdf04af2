// @ts-check
/** One proposer's panel: who, how far, what it wrote, and its own buttons. */
import { copyButton } from "./copy.js";
import { el, setAttribute, setText, show } from "./dom.js";
import { joined, panelFigures } from "./figures.js";
import { icon } from "./icon.js";
import { SlotMenu } from "./mending.js";
import { OverlapBar } from "./overlap.js";
import { Follower } from "./scroll.js";
import { StatusChip } from "./status.js";
import { texts } from "./texts.js";
import { voiceOf } from "./voices.js";
import { Writing } from "./writing.js";

/** @typedef {import("./types.js").PanelJson} PanelJson */

let made = 0;

export class PanelView {
  /**
   * @param {PanelJson} panel
   * @param {{touched: () => void, stop: ((slot: string) => void)|null, retry: import("./mending.js").RetrySlot|null}} hooks
   *     `touched`: the reader did something here; null: not offered
   */
  constructor(panel, hooks) {
    this.panel = panel;
    this.hooks = hooks;
    this.writing = new Writing();
    this.status = new StatusChip();
    this.figures = el("span", { class: "moa-figures" });
    this.note = el("p", { class: "moa-note", hidden: true });
    this.body = el("div", { class: "moa-panel-body", id: `moa-panel-${(made += 1)}`, tabindex: "0" }, this.writing.element);
    this.title = el("button", {
      type: "button", class: "moa-panel-title", "aria-expanded": "true", "aria-controls": this.body.id,
      onclick: () => this.fold(!this.element.hasAttribute("data-folded")),
    });
    this.buttons = this.makeButtons();
    this.overlap = new OverlapBar();
    this.element = el("article", { class: "moa-panel", "data-slot": panel.slot, "data-voice": voiceOf(panel.slot) },
      el("header", { class: "moa-panel-head" }, this.title, this.buttons),
      this.overlap.element,
      el("div", { class: "moa-panel-meta" }, this.status.element, this.figures, this.note), this.body);
    this.follower = new Follower(this.body, hooks.touched);
    new ResizeObserver(() => this.follow()).observe(this.writing.element);
  }

  /** Stay with the words that come; a panel that is done is read from wherever it stands. */
  follow() {
    if (this.panel.status === "running") this.follower.keep();
  }

  makeButtons() {
    const { slot } = this.panel;
    this.copy = copyButton("", () => this.panel.text ?? "");
    this.tall = el("button", {
      type: "button", class: "moa-button", "aria-pressed": "false", "aria-label": texts.fullHeight, title: texts.fullHeight,
      onclick: () => this.stretch(),
    }, icon("expand"));
    this.stop = el("button", { type: "button", class: "moa-button", hidden: true, onclick: () => this.hooks.stop?.(slot) },
      icon("stopped"));
    if (this.hooks.retry) this.menu = new SlotMenu(slot, this.hooks.retry);
    return el("span", { class: "moa-buttons" }, this.stop, this.copy, this.tall, this.menu?.element);
  }

  /**
   * @param {PanelJson} panel
   * @param {{ended: boolean, busy: boolean, analysis: boolean}} place how its turn and the conversation are
   */
  update(panel, { ended, busy, analysis }) {
    this.panel = panel;
    setAttribute(this.element, "data-status", panel.status);
    this.name(panel);
    this.status.update(panel.status);
    setText(this.figures, panelFigures(panel));
    setText(this.note, panel.note ?? "");
    show(this.note, !!panel.note);
    this.writing.update(panel, emptyText(panel));
    if (this.copy) show(this.copy, !!panel.text);
    if (this.stop) show(this.stop, this.hooks.stop !== null && panel.status === "running");
    this.menu?.update(joined([panel.model, panel.label]), { offered: ended && panel.status !== "waiting", busy, other: !analysis });
  }

  /** @param {PanelJson} panel */
  name(panel) {
    const who = joined([panel.model, panel.label]);
    if (this.element.getAttribute("aria-label") === who) return;
    setAttribute(this.element, "aria-label", who);
    setAttribute(this.body, "aria-label", who);
    this.title.replaceChildren(icon("chevron"),
      el("span", { class: "moa-who" }, el("span", { class: "moa-persona", text: panel.label ?? panel.model }),
        panel.label ? el("span", { class: "moa-model", text: panel.model }) : null));
    for (const [button, label] of [[this.copy, texts.copyPanel(who)], [this.stop, texts.stopPanel(who)]]) {
      if (!(button instanceof HTMLElement)) continue;
      setAttribute(button, "aria-label", /** @type {string} */ (label));
      setAttribute(button, "title", /** @type {string} */ (label));
    }
  }

  /** Fold or unfold, by hand: it then stays so. @param {boolean} folded */
  fold(folded) {
    this.hooks.touched();
    this.element.toggleAttribute("data-folded", folded);
    setAttribute(this.title, "aria-expanded", String(!folded));
    this.follow();
  }

  stretch() {
    this.hooks.touched();
    const tall = this.element.toggleAttribute("data-tall");
    const label = tall ? texts.lessHeight : texts.fullHeight;
    if (!this.tall) return;
    setAttribute(this.tall, "aria-pressed", String(tall));
    setAttribute(this.tall, "aria-label", label);
    setAttribute(this.tall, "title", label);
  }
}

/** @param {PanelJson} panel */
function emptyText(panel) {
  if (panel.status === "waiting") return texts.waitingForLayer;
  if (panel.status === "running") return panel.reasoning ? "" : texts.waitingForModel;
  if (panel.text === null) return texts.loading;
  return panel.status === "done" ? texts.noText : "";
}
