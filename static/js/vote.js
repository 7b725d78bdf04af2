// @ts-check
/** Which of several answers is better: a button for each, for a tie and for none; then, whose they were. */
import { el, fill, setAttribute, setText, show } from "./dom.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").ComparisonJson} ComparisonJson */
/** @typedef {import("./types.js").VoteJson["choice"]} Choice */

/** The key of each choice, besides the letters of the answers. @type {Record<string, Choice>} */
const KEYS = { a: "A", b: "B", c: "C", d: "D", t: "tie", x: "bad" };

export class VoteBar {
  /** @param {(choice: Choice) => void} vote */
  constructor(vote) {
    this.vote = vote;
    /** @type {Map<Choice, HTMLButtonElement>} */
    this.buttons = new Map();
    this.says = el("p", { class: "moa-vote-says", role: "status" });
    this.group = el("div", { class: "moa-vote-buttons", role: "group", "aria-label": texts.compare.ask });
    this.keys = el("p", { class: "moa-vote-keys moa-quiet" });
    this.element = el("section", { class: "moa-vote", "aria-label": texts.compare.vote }, this.says, this.group, this.keys);
  }

  /** @param {ComparisonJson} comparison */
  update({ hidden, votable, columns, vote }) {
    const sides = columns.map(({ side }) => side);
    const holds = vote !== null && !vote.stale;
    const open = votable && !holds;
    const choices = /** @type {Choice[]} */ ([...sides, "tie", "bad"]);
    fill(this.group, choices.map((choice) => {
      const button = this.button(choice, sides.length);
      button.disabled = !votable;
      setAttribute(button, "aria-pressed", String(holds && vote.choice === choice));
      return button;
    }));
    // votes by key go to those who wait for one, see `attachVoteKeys`
    this.element.toggleAttribute("data-open", open);
    setText(this.keys, texts.compare.keys(sides));
    show(this.keys, open);
    const names = columns.map(({ side, turn }) => ({ side, name: turn.recipe }));
    if (!votable) setText(this.says, texts.compare.wait);
    else if (vote === null) setText(this.says, texts.compare.ask);
    else if (vote.stale) setText(this.says, texts.compare.stale);
    else setText(this.says, hidden ? texts.compare.chose(vote.choice, sides.length) : texts.compare.was(vote.choice, names));
  }

  /** @param {Choice} choice @param {number} count how many answers there are */
  button(choice, count) {
    const button = this.buttons.get(choice) ?? el("button", {
      type: "button", class: "moa-button moa-choose", "data-choice": choice, text: texts.compare.choice(choice, count),
      onclick: () => this.vote(choice),
    });
    this.buttons.set(choice, button);
    return button;
  }
}

/** Let keys vote on the newest comparison in sight that waits for it, while nothing else has the keys. */
export function attachVoteKeys() {
  document.addEventListener("keydown", (event) => {
    const pressed = event.key?.toLowerCase() ?? ""; // filling a form in by itself, a browser tells of keys without a name
    const choice = event.repeat || event.isComposing || event.defaultPrevented ? undefined : KEYS[pressed];
    if (choice === undefined || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey || isTaken(event.target)) return;
    const waiting = [...document.querySelectorAll(".moa-vote[data-open]")].filter((bar) => isVotedFrom(bar, event.target));
    const button = waiting.at(-1)?.querySelector(`[data-choice="${choice}"]`);
    if (!(button instanceof HTMLButtonElement)) return;
    event.preventDefault();
    button.click();
  });
}

/** Whether a key is somebody else's: it is written, or something is open above the page. @param {EventTarget|null} target */
function isTaken(target) {
  const writes = target instanceof Element && target.closest("input, textarea, select, [contenteditable]:not([contenteditable='false'])");
  return !!writes || document.querySelector("dialog[open], :popover-open") !== null;
}

/** Whether a turn's comparison is in sight, and the focus in that turn or nowhere. @param {Element} bar @param {EventTarget|null} target */
function isVotedFrom(bar, target) {
  const turn = bar.closest(".moa-turn");
  const place = bar.closest(".moa-compare")?.getBoundingClientRect();
  if (!turn || !place || place.bottom <= 0 || place.top >= innerHeight) return false;
  return target === document.body || target === document.documentElement || (target instanceof Node && turn.contains(target));
}
