// @ts-check
/** Turns whose proposals were not sent with the page. */

/**
 * Ask the server for a whole turn. Rejects when it does not give one.
 * @param {string} id
 * @returns {Promise<import("./types.js").TurnJson>}
 */
export async function loadTurn(id) {
  // relative to this module, so that an app that is served below a path of its own is found too
  const address = new URL(`../../moa/turns/${encodeURIComponent(id)}`, import.meta.url);
  const response = await fetch(address, { headers: { accept: "application/json" }, credentials: "same-origin" });
  if (!response.ok) throw new Error(`turn not loaded: ${response.status}`);
  return response.json();
}
