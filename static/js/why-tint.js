// @ts-check
/** Sentences tinted in the proposers' colours, by the page's highlights: the text's elements are left as they are. */
import { VOICES } from "./voices.js";

/** @typedef {{slot: string, voice: string, range: StaticRange}} Tinted */

/** Whether this browser can tint. */
export const canTint = typeof Highlight === "function" && "highlights" in CSS;

/** What is tinted, by who asked for it. @type {Map<object, Tinted[]>} */
const all = new Map();

/**
 * Tint these sentences, and no others of this owner.
 * @param {object} owner @param {Tinted[]} sentences
 */
export function tint(owner, sentences) {
  if (!canTint) return;
  all.set(owner, sentences);
  for (const [other, its] of all) {
    // a conversation that is not shown any more goes without telling
    if (!its.some(({ range }) => range.startContainer.isConnected)) all.delete(other);
  }
  const shown = [...all.values()].flat();
  for (let voice = 1; voice <= VOICES; voice += 1) {
    const ranges = shown.filter((one) => one.voice === String(voice)).map(({ range }) => range);
    if (ranges.length > 0) CSS.highlights.set(`moa-voice-${voice}`, new Highlight(...ranges));
    else CSS.highlights.delete(`moa-voice-${voice}`);
  }
}
