// @ts-check
/** Keeping to the bottom of something that grows, only while the reader is there. */
import { el } from "./dom.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";

/** Closer to the bottom than this counts as being there. CSS pixels. */
const NEAR_PX = 32;
/** The button is worth showing when this much is out of sight. CSS pixels. */
const FAR_PX = 160;

/** Follows one scrolling element. Leaving is noticed at once, by wheel, finger, key or scrollbar. */
export class Follower {
  /** @param {Element} scroller @param {() => void} [left] told when the reader moves in it */
  constructor(scroller, left = () => {}) {
    this.scroller = scroller;
    this.following = true;
    this.height = 0;
    const target = scroller === document.scrollingElement ? window : scroller;
    target.addEventListener("scroll", () => this.noticed(), { passive: true });
    target.addEventListener("wheel", (event) => {
      left();
      if (/** @type {WheelEvent} */ (event).deltaY < 0 && this.scroller.scrollTop > 0) this.following = false;
    }, { passive: true });
    target.addEventListener("touchmove", left, { passive: true });
    scroller.addEventListener("moa-stay", () => this.stay());
    scroller.addEventListener("moa-moved", (event) => this.shift(/** @type {CustomEvent<number>} */ (event).detail));
  }

  /** How much is out of sight below, in CSS pixels. */
  below() {
    return this.scroller.scrollHeight - this.scroller.scrollTop - this.scroller.clientHeight;
  }

  noticed() {
    // the content may have grown since the reader moved: what counts is where the bottom was
    const grown = Math.max(0, this.scroller.scrollHeight - this.height);
    this.height = this.scroller.scrollHeight;
    if (this.below() - grown <= NEAR_PX) this.following = true;
    else if (grown === 0) this.following = false;
  }

  /** To call after the content changed: stays at the bottom if the reader was there. */
  keep() {
    this.height = this.scroller.scrollHeight;
    if (this.following && this.below() > 0) this.scroller.scrollTop = this.scroller.scrollHeight;
  }

  /** Show the beginning, and stay there. */
  top() {
    this.following = false;
    this.scroller.scrollTop = 0;
  }

  /** Follow nothing until the reader goes to the bottom. */
  stay() {
    this.following = false;
  }

  /** Scroll along with something that moved, so that it stands still. @param {number} by CSS pixels */
  shift(by) {
    this.following = false;
    this.scroller.scrollTop += by;
  }

  /** Bring an element to the top. @param {Element|null} element @param {boolean} smoothly */
  show(element, smoothly) {
    if (element === null) return;
    this.following = false;
    element.scrollIntoView({ block: "start", behavior: behaviour(smoothly) });
  }

  /** @param {boolean} smoothly */
  jump(smoothly) {
    this.following = true;
    this.scroller.scrollTo({ top: this.scroller.scrollHeight, behavior: behaviour(smoothly) });
  }
}

/** Smooth only for readers who mind no motion. @param {boolean} smoothly @returns {ScrollBehavior} */
export function behaviour(smoothly) {
  return smoothly && !matchMedia("(prefers-reduced-motion: reduce)").matches ? "smooth" : "instant";
}

/**
 * The element that scrolls the page around a node.
 * @param {Element} node
 * @returns {Element}
 */
export function scrollerOf(node) {
  for (let at = node.parentElement; at !== null && at !== document.body; at = at.parentElement) {
    if (/auto|scroll/.test(getComputedStyle(at).overflowY)) return at;
  }
  return document.scrollingElement ?? document.documentElement;
}

/**
 * The button that leads back to the newest text, shown while the reader is away from it.
 * @param {Follower} follower
 */
export function jumpButton(follower) {
  const button = el("button", { type: "button", class: "moa-jump", hidden: true, onclick: () => follower.jump(true) },
    icon("down"), texts.jump);
  const update = () => {
    button.hidden = follower.following || follower.below() < FAR_PX;
    if (!button.hidden) button.hidden = covers(button, ".moa-vote, .moa-voted");
  };
  const target = follower.scroller === document.scrollingElement ? window : follower.scroller;
  target.addEventListener("scroll", update, { passive: true });
  return { element: el("div", { class: "moa-root moa-jump-place" }, button), update };
}

/** Whether an element lies over one of others. @param {Element} element @param {string} others a selector */
function covers(element, others) {
  const { top, bottom } = element.getBoundingClientRect();
  return [...document.querySelectorAll(others)].some((other) => {
    const box = other.getBoundingClientRect();
    return box.top < bottom && box.bottom > top;
  });
}
