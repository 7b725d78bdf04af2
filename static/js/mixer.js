// @ts-check
/** The picker of proposers: which models, and how many of each. */
import { ChoiceList } from "./choices.js";
import { el, rootOf, setText, show } from "./dom.js";
import { icon } from "./icon.js";
import { offer } from "./models.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").MixerJson} MixerJson */
/** @typedef {import("./types.js").PickedJson} PickedJson */

/**
 * What the user picks is written into the value, for other handlers, and told as `input` with `{picked}`.
 * @param {HTMLElement} element @param {import("./types.js").Props} props
 * @param {import("./types.js").Watch} watch @param {import("./types.js").Trigger} trigger
 */
export function mount(element, props, watch, trigger) {
  const mixer = new Mixer((picked) => {
    props.value = { ...mixer.value, picked };
    mixer.update(props.value);
    trigger("input", { picked });
  });
  rootOf(element).replaceChildren(mixer.element);
  const draw = () => { if (props.value) mixer.update(props.value); };
  watch("value", draw);
  draw();
}

class Mixer {
  /** @param {(picked: PickedJson[]) => void} changed */
  constructor(changed) {
    this.changed = changed;
    /** @type {MixerJson} */
    this.value = { choices: [], picked: [], max: 0 };
    this.count = el("span", { class: "moa-figures", role: "status" });
    this.list = el("ul", { class: "moa-picked" });
    this.nothing = el("p", { class: "moa-quiet", text: texts.noPicked });
    this.choices = new ChoiceList((model) => this.add(model));
    this.element = el("section", { class: "moa-mixer", "aria-label": texts.proposersHead },
      el("header", { class: "moa-mixer-head" }, el("h3", { text: texts.proposersHead }), this.count),
      this.list, this.nothing, this.choices.element);
  }

  /** @param {MixerJson} value */
  update(value) {
    this.value = value;
    offer(value.choices);
    const sum = this.sum();
    const focused = this.focusedControl();
    setText(this.count, texts.pickedOf(sum, value.max));
    this.list.replaceChildren(...value.picked.map((picked, index) => this.row(picked, index, sum < value.max)));
    show(this.nothing, value.picked.length === 0);
    this.choices.update(value.choices, sum < value.max);
    this.list.querySelector(focused)?.focus();
  }

  sum() {
    return this.value.picked.reduce((sum, picked) => sum + picked.count, 0);
  }

  /** Rows are made anew; the control that had the focus is found again. */
  focusedControl() {
    const control = /** @type {HTMLElement|null} */ (document.activeElement)?.dataset.control;
    return /** @type {"button"} */ (control ? `[data-control="${CSS.escape(control)}"]:not(:disabled)` : "[data-none]");
  }

  /** @param {PickedJson} picked @param {number} index @param {boolean} room */
  row(picked, index, room) {
    const choice = this.value.choices.find(({ id }) => id === picked.model);
    const label = picked.label || choice?.label || picked.model;
    const button = (/** @type {"minus"|"plus"|"cross"} */ shape, /** @type {string} */ name, /** @type {number} */ count, enabled = true) =>
      el("button", {
        type: "button", class: "moa-button", "aria-label": name, title: name, "data-control": `${shape}:${index}`,
        disabled: !enabled, onclick: () => this.set(index, count),
      }, icon(shape));
    const model = choice?.label ?? picked.model;
    return el("li", { class: "moa-picked-row" },
      el("span", { class: "moa-picked-name" }, el("span", { text: label }),
        model === label ? null : el("span", { class: "moa-model", text: model }),
        choice?.needs ? el("span", { class: "moa-needs", text: texts.needs(choice.needs) }) : null),
      el("span", { class: "moa-stepper" },
        button("minus", texts.oneLess(label), picked.count - 1, picked.count > 1),
        el("output", { class: "moa-picked-count", text: String(picked.count) }),
        button("plus", texts.oneMore(label), picked.count + 1, room)),
      button("cross", texts.removeModel(label), 0));
  }

  /** @param {number} index @param {number} count 0 removes the row */
  set(index, count) {
    const picked = this.value.picked.map((old, at) => (at === index ? { ...old, count } : old));
    this.changed(picked.filter((one) => one.count > 0));
  }

  /** @param {string} model */
  add(model) {
    const at = this.value.picked.findIndex((picked) => picked.model === model);
    const old = this.value.picked[at];
    if (this.sum() >= this.value.max) return;
    if (old) this.set(at, old.count + 1);
    else this.changed([...this.value.picked, { model, count: 1 }]);
  }
}
