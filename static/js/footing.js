// @ts-check
/** Where the reader stands, while turns are put in others' place: what had the focus, and the height of a stepper. */

/** @typedef {import("./turn.js").TurnView} TurnView */
/** @typedef {import("./stepper.js").Way} Way */

/**
 * A step that the server was asked for: what will stand there, and where the stepper was. CSS pixels.
 * @typedef {{turn: string, run: string|null, way: Way, top: number}} Step
 */

export class Footing {
  constructor() {
    /** @type {Step|null} */
    this.step = null;
    /** @type {Element|null} */
    this.held = null;
  }

  /** @param {{turn: string, run?: string|null}} payload @param {Way} way @param {Element} button */
  take({ turn, run = null }, way, button) {
    this.step = { turn, run, way, top: button.getBoundingClientRect().top };
  }

  /** To call before anything is changed. */
  before() {
    this.held = document.activeElement;
  }

  /**
   * To call when all is changed: the focus goes back to the stepper, or to a turn if what had it is gone.
   * @param {Map<string, TurnView>} views those shown @param {TurnView|null} running
   * @returns {number|null} how far the stepper moved down, in CSS pixels; null where no step was made
   */
  after(views, running) {
    const lost = this.held !== null && isGone(this.held);
    const view = this.step && views.get(this.step.turn);
    if (this.step === null || !view || (this.step.run !== null && view.turn?.run !== this.step.run)) {
      const turn = this.held?.isConnected ? this.held.closest("article.moa-turn") : running?.element;
      if (lost) /** @type {HTMLElement|null|undefined} */ (turn)?.focus({ preventScroll: true });
      return null;
    }
    const { run, way, top } = this.step;
    this.step = null;
    const button = (run === null ? view.question : view.answer).stepper.buttons[way];
    if (lost) button.focus({ preventScroll: true });
    return button.getBoundingClientRect().top - top;
  }
}

/** Whether an element can't keep the focus that it had. @param {Element} element */
function isGone(element) {
  return !element.isConnected || element.matches(":disabled") || !element.checkVisibility();
}
