// @ts-check
/** The models that can be asked, as the mixer was told them: the one list, for all that offers a choice. */

/** @typedef {import("./types.js").ChoiceJson} ChoiceJson */

/** @type {ChoiceJson[]} */
let offered = [];

/** @param {ChoiceJson[]} choices */
export function offer(choices) {
  offered = choices;
}

/** Those with every word of `wanted` in their name, id or provider. @param {string} wanted */
export function models(wanted = "") {
  const words = wanted.trim().toLowerCase().split(/\s+/);
  return offered.filter(({ label, id, provider }) => {
    const all = `${label} ${id} ${provider}`.toLowerCase();
    return words.every((word) => all.includes(word));
  });
}
