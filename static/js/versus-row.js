// @ts-check
/** A line of the compare bar: what answers in one column, and how freely. */
import { el, setText, show } from "./dom.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").SystemJson} SystemJson */
/** @typedef {import("./types.js").OpponentJson} OpponentJson */

const TEMPERATURE_MAX = 2;
const GROUPS = /** @type {const} */ (["own", "recipe", "model"]);

export class OpponentRow {
  /** @param {string} side @param {{changed: (opponent: OpponentJson) => void, removed: () => void}} hooks */
  constructor(side, { changed, removed }) {
    /** @type {OpponentJson} */
    this.opponent = { system: "", temperature: null };
    /** What the list was made from. */
    this.drawn = "";
    this.select = el("select", {
      class: "moa-input", "aria-label": texts.versus.answer(side),
      onchange: () => changed({ ...this.opponent, system: this.select.value }),
    });
    this.number = el("input", {
      type: "number", class: "moa-input", min: 0, max: TEMPERATURE_MAX, step: 0.1, placeholder: texts.versus.ownTemperature,
      "aria-label": texts.versus.temperatureOf(side), onchange: () => changed({ ...this.opponent, temperature: this.temperature() }),
    });
    this.summary = el("summary", { text: texts.versus.temperature });
    this.cross = el("button", {
      type: "button", class: "moa-button", "aria-label": texts.versus.remove(side), title: texts.versus.remove(side), onclick: removed,
    }, icon("cross"));
    this.element = el("div", { class: "moa-versus-row" }, el("span", { class: "moa-letter", "aria-hidden": "true", text: side }),
      this.select, el("details", { class: "moa-versus-more" }, this.summary, this.number), this.cross);
  }

  /** @param {OpponentJson} opponent @param {SystemJson[]} choices @param {boolean} removable */
  update(opponent, choices, removable) {
    this.opponent = opponent;
    this.offer(choices, opponent.system);
    this.select.value = opponent.system;
    const { temperature } = opponent;
    this.number.value = temperature === null ? "" : String(temperature);
    setText(this.summary, temperature === null ? texts.versus.temperature : texts.versus.temperatureIs(temperature));
    show(this.cross, removable);
  }

  /** What is picked and no longer offered stays to be seen. @param {SystemJson[]} choices @param {string} picked */
  offer(choices, picked) {
    const gone = choices.some(({ id }) => id === picked) ? null : picked;
    const key = JSON.stringify([gone, choices]);
    if (key === this.drawn) return;
    this.drawn = key;
    const groups = GROUPS.map((group) => ({ group, its: choices.filter((choice) => choice.group === group) }));
    this.select.replaceChildren(...(gone === null ? [] : [el("option", { value: gone, text: gone })]),
      ...groups.filter(({ its }) => its.length > 0).map(({ group, its }) => el("optgroup", { label: texts.versus.groups[group] },
        ...its.map(({ id, label, needs }) => el("option", { value: id, disabled: needs !== null, text: texts.versus.choice(label, needs) })))));
  }

  /** What the field says, within bounds; null where it says nothing. */
  temperature() {
    const { valueAsNumber } = this.number;
    return Number.isNaN(valueAsNumber) ? null : Math.min(Math.max(valueAsNumber, 0), TEMPERATURE_MAX);
  }
}
