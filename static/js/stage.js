// @ts-check
/**
 * The one place that knows both components: the settled turns and the live one. Each turn has one view and one
 * element; when a live turn ends the element moves, and what the reader opened, scrolled or focused moves along.
 */
import { order, trim } from "./dom.js";
import { TurnView } from "./turn.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */
/** @typedef {import("./types.js").SettledJson} SettledJson */
/** @typedef {import("./types.js").LiveJson} LiveJson */
/** @typedef {import("./types.js").Trigger} Trigger */

export class Stage {
  constructor() {
    /** @type {Map<string, TurnView>} */
    this.views = new Map();
    /** @type {SettledJson} */
    this.settled = { conversation: null, turns: [], welcome: null };
    /** @type {LiveJson} */
    this.live = { conversation: null, turn: null, ended: false };
    /** The turn that ended and that the settled value does not hold yet. @type {TurnJson|null} */
    this.adopted = null;
    /** @type {HTMLElement|null} */
    this.settledHost = null;
    /** @type {HTMLElement|null} */
    this.liveHost = null;
    /** @type {Trigger} */
    this.tellSettled = () => {};
    /** @type {Trigger} */
    this.tellLive = () => {};
    this.stoppable = false;
  }

  /** @param {SettledJson} value */
  setSettled(value) {
    this.settled = value;
    this.adopted = null;
    this.draw();
  }

  /** @param {LiveJson} value */
  setLive(value) {
    this.live = value;
    if (value.ended && value.turn && this.belongs(value)) this.adopted = value.turn;
    this.draw();
  }

  /** The turn that runs and is shown, if any. */
  running() {
    const { turn, ended } = this.live;
    return turn !== null && !ended && this.belongs(this.live) ? turn : null;
  }

  /** Whether the first screen is to be seen. */
  empty() {
    return this.settled.turns.length === 0 && this.running() === null && this.adopted === null;
  }

  /** A live value of another conversation than the one shown, or one on the first screen, is not drawn. @param {LiveJson} live */
  belongs(live) {
    const { conversation, welcome } = this.settled;
    return live.conversation === conversation || (conversation === null && welcome === null);
  }

  draw() {
    if (this.settledHost === null || this.liveHost === null) return;
    const running = this.running();
    const settled = this.settledTurns().filter((turn) => turn.id !== running?.id);
    const newest = running ?? settled.at(-1);
    const shown = settled.map((turn) => this.view(turn, turn === newest));
    const live = running ? [this.view(running, true)] : [];
    // both are filled before either is trimmed, so that an element that changes sides is moved, never removed
    order(this.settledHost, shown.map((view) => view.element));
    order(this.liveHost, live.map((view) => view.element));
    trim(this.settledHost, shown.length);
    trim(this.liveHost, live.length);
    const used = new Set([...shown, ...live]);
    for (const [id, view] of this.views) if (!used.has(view)) this.views.delete(id);
  }

  /** The settled turns, with the one that just ended in its newest state. */
  settledTurns() {
    const { turns } = this.settled;
    const { adopted } = this;
    if (adopted === null) return turns;
    return turns.some((turn) => turn.id === adopted.id)
      ? turns.map((turn) => (turn.id === adopted.id ? adopted : turn))
      : [...turns, adopted];
  }

  /** @param {TurnJson} turn @param {boolean} newest */
  view(turn, newest) {
    const view = this.views.get(turn.id) ?? new TurnView(turn.id, (event, payload) => this.tell(event, payload), this.stoppable);
    this.views.set(turn.id, view);
    view.update(turn, newest);
    return view;
  }

  /** @param {string} event @param {object} payload */
  tell(event, payload) {
    if (event === "stop_one") this.tellLive(event, payload);
    else this.tellSettled(event, payload);
  }
}

/** The page's only stage. */
export const stage = new Stage();
