// @ts-check
/** The composer's keys and draft, on Gradio's own text box and buttons. */
import { texts } from "./texts.js";

const DRAFT = "moa-draft";
/** What browsers report for a key that an input method is using. */
const IME_KEY_CODE = 229;

/**
 * Enhance the composer once it is on the page: Enter sends, Shift+Enter starts a line, an input method's Enter
 * is left alone, a draft survives a reload.
 */
export function attachComposer() {
  document.addEventListener("keydown", onKey, { capture: true });
  addEventListener("pagehide", keepDraft);
  whenThere(() => {
    restoreDraft();
    nameSend();
    if (matchMedia("(hover: hover) and (pointer: fine)").matches) box()?.focus({ preventScroll: true });
  });
}

/** @returns {HTMLTextAreaElement|null} */
function box() {
  return document.querySelector("#moa-message textarea");
}

/** @returns {HTMLButtonElement|null} */
function sendButton() {
  return document.querySelector("button#moa-send, #moa-send button");
}

/** @param {KeyboardEvent} event */
function onKey(event) {
  if (event.key !== "Enter" || event.target !== box()) return;
  if (event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) {
    if (event.shiftKey) event.stopImmediatePropagation(); // the browser's own new line, and nothing of Gradio's
    return;
  }
  event.stopImmediatePropagation();
  if (event.isComposing || event.keyCode === IME_KEY_CODE) return;
  event.preventDefault();
  send();
}

function send() {
  const button = sendButton();
  // a button that is off or hidden means that a run is going: the draft stays where it is
  if (box()?.value.trim() && button && !button.disabled && button.offsetParent !== null) button.click();
}

function nameSend() {
  const button = sendButton();
  if (button && !button.textContent?.trim()) button.setAttribute("aria-label", texts.send);
}

function keepDraft() {
  try {
    const draft = box()?.value ?? "";
    if (draft) sessionStorage.setItem(DRAFT, draft);
    else sessionStorage.removeItem(DRAFT);
  } catch {
    // storage is off in this browser: then a reload loses the draft
  }
}

function restoreDraft() {
  const area = box();
  try {
    const draft = sessionStorage.getItem(DRAFT);
    if (!draft || !area || area.value) return;
    area.value = draft;
    area.dispatchEvent(new Event("input", { bubbles: true }));
  } catch {
    // as above
  }
}

/** @param {() => void} then */
function whenThere(then) {
  if (box()) {
    then();
    return;
  }
  const watcher = new MutationObserver(() => {
    if (!box()) return;
    watcher.disconnect();
    then();
  });
  watcher.observe(document.body, { childList: true, subtree: true });
}
