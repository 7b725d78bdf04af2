// @ts-check
/** Above the composer: the turn that the next question branches off after. Draws nothing when it goes to the end. */
import { el, rootOf, setText } from "./dom.js";
import { icon } from "./icon.js";
import { stage } from "./stage.js";
import { texts } from "./texts.js";

/** The beginning of a question is enough to know it by. Characters. */
const QUESTION_CHARS = 120;

/**
 * Mount the chip; its value is a ForkJson.
 * @param {HTMLElement} element @param {import("./types.js").Props} props
 * @param {import("./types.js").Watch} watch @param {import("./types.js").Trigger} trigger
 */
export function mount(element, props, watch, trigger) {
  const words = el("span", { class: "moa-fork-words", dir: "auto" });
  const chip = el("div", { class: "moa-fork" }, icon("branch"), words,
    el("button", {
      type: "button", class: "moa-button", "aria-label": texts.unfork, title: texts.unfork, onclick: () => trigger("cancel", {}),
    }, icon("cross")));
  const place = el("div", { role: "status" });
  rootOf(element).replaceChildren(place);
  const draw = () => {
    const { turn, question } = props.value ?? { turn: null, question: null };
    const other = turn !== stage.fork;
    stage.setFork(turn);
    setText(words, turn === null ? "" : texts.forkedFrom(beginning(question ?? "")));
    if (turn === null) leave(chip);
    else if (!chip.isConnected) place.append(chip);
    if (other && turn !== null) composer()?.focus({ preventScroll: true });
  };
  watch("value", draw);
  draw();
}

/** @param {string} question */
function beginning(question) {
  const words = question.trim().replace(/\s+/g, " ");
  return words.length > QUESTION_CHARS ? `${[...words].slice(0, QUESTION_CHARS).join("")}…` : words;
}

/** Remove the chip; the focus that was in it goes to the composer. @param {HTMLElement} chip */
function leave(chip) {
  const focused = chip.contains(document.activeElement);
  chip.remove();
  if (focused) composer()?.focus({ preventScroll: true });
}

/** @returns {HTMLTextAreaElement|null} */
function composer() {
  return document.querySelector("#moa-message textarea");
}
