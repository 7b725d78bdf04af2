// @ts-check
/** Gradio's sidebars: names for their buttons, and out of the way on a phone, whose whole screen they cover. */
import { texts } from "./texts.js";

const phone = matchMedia("(max-width: 768px)");

/** Name the sidebars' buttons and close them on a phone, as soon as they are there. */
export function attachSidebars() {
  const seen = new Set();
  const look = () => {
    for (const [id, name] of Object.entries({ "moa-sidebar": texts.history, "moa-settings": texts.settings })) {
      const bar = document.getElementById(id);
      if (!bar || seen.has(bar)) continue;
      seen.add(bar);
      toggleOf(bar)?.setAttribute("aria-label", name);
      toggleOf(bar)?.setAttribute("title", name);
      // Gradio opens a sidebar in the frame after it is made
      requestAnimationFrame(() => requestAnimationFrame(() => { if (phone.matches) close(bar); }));
    }
  };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  look();
}

/** Close the list of conversations on a phone, after one was chosen. */
export function closeOnPhone() {
  const bar = document.getElementById("moa-sidebar");
  if (bar && phone.matches) close(bar);
}

/** Open the list of conversations; resolves when what it holds can have the focus. */
export async function openSidebar() {
  const bar = document.getElementById("moa-sidebar");
  if (!bar || bar.classList.contains("open")) return;
  toggleOf(bar)?.click();
  await new Promise((drawn) => { requestAnimationFrame(() => requestAnimationFrame(drawn)); });
}

/** @param {HTMLElement} bar */
function toggleOf(bar) {
  return /** @type {HTMLElement|null} */ (bar.querySelector(":scope > button, .toggle-button"));
}

/** @param {HTMLElement} bar */
function close(bar) {
  if (bar.classList.contains("open")) toggleOf(bar)?.click();
}
