// @ts-check
/** What the results page asks the server, and the form of what it gets. Unknown numbers are null. */
import { texts } from "./texts.js";

/**
 * @typedef {{system: string, votes: number, enough: boolean, rank: number, rank_low: number, rank_high: number,
 *   strength: number, strength_low: number, strength_high: number}} Place shares from 0 to 1
 * @typedef {{system: string, against: string, rate: number|null, low: number, high: number, n: number}} Cell
 * @typedef {{system: string, price: number, strength: number, low: number, high: number, front: boolean,
 *   enough: boolean}} Spot
 * @typedef {{spots: Spot[], unknown: string[]}} Chart
 * @typedef {{day: string, votes: number, total: number}} Day
 * @typedef {{head: string[], rows: (string|number|null)[][]}} Table
 * @typedef {{votes: number, blind: number, enough: boolean, early: string, ties: string, notes: string[], plain: Place[],
 *   controlled: Place[], matrix: Cell[], dollars: Chart, seconds: Chart, days: Day[],
 *   overlap: {mean: number|null, items: number}, overlap_early: string, tables: Record<string, Table>,
 *   judges: {tables: Record<string, Table>}}} Results what judges said stands apart from the votes
 */

// relative to this module, so that an app that is served below a path of its own is found too
const root = new URL("../../", import.meta.url);

/** Whether the page's address asks for blind votes alone. */
export const blindOnly = new URLSearchParams(location.search).get("blind") === "1";
const asked = blindOnly ? "?blind=1" : "";

/** Why something could not be done, in words for the reader. */
export class Refusal extends Error {}

/** All results. Rejects with a Refusal. @returns {Promise<Results>} */
export async function loadResults() {
  let response;
  try {
    response = await fetch(new URL(`moa/results.json${asked}`, root), { credentials: "same-origin" });
  } catch {
    throw new Refusal(texts.unreachable); // fetch tells scripts nothing more than that it failed
  }
  if (response.ok) return response.json();
  throw new Refusal(await reason(response));
}

/** @param {string} table @returns {string} the address of a table's file */
export function fileOf(table) {
  return new URL(`moa/results/${table}.csv${asked}`, root).href;
}

/** @param {Response} response @returns {Promise<string>} */
async function reason(response) {
  try {
    return String((await response.json()).error);
  } catch {
    return texts.loadFailed; // not from our server: a proxy's page
  }
}
