// @ts-check
/** The page behind a share link: a conversation to read, and a way to go on with a copy of it. */
import { el, setText, show } from "./dom.js";
import { Refusal, copyShared, loadShared } from "./shared-link.js";
import { texts } from "./texts.js";
import { TurnView } from "./turn.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */

const title = part("moa-shared-title");
const kind = part("moa-shared-kind");
const says = part("moa-shared-says");
const turns = part("moa-shared-turns");
const onward = /** @type {HTMLButtonElement} */ (part("moa-continue"));

/** @param {string} id */
function part(id) {
  return /** @type {HTMLElement} */ (document.getElementById(id));
}

/** Show what the link leads to. */
async function open() {
  say(texts.loading);
  try {
    const shared = await loadShared();
    const name = shared.title || texts.untitled;
    setText(title, name);
    document.title = `${name} · ${texts.app}`;
    show(kind, true);
    show(onward, true);
    say("");
    await draw(shared.turns);
  } catch (error) {
    say(told(error), open);
  }
}

/** Turn by turn, so that the first ones can be read while a long conversation is drawn. @param {TurnJson[]} all */
async function draw(all) {
  turns.replaceChildren();
  for (const turn of all) {
    turns.append(new SharedTurn(turn).element);
    await new Promise((drawn) => { setTimeout(drawn); });
  }
}

/** A turn to read only. What a folded layer holds is here, and drawn when it is opened. */
class SharedTurn extends TurnView {
  /** @param {TurnJson} whole */
  constructor(whole) {
    super(whole.id, null, false);
    this.whole = whole;
    this.update(withoutProposals(whole));
  }

  async load() {
    this.update(this.whole);
  }
}

/** A turn without the proposals that an answer was written from. @param {TurnJson} turn @returns {TurnJson} */
function withoutProposals(turn) {
  const comparison = turn.comparison && {
    ...turn.comparison, columns: turn.comparison.columns.map((column) => ({ ...column, turn: withoutProposals(column.turn) })),
  };
  if (!turn.answer?.text) return { ...turn, comparison };
  const layers = turn.layers.map((layer) => ({ ...layer, panels: layer.panels.map((panel) => ({ ...panel, text: null })) }));
  return { ...turn, comparison, layers };
}

/** Copy the conversation and go to the copy. */
async function goOn() {
  onward.disabled = true;
  say(texts.copying);
  try {
    location.assign(await copyShared());
  } catch (error) {
    say(told(error));
    onward.disabled = false;
  }
}

/** @param {unknown} error @returns {string} */
function told(error) {
  if (error instanceof Refusal) return error.message;
  throw error;
}

/** @param {string} text @param {() => void} [again] offered with it */
function say(text, again) {
  says.replaceChildren(text);
  if (again) says.append(" ", el("button", { type: "button", class: "moa-link", text: texts.tryAgain, onclick: again }));
  show(says, text !== "");
}

onward.addEventListener("click", goOn);
addEventListener("pageshow", (event) => {
  if (!event.persisted) return; // back from the copy
  onward.disabled = false;
  say("");
});
if (document.body.dataset.link === "open") open();
