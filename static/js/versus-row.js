// @ts-check
/** A line of the compare bar: what answers in one column, and how freely. */
import { el, setAttribute, setText, show } from "./dom.js";
import { icon } from "./icon.js";
import { versusTexts } from "./texts-versus.js";

/** @typedef {import("./types.js").SystemJson} SystemJson */
/** @typedef {import("./types.js").OpponentJson} OpponentJson */

const TEMPERATURE_MAX = 2;
const GROUPS = /** @type {const} */ (["own", "recipe", "model"]);

export class OpponentRow {
  /**
   * @param {string} side of its column, if the columns stand as they are listed @param {number} number from 1
   * @param {{changed: (opponent: OpponentJson) => void, removed: () => void}} hooks
   */
  constructor(side, number, { changed, removed }) {
    this.side = side;
    this.number = number;
    /** @type {OpponentJson} */
    this.opponent = { system: "", temperature: null };
    /** What the list was made from. */
    this.drawn = "";
    this.select = el("select", {
      class: "moa-input",
      onchange: () => changed({ ...this.opponent, system: this.select.value }),
    });
    this.warmth = el("input", {
      type: "number", class: "moa-input", min: 0, max: TEMPERATURE_MAX, step: 0.1, placeholder: versusTexts.ownTemperature,
      onchange: () => changed({ ...this.opponent, temperature: this.temperature() }),
    });
    this.summary = el("summary", { text: versusTexts.temperature });
    this.cross = el("button", {
      type: "button", class: "moa-button", onclick: removed,
    }, icon("cross"));
    this.mark = el("span", { "aria-hidden": "true" });
    this.element = el("div", { class: "moa-versus-row" }, this.mark, this.select,
      el("details", { class: "moa-versus-more" }, this.summary, this.warmth), this.cross);
  }

  /** @param {OpponentJson} opponent @param {{choices: SystemJson[], removable: boolean, blind: boolean}} place */
  update(opponent, { choices, removable, blind }) {
    this.opponent = opponent;
    this.name(blind);
    this.offer(choices, opponent.system);
    this.select.value = opponent.system;
    const { temperature } = opponent;
    this.warmth.value = temperature === null ? "" : String(temperature);
    setText(this.summary, temperature === null ? versusTexts.temperature : versusTexts.temperatureIs(temperature));
    show(this.cross, removable);
  }

  /** By its letter, or where the columns are drawn by lot without one. @param {boolean} blind */
  name(blind) {
    const who = blind ? versusTexts.opponent(this.number) : versusTexts.answer(this.side);
    setAttribute(this.mark, "class", blind ? "moa-versus-mark" : "moa-letter");
    setText(this.mark, !blind ? this.side : this.number === 1 ? versusTexts.against : versusTexts.and);
    setAttribute(this.select, "aria-label", who);
    setAttribute(this.warmth, "aria-label", versusTexts.temperatureOf(who));
    setAttribute(this.cross, "aria-label", versusTexts.remove(who));
    setAttribute(this.cross, "title", versusTexts.remove(who));
  }

  /** What is picked and no longer offered stays to be seen. @param {SystemJson[]} choices @param {string} picked */
  offer(choices, picked) {
    const gone = choices.some(({ id }) => id === picked) ? null : picked;
    const key = JSON.stringify([gone, choices]);
    if (key === this.drawn) return;
    this.drawn = key;
    const groups = GROUPS.map((group) => ({ group, its: choices.filter((choice) => choice.group === group) }));
    this.select.replaceChildren(...(gone === null ? [] : [el("option", { value: gone, text: gone })]),
      ...groups.filter(({ its }) => its.length > 0).map(({ group, its }) => el("optgroup", { label: versusTexts.groups[group] },
        ...its.map(({ id, label, needs }) => el("option", { value: id, disabled: needs !== null, text: versusTexts.choice(label, needs) })))));
  }

  /** What the field says, within bounds; null where it says nothing. */
  temperature() {
    const { valueAsNumber } = this.warmth;
    return Number.isNaN(valueAsNumber) ? null : Math.min(Math.max(valueAsNumber, 0), TEMPERATURE_MAX);
  }
}
