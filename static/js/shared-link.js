// @ts-check
/** What a share link's page asks the server. The link's token is the last part of the page's own address. */
import { texts } from "./texts.js";

/** @typedef {import("./types.js").TurnJson} TurnJson */

// relative to this module, so that an app that is served below a path of its own is found too
const root = new URL("../../", import.meta.url);

/** Why something could not be done, in words for the reader. */
export class Refusal extends Error {}

/**
 * What the link shows. Rejects with a Refusal.
 * @returns {Promise<{title: string, turns: TurnJson[]}>}
 */
export function loadShared() {
  return ask("", "GET");
}

/**
 * Copy what the link shows to the reader's own conversations. Rejects with a Refusal.
 * @returns {Promise<string>} where the copy is
 */
export async function copyShared() {
  const { conversation } = await ask("/copy", "POST");
  const address = new URL(root);
  address.searchParams.set("c", conversation);
  return address.href;
}

/** @param {string} what @param {"GET"|"POST"} method */
async function ask(what, method) {
  const token = location.pathname.split("/").at(-1) ?? "";
  const address = new URL(`moa/shared/${token}${what}`, root);
  let response;
  try {
    response = await fetch(address, { method, headers: { accept: "application/json" }, credentials: "same-origin" });
  } catch {
    throw new Refusal(texts.unreachable); // fetch tells scripts nothing more than that it failed
  }
  if (response.ok) return response.json();
  throw new Refusal(response.status === 404 ? texts.linkGone : await reason(response));
}

/** @param {Response} response @returns {Promise<string>} */
async function reason(response) {
  try {
    return String((await response.json()).error);
  } catch {
    return texts.loadFailed; // not from our server: a proxy's page
  }
}
