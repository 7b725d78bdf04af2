// @ts-check
import { el, setText } from "./dom.js";
import { icon } from "./icon.js";
import { texts } from "./texts.js";

const TOLD_MS = 1600;

/**
 * A button that copies what `source` gives at the moment of the click, and says so.
 * @param {string} name accessible name
 * @param {() => string} source
 * @param {string} [label] visible text; none shows the icon alone
 */
export function copyButton(name, source, label = "") {
  const word = el("span", { class: "moa-button-word", text: label });
  const said = el("span", { class: "moa-said", role: "status" });
  const button = el("button", { type: "button", class: "moa-button moa-copy", "aria-label": name, title: name },
    icon("copy"), label ? word : null);
  button.addEventListener("click", async () => {
    const outcome = (await write(source())) ? texts.copied : texts.copyFailed;
    button.dataset.copied = "";
    setText(label ? word : said, outcome);
    setTimeout(() => {
      delete button.dataset.copied;
      setText(label ? word : said, label);
    }, TOLD_MS);
  });
  button.append(said);
  return button;
}

/**
 * Copy text; on an insecure origin, where the clipboard API is missing, by a selected textarea.
 * @param {string} text
 * @returns {Promise<boolean>}
 */
async function write(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return writeBySelection(text);
  }
}

/** @param {string} text */
function writeBySelection(text) {
  const back = /** @type {HTMLElement|null} */ (document.activeElement);
  const area = el("textarea", { class: "moa-offscreen", "aria-hidden": "true", tabindex: "-1" });
  area.value = text;
  (back?.closest("dialog[open]") ?? document.body).append(area);
  area.select();
  const copied = document.execCommand("copy");
  area.remove();
  back?.focus({ preventScroll: true });
  return copied;
}
