// @ts-check
/** The first screen: what this is, three questions to try, and how the model is. */
import { el, show } from "./dom.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";

/** @typedef {import("./types.js").WelcomeJson} WelcomeJson */

export class WelcomeView {
  /** @param {(text: string) => void} picked a question was chosen */
  constructor(picked) {
    this.picked = picked;
    this.shown = "";
    this.element = el("section", { class: "moa-welcome", hidden: true });
  }

  /** @param {WelcomeJson|null} welcome null hides it */
  update(welcome) {
    show(this.element, welcome !== null);
    const shown = JSON.stringify(welcome);
    if (welcome === null || shown === this.shown) return;
    this.shown = shown;
    const examples = welcome.examples.map((text) => el("li", {},
      el("button", { type: "button", class: "moa-example", onclick: () => this.picked(text) }, el("span", { text }), icon("arrow"))));
    const children = [
      emblem(),
      el("h1", { class: "moa-welcome-title", text: welcome.title }),
      el("p", { class: "moa-welcome-sentence", text: welcome.sentence }),
      welcome.model ? el("p", { class: "moa-welcome-model", role: "status", text: welcome.model }) : null,
      el("h2", { class: "moa-welcome-try", text: texts.examples }),
      el("ul", { class: "moa-examples" }, ...examples),
      ...hint(welcome.hint),
    ];
    this.element.replaceChildren(...children.filter((child) => child !== null));
  }
}

/** A sentence, and lines to type below it. @param {string|null} text */
function hint(text) {
  const [sentence = "", ...lines] = (text ?? "").split("\n");
  return [
    sentence ? el("p", { class: "moa-welcome-hint", text: sentence }) : null,
    lines.length > 0 ? el("pre", { class: "moa-welcome-lines", tabindex: "0", text: lines.join("\n") }) : null,
  ];
}

/** Three voices that become one, as decoration. */
function emblem() {
  const voices = ["1", "2", "3"].map((voice) => el("i", { "data-voice": voice }));
  return el("div", { class: "moa-emblem", "aria-hidden": "true" }, ...voices, el("b"));
}
