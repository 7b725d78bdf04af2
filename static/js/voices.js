// @ts-check
/** The colours that tell proposers apart. */

/** How many there are; the next proposer starts again. */
export const VOICES = 6;

/** The number of a slot's colour. @param {string} slot "1.2" */
export function voiceOf(slot) {
  return String((positionOf(slot) - 1) % VOICES + 1);
}

/** A slot's place in its layer, from 1. @param {string} slot "1.2" */
export function positionOf(slot) {
  return Number(slot.split(".")[1]) || 1;
}
