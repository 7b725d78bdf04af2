// @ts-check
/**
 * The one place that knows both components: the settled turns and the live one. Each turn has one view and one
 * element; when a live turn ends the element moves, and what the reader opened, scrolled or focused moves along.
 * A live turn may stand amid the others: those after it then follow it in its own component.
 */
import { order, trim } from "./dom.js";
import { Footing } from "./footing.js";
import { forget } from "./request.js";
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
    this.settled = { conversation: null, turns: [], welcome: null, focus: null };
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
    /** Scrolls to a turn, if it is here. @type {(turn: string) => void} */
    this.show = () => {};
    this.stoppable = false;
    /** What was told last. */
    this.told = "";
    /** The turn that the next question branches off after. @type {string|null} */
    this.fork = null;
    this.footing = new Footing();
    /** Told how far what the reader looks at has moved down, in CSS pixels. @type {(by: number) => void} */
    this.moved = () => {};
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

  /** @param {string|null} turn null: the next question goes to the end */
  setFork(turn) {
    this.fork = turn;
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
    this.footing.before();
    const running = this.running();
    const path = this.path();
    const views = path.map((turn, index) => this.view(turn, { newest: index === path.length - 1, busy: running !== null }));
    const before = running === null ? views.length : path.indexOf(running);
    const [shown, live] = [views.slice(0, before), views.slice(before)];
    // both are filled before either is trimmed, so that an element that changes sides is moved, never removed
    order(this.settledHost, shown.map((view) => view.element));
    order(this.liveHost, live.map((view) => view.element));
    trim(this.settledHost, shown.length);
    trim(this.liveHost, live.length);
    const used = new Set(views);
    for (const [id, view] of this.views) if (!used.has(view)) this.views.delete(id);
    this.leaveOut(path, views);
    const by = this.footing.after(this.views, running && (this.views.get(running.id) ?? null));
    if (by !== null) this.moved(by);
  }

  /** All turns to be drawn, in order: the settled ones, with the one that runs or just ended in its newest state. */
  path() {
    return withNewer(withNewer(this.settled.turns, this.adopted), this.running());
  }

  /** @param {TurnJson} turn @param {{newest: boolean, busy: boolean}} place */
  view(turn, place) {
    const view = this.views.get(turn.id) ?? this.newView(turn.id);
    this.views.set(turn.id, view);
    view.update(turn, place);
    return view;
  }

  /** @param {string} id */
  newView(id) {
    const took = this.footing.take.bind(this.footing);
    return new TurnView(id, (event, payload) => this.tell(event, payload), this.stoppable, took);
  }

  /** Mark the turns that the next question will not follow. @param {TurnJson[]} path @param {TurnView[]} views */
  leaveOut(path, views) {
    const last = path.findIndex((turn) => turn.id === this.fork);
    views.forEach((view, index) => {
      const out = last >= 0 && index > last;
      view.setLeftOut(out ? (index === last + 1 ? "first" : "rest") : null);
    });
  }

  /** The element of a turn that is shown, marked and with the focus, or null. @param {string} turn @returns {HTMLElement|null} */
  find(turn) {
    const view = this.views.get(turn);
    view?.mark();
    return view?.element ?? null;
  }

  /** Only the same thing told twice may be a double click. @param {string} event @param {object} payload */
  tell(event, payload) {
    const told = JSON.stringify([event, payload]);
    if (told !== this.told) forget();
    this.told = told;
    if (event === "stop_one" || event === "answer_now") this.tellLive(event, payload);
    else this.tellSettled(event, payload);
  }
}

/**
 * A path with the newer state of a turn. One that is not settled stands where its place is free. Where another turn has
 * that place it begins a branch, which the settled value doesn't know yet: what stands there and after is of another one.
 * @param {TurnJson[]} turns @param {TurnJson|null} newer
 */
function withNewer(turns, newer) {
  if (newer === null) return turns;
  if (turns.some((turn) => turn.id === newer.id)) return turns.map((turn) => (turn.id === newer.id ? newer : turn));
  const taken = turns.some((turn) => turn.position === newer.position);
  const after = taken ? [] : turns.filter((turn) => turn.position > newer.position);
  return [...turns.filter((turn) => turn.position < newer.position), newer, ...after];
}

/** The page's only stage. */
export const stage = new Stage();
