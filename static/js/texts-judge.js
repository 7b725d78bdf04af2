// @ts-check
/** The texts around judges, beside those of `texts.js`. Plain and short; no markup. */

/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => `${n.toLocaleString("en")} ${n === 1 ? one : many}`;

export const judgeTexts = {
  ask: "Ask a judge",
  about: "A model reads the answers in two orders, without names. What it says is not counted as a vote.",
  model: "Judge",
  judge: "Judge",
  pending: "Reading the answers in both orders…",
  none: "No model can judge right now: set a key for one first.",
  /** @param {{verdict: string|null, agreed: boolean, biased: "first"|"last"|null}} said */
  verdict: ({ verdict, agreed, biased }) => {
    if (verdict === null) return "It named no answer that could be read: no verdict.";
    if (verdict !== "tie") return `Prefers ${verdict} in both orders.`;
    if (agreed) return "Calls it a tie in both orders.";
    if (biased !== null) return `Prefers whichever comes ${biased}: no verdict.`;
    return "Says something else in each order: no verdict.";
  },
  /** @param {string[]} order @param {string|null} choice */
  reading: ([first], choice) => `${first} first: ${choice === null ? "no verdict" : choice === "tie" ? "a tie" : `prefers ${choice}`}`,
  noReason: "It gave no reason.",
  stale: "An answer has been written anew since. Judge again to have the new one read.",
  /** @param {number} n */
  cut: (n) => `The answers were cut by ${count(n, "character", "characters")} in all, each to the same length at most, to fit the model.`,
  results: {
    title: "Judges",
    about:
      "What models said that you asked to judge. Not counted as votes. Each read the answers in two orders: an answer wins only if it is preferred in both.",
    winsTitle: "Wins by judge",
    winsAbout: "How often each judge preferred a system in both orders.",
  },
};
