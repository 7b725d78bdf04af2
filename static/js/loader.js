// @ts-check
/** What is asked of the server about a turn: the proposals that were not sent with the page, and why its answer. */

/**
 * Ask the server for a whole turn. Rejects when it does not give one.
 * @param {string} id
 * @returns {Promise<import("./types.js").TurnJson>}
 */
export function loadTurn(id) {
  return load(id, "");
}

/**
 * Ask what the proposals tell about a turn's answer; null: nothing. Rejects when the server does not tell.
 * @param {string} id
 * @returns {Promise<import("./types.js").WhyJson|null>}
 */
export async function loadWhy(id) {
  return (await load(id, "/why")).why;
}

/** @param {string} id @param {string} part of the turn @returns {Promise<any>} */
async function load(id, part) {
  // relative to this module, so that an app that is served below a path of its own is found too
  const address = new URL(`../../moa/turns/${encodeURIComponent(id)}${part}`, import.meta.url);
  const response = await fetch(address, { headers: { accept: "application/json" }, credentials: "same-origin" });
  if (!response.ok) throw new Error(`turn${part} not loaded: ${response.status}`);
  return response.json();
}
