// @ts-check
/** A list of models to add from, searchable, grouped by provider. Those that need a key are listed, not pickable. */
import { el } from "./dom.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").ChoiceJson} ChoiceJson */

/** At most this many are drawn at once; searching narrows the rest. */
const SHOWN = 200;

export class ChoiceList {
  /** @param {(model: string) => void} picked */
  constructor(picked) {
    this.picked = picked;
    /** @type {ChoiceJson[]} */
    this.choices = [];
    this.room = true;
    this.drawn = "";
    this.search = el("input", {
      type: "search", class: "moa-input", placeholder: texts.searchModels, "aria-label": texts.searchModels,
      autocomplete: "off", oninput: () => this.draw(),
    });
    this.list = el("div", { class: "moa-choices-list" });
    this.element = el("details", { class: "moa-choices" },
      el("summary", {}, icon("plus"), texts.addProposer),
      el("div", { class: "moa-choices-body" }, this.search, this.list));
    this.element.addEventListener("toggle", () => { if (this.element.open) this.search.focus({ preventScroll: true }); });
  }

  /** @param {ChoiceJson[]} choices @param {boolean} room whether one more may be added */
  update(choices, room) {
    this.choices = choices;
    this.room = room;
    this.draw();
  }

  draw() {
    const wanted = this.search.value.trim().toLowerCase();
    const key = JSON.stringify([wanted, this.room, this.choices]);
    if (key === this.drawn) return;
    this.drawn = key;
    const found = this.choices.filter((choice) => matches(choice, wanted)).slice(0, SHOWN);
    const providers = [...new Set(found.map((choice) => choice.provider))];
    const groups = providers.map((provider) => el("section", {}, el("h4", { text: provider }),
      el("ul", {}, ...found.filter((choice) => choice.provider === provider).map((choice) => this.item(choice)))));
    this.list.replaceChildren(...(groups.length > 0 ? groups : [el("p", { class: "moa-quiet", text: texts.noModels })]));
  }

  /** @param {ChoiceJson} choice */
  item(choice) {
    const needs = choice.needs ? texts.needs(choice.needs) : null;
    const button = el("button", {
      type: "button", class: "moa-choice", disabled: needs !== null || !this.room,
      onclick: () => this.picked(choice.id),
    }, el("span", { class: "moa-choice-label", text: choice.label }),
    needs ? el("span", { class: "moa-needs", text: needs }) : null,
    choice.note ? el("span", { class: "moa-quiet", text: choice.note }) : null);
    return el("li", {}, button);
  }
}

/** @param {ChoiceJson} choice @param {string} wanted lower case */
function matches(choice, wanted) {
  return !wanted || `${choice.label} ${choice.id} ${choice.provider}`.toLowerCase().includes(wanted);
}
