// @ts-check
/** What is set in the compare bar, kept in this tab: a page that is loaded again begins with it. */

/** @typedef {import("./types.js").VersusJson} VersusJson */
/** @typedef {import("./types.js").OpponentJson} OpponentJson */
/** @typedef {Pick<VersusJson, "on"|"picked"|"blind"|"reuse">} Kept */

const KEPT = "moa-versus";

/** @param {VersusJson} value */
export function keep({ on, picked, blind, reuse }) {
  try {
    sessionStorage.setItem(KEPT, JSON.stringify({ on, picked, blind, reuse }));
  } catch {
    // storage is off in this browser: then a reload begins anew
  }
}

/**
 * A value with what was kept in its place, without what is not offered any more; off when nothing is left of it. The
 * value itself where nothing was kept that makes sense.
 * @param {VersusJson} value @returns {VersusJson}
 */
export function withKept(value) {
  const kept = read();
  if (kept === null) return value;
  const offered = new Set(value.choices.filter(({ needs }) => needs === null).map(({ id }) => id));
  const left = kept.picked.filter(({ system }) => offered.has(system)).slice(0, value.max);
  const { blind, reuse } = kept;
  return { ...value, on: kept.on && left.length > 0, picked: left.length > 0 ? left : value.picked, blind, reuse };
}

/** @returns {Kept|null} */
function read() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
    const flags = [kept?.on, kept?.blind, kept?.reuse];
    if (flags.some((flag) => typeof flag !== "boolean") || !Array.isArray(kept.picked)) return null;
    return { ...kept, picked: kept.picked.filter(isOpponent).map(opponent) };
  } catch {
    return null; // no storage, or not ours
  }
}

/** @param {any} one */
function isOpponent(one) {
  const degrees = one?.temperature ?? null;
  return typeof one?.system === "string" && (degrees === null || (Number.isFinite(degrees) && degrees >= 0 && degrees <= 2));
}

/** @param {OpponentJson} one @returns {OpponentJson} */
function opponent({ system, temperature }) {
  return { system, temperature: temperature ?? null };
}
