// @ts-check
/** Loaded once with the page: what belongs to no component, and what Gradio's own events call by `window.moa`. */
import { showInAddress } from "./address.js";
import { attachComposer } from "./composer.js";
import { forget, keyed } from "./request.js";
import { attachSidebars, closeOnPhone } from "./sidebar.js";
import { applyTheme, toggleTheme } from "./theme.js";
import { attachVoteKeys } from "./vote.js";

/** @param {string|null} id the conversation that is shown now */
function shown(id) {
  forget();
  showInAddress(id);
  if (id) closeOnPhone(); // deleting the one shown leaves the list open, with its Undo
}

/** @type {any} */ (window).moa = { keyed, shown, toggleTheme };
applyTheme();
attachComposer();
attachSidebars();
attachVoteKeys();
document.addEventListener("click", (event) => {
  if (event.target instanceof Element && event.target.closest("#moa-new")) closeOnPhone();
});
