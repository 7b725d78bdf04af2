// @ts-check
/** The client of `/moa/conversations`, `/moa/search` and what goes with them. Every failure is a Refused in plain words. */
import { texts } from "./texts.js";

/** @typedef {import("./types.js").HistoryJson} HistoryJson */
/** @typedef {import("./types.js").FoundJson} FoundJson */
/** @typedef {import("./types.js").ShareJson} ShareJson */
/** @typedef {{title?: string, pinned?: boolean, archived?: boolean}} Changes */
/** @typedef {{imported: number, skipped: number, conversation: string|null}} ImportedJson */

/** After this long a request counts as lost. Only an import may take longer. Milliseconds. */
const LOST_MS = 20_000;
/** A longer text is no sentence of ours. Characters. */
const SENTENCE_CHARS = 300;

/** The server did not do what was asked; the message may be shown. `status` is 0 where no answer came. */
export class Refused extends Error {
  /** @param {string} message @param {number} [status] */
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

/**
 * A page of the list.
 * @param {{before?: string|null, archived?: boolean}} [which] what comes after a page's `next`; the archived ones
 * @returns {Promise<HistoryJson>}
 */
export function listed({ before = null, archived = false } = {}) {
  return asked("GET", withQuery("conversations", { before, archived: archived ? "1" : null }));
}

/**
 * @param {string} words @param {number} offset @param {AbortSignal} signal drops the search
 * @returns {Promise<FoundJson>}
 */
export function found(words, offset, signal) {
  return asked("GET", withQuery("search", { q: words, offset: offset ? String(offset) : null }), { signal });
}

/** @param {string} id @param {Changes} changes @returns {Promise<null>} */
export function change(id, changes) {
  return asked("PATCH", one(id), { body: JSON.stringify(changes) });
}

/** @param {string} id @returns {Promise<null>} */
export function remove(id) {
  return asked("DELETE", one(id));
}

/** Undo a deletion. @param {string} id @returns {Promise<null>} */
export function restore(id) {
  return asked("POST", `${one(id)}/restore`);
}

/** The links to a conversation that work. @param {string} id @returns {Promise<ShareJson[]>} */
export async function shares(id) {
  return (await asked("GET", `${one(id)}/shares`)).shares;
}

/**
 * Make a link. Its address is told this once.
 * @param {string} id @param {number} days
 * @returns {Promise<{share: ShareJson, address: string}>}
 */
export async function share(id, days) {
  const made = await asked("POST", `${one(id)}/shares`, { body: JSON.stringify({ days }) });
  return { share: made.share, address: new URL(`../..${made.path}`, import.meta.url).href };
}

/** End a link. @param {string} id the link's @returns {Promise<null>} */
export function revoke(id) {
  return asked("DELETE", `shares/${encodeURIComponent(id)}`);
}

/** @param {File} file an export of ours, or ChatGPT's @returns {Promise<ImportedJson>} */
export function imported(file) {
  return asked("POST", "import", { body: file, lost_ms: null });
}

/** Where a conversation can be downloaded. @param {string} id @param {"md"|"json"} kind */
export function exportAddress(id, kind) {
  return address(`${one(id)}/export.${kind}`).href;
}

/** Where all conversations can be downloaded. */
export function archiveAddress() {
  return address("archive.json").href;
}

/** Whether an error is only that nobody waits for the answer any more. @param {unknown} error */
export function isDropped(error) {
  return error instanceof DOMException && error.name === "AbortError";
}

/** Whether an error says that the thing is not there any more. @param {unknown} error */
export function isGone(error) {
  return error instanceof Refused && error.status === 404;
}

/** What may be shown of an error. @param {unknown} error */
export function wordsOf(error) {
  return error instanceof Refused ? error.message : texts.notDone;
}

/** @param {string} id */
function one(id) {
  return `conversations/${encodeURIComponent(id)}`;
}

/** Relative to this module, so that an app that is served below a path of its own is found too. @param {string} path */
function address(path) {
  return new URL(`../../moa/${path}`, import.meta.url);
}

/** @param {string} path @param {Record<string, string|null>} query nulls are left out */
function withQuery(path, query) {
  const given = Object.entries(query).filter((pair) => pair[1] !== null);
  const words = new URLSearchParams(/** @type {[string, string][]} */ (given));
  return given.length > 0 ? `${path}?${words}` : path;
}

/**
 * @param {string} method @param {string} path
 * @param {{body?: BodyInit, signal?: AbortSignal, lost_ms?: number|null}} [options]
 * @returns {Promise<any>} the JSON; null where there is none
 */
export async function asked(method, path, { body, signal, lost_ms = LOST_MS } = {}) {
  const ends = [signal, lost_ms === null ? undefined : AbortSignal.timeout(lost_ms)];
  /** @type {Record<string, string>} */
  const headers = { accept: "application/json" };
  if (body !== undefined) headers["content-type"] = "application/json";
  try {
    const response = await fetch(address(path), {
      method, body, headers, credentials: "same-origin", cache: "no-store",
      signal: AbortSignal.any(ends.filter((end) => end !== undefined)),
    });
    if (!response.ok) throw new Refused(await reason(response), response.status);
    return response.status === 204 ? null : await response.json();
  } catch (error) {
    if (error instanceof Refused || isDropped(error)) throw error;
    throw new Refused(error instanceof SyntaxError ? texts.notDone : texts.unreachable);
  }
}

/** Our own sentence where the server sent one. @param {Response} response */
async function reason(response) {
  if (response.status === 413) return texts.tooLarge;
  const told = await response.json().catch(() => null);
  const words = told?.error;
  return typeof words === "string" && words.length <= SENTENCE_CHARS ? words : texts.notDone;
}
