// @ts-check
/** Entry of both transcript components, settled and live; they share one stage and one renderer. */
import { el, rootOf } from "./dom.js";
import { Follower, jumpButton, scrollerOf } from "./scroll.js";
import { stage } from "./stage.js";
import { WelcomeView } from "./welcome.js";

/** @typedef {import("./types.js").Props} Props */
/** @typedef {import("./types.js").Watch} Watch */
/** @typedef {import("./types.js").Trigger} Trigger */

/** @type {Follower|null} */
let follower = null;
/** @type {{element: HTMLElement, update: () => void}|null} */
let jump = null;

/**
 * Mount one of the two components: its value is a LiveJson inside `#moa-live`, else a SettledJson.
 * @param {HTMLElement} element @param {Props} props @param {Watch} watch @param {Trigger} trigger
 */
export function mount(element, props, watch, trigger) {
  if (element.closest("#moa-live")) mountLive(element, props, watch, trigger);
  else mountSettled(element, props, watch, trigger);
}

/** @param {HTMLElement} element @param {Props} props @param {Watch} watch @param {Trigger} trigger */
function mountSettled(element, props, watch, trigger) {
  const host = el("div", { class: "moa-turns" });
  const welcome = new WelcomeView((text) => trigger("example", { text }));
  rootOf(element).replaceChildren(welcome.element, host);
  stage.settledHost = host;
  stage.tellSettled = trigger;
  const draw = () => {
    const before = stage.settled.conversation;
    const other = before !== (props.value?.conversation ?? null);
    const value = props.value ?? { conversation: null, turns: [], welcome: null, focus: null };
    const found = value.focus !== null && (other || value.focus !== stage.settled.focus) ? value.focus : null;
    stage.setSettled(value);
    welcome.update(stage.empty() ? stage.settled.welcome : null);
    if (stage.empty()) follower?.top();
    else if (other) follower?.jump(false);
    if (found !== null) follower?.show(stage.find(found), !other);
    settle();
  };
  stage.moved = (by) => follower?.shift(by);
  stage.show = (turn) => {
    const found = stage.find(turn);
    if (found !== null) follower?.show(found, true);
  };
  stageChanged = () => welcome.update(stage.empty() ? stage.settled.welcome : null);
  watch("value", draw);
  follow(host);
  draw();
}

/** @param {HTMLElement} element @param {Props} props @param {Watch} watch @param {Trigger} trigger */
function mountLive(element, props, watch, trigger) {
  const host = el("div", { class: "moa-turns" });
  rootOf(element).replaceChildren(host);
  stage.liveHost = host;
  stage.tellLive = trigger;
  stage.stoppable = props.stop_one === true;
  const draw = () => {
    const before = stage.running()?.run;
    stage.setLive(props.value ?? { conversation: null, turn: null, ended: false });
    stageChanged();
    const run = stage.running()?.run;
    if (run !== undefined && run !== before) begun();
    settle();
  };
  watch("value", draw);
  new ResizeObserver(settle).observe(host);
  draw();
}

/** A run begins: at the end it is followed, amid other turns the reader stays where they are. */
function begun() {
  if (stage.path().at(-1) === stage.running()) follower?.jump(false);
  else follower?.stay();
}

/** What the settled side does when the live side changed. */
let stageChanged = () => {};

/** Stay with the newest text, if the reader is there. */
function settle() {
  follower?.keep();
  jump?.update();
}

/** @param {HTMLElement} host */
function follow(host) {
  follower = new Follower(scrollerOf(host));
  jump?.element.remove();
  jump = jumpButton(follower);
  (document.getElementById("moa-dock") ?? document.body).append(jump.element);
  new ResizeObserver(settle).observe(host);
}
