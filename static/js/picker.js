// @ts-check
/** Pick one model, from a list that opens at a button: type to search, arrow keys to choose, Enter to take. */
import { el, setAttribute, setText } from "./dom.js";
import { models } from "./models.js";
import { Popup } from "./popup.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").ChoiceJson} ChoiceJson */

/** At most this many are drawn at once; searching narrows the rest. */
const SHOWN = 100;

let made = 0;

export class ModelPicker {
  /**
   * @param {HTMLElement} anchor the button it opens at; the list is put beside it
   * @param {(model: string) => void} picked
   */
  constructor(anchor, picked) {
    this.picked = picked;
    /** What can be taken, as drawn. @type {{id: string, element: HTMLElement}[]} */
    this.options = [];
    this.at = 0;
    this.title = el("p", { class: "moa-pick-title", id: `moa-pick-title-${(made += 1)}` });
    this.list = el("div", { class: "moa-pick-list", role: "listbox", id: `moa-pick-${made}`, "aria-labelledby": this.title.id });
    this.search = el("input", {
      type: "text", class: "moa-input", role: "combobox", placeholder: texts.searchModels, "aria-label": texts.searchModels,
      "aria-expanded": "true", "aria-controls": this.list.id, "aria-autocomplete": "list", autocomplete: "off", spellcheck: "false",
      oninput: () => this.draw(), onkeydown: (/** @type {KeyboardEvent} */ event) => this.key(event),
    });
    this.nothing = el("p", { class: "moa-quiet", text: texts.noModels });
    this.body = el("div", { class: "moa-pick", role: "dialog", "aria-labelledby": this.title.id }, this.title, this.search, this.list);
    this.popup = new Popup(anchor, this.body);
    anchor.after(this.popup.element);
  }

  /** @param {string} title what the choice is for */
  open(title) {
    setText(this.title, title);
    this.search.value = "";
    this.draw();
    this.popup.open();
    this.search.focus({ preventScroll: true });
  }

  draw() {
    const found = models(this.search.value).slice(0, SHOWN);
    this.options = [];
    const groups = [...Map.groupBy(found, (choice) => choice.provider)].map(([provider, its], index) => {
      const head = el("span", { class: "moa-pick-provider", id: `${this.list.id}-group-${index}`, text: provider });
      return el("div", { role: "group", "aria-labelledby": head.id }, head, ...its.map((choice) => this.option(choice)));
    });
    this.list.replaceChildren(...groups);
    this.list.hidden = groups.length === 0;
    if (groups.length > 0) this.nothing.remove();
    else this.body.append(this.nothing);
    this.mark(0);
  }

  /** @param {ChoiceJson} choice */
  option(choice) {
    const element = el("div", { role: "option", class: "moa-item", "aria-selected": "false" }, el("span", { text: choice.label }),
      el("span", { class: "moa-item-hint", text: choice.needs ? texts.needs(choice.needs) : choice.note ?? "" }));
    if (choice.needs) element.setAttribute("aria-disabled", "true");
    else {
      element.id = `${this.list.id}-${this.options.length}`;
      element.addEventListener("click", () => this.take(choice.id));
      this.options.push({ id: choice.id, element });
    }
    return element;
  }

  /** @param {number} at which one Enter takes */
  mark(at) {
    this.options[this.at]?.element.setAttribute("aria-selected", "false");
    this.at = at;
    const marked = this.options[at]?.element;
    setAttribute(this.search, "aria-activedescendant", marked?.id ?? null);
    marked?.setAttribute("aria-selected", "true");
    marked?.scrollIntoView({ block: "nearest" });
  }

  /** @param {string} model */
  take(model) {
    this.popup.close(true);
    this.picked(model);
  }

  /** @param {KeyboardEvent} event */
  key(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const marked = this.options[this.at];
    if (step !== undefined) this.mark((this.at + step + this.options.length) % Math.max(1, this.options.length));
    else if (event.key === "Enter") {
      if (marked) this.take(marked.id);
    } else return;
    event.preventDefault();
    event.stopPropagation();
  }
}
