// @ts-check
/** The texts of the compare bar, beside those of `texts.js`. Plain and short; no markup. */
import { texts } from "./texts.js";

/** Words as they stand within a sentence. @param {string} words */
const inner = (words) => words.charAt(0).toLowerCase() + words.slice(1);

export const versusTexts = {
  compare: "Compare",
  compareHint: "Ask several at once, and see their answers side by side",
  bar: "What to compare",
  mixture: "The mixture",
  against: "against",
  and: "and",
  /** @param {string} side */
  answer: (side) => `Answer ${side}`,
  /** @param {number} n */
  opponent: (n) => `Opponent ${n}`,
  groups: { own: "This mixture", recipe: "Recipes", model: "Models" },
  /** @param {string} label @param {string|null} needs */
  choice: (label, needs) => (needs === null ? label : `${label} (${texts.needs(needs)})`),
  temperature: "Temperature",
  /** @param {string} who */
  temperatureOf: (who) => `Temperature of ${inner(who)}`,
  ownTemperature: "Its own",
  /** @param {number} value */
  temperatureIs: (value) => `Temperature ${value}`,
  /** @param {string} who */
  remove: (who) => `Remove ${inner(who)}`,
  add: "Add",
  addHint: "Compare one more",
  blind: "Blind",
  blindHint: "Names stay hidden until you vote",
  shuffled: "in random order",
  reuse: "Reuse",
  reuseHint: "A call that two columns make alike is made and paid once",
  /** @param {number} columns @param {boolean} blind */
  folded: (columns, blind) => (blind ? `${columns}, blind` : `${columns}`),
  foldHint: "What is compared",
};
