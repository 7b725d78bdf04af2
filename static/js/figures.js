// @ts-check
/** Numbers as short words. Unknown is left out or said to be unknown, never shown as 0. */
import { texts } from "./texts.js";

/**
 * "4.2 s · ~310 tokens · $0.0012", of what is known.
 * @param {{seconds: number|null, tokens: number|null, estimated: boolean, cost: string|null}} panel
 */
export function panelFigures(panel) {
  return joined([seconds(panel.seconds), tokens(panel), panel.cost]);
}

/**
 * A run's sums, with an unknown cost named.
 * @param {import("./types.js").TotalsJson} totals @param {boolean} ended
 */
export function totalFigures(totals, ended) {
  const cost = totals.cost ?? (ended && totals.calls > 0 ? texts.unknownCost : null);
  const first = totals.first === null ? null : texts.firstWords(totals.first);
  return joined([first, seconds(totals.seconds), totals.calls > 0 ? texts.calls(totals.calls) : null, tokens(totals), cost]);
}

/** @param {(string|null)[]} parts */
export function joined(parts) {
  return parts.filter((part) => part !== null && part !== "").join(" · ");
}

/** @param {number|null} value */
export function seconds(value) {
  return value === null ? null : texts.seconds(value);
}

/** @param {{tokens: number|null, estimated: boolean}} sum */
function tokens(sum) {
  return sum.tokens === null ? null : texts.tokens(sum.tokens, sum.estimated);
}
