// @ts-check
/** A key for each submit: the server takes two submits with one key as the same. */

/** Two clicks closer than this are one, where nothing else tells submits apart. Milliseconds. */
const DOUBLE_MS = 1_000;

let last = { name: "", key: "", at_ms: -Infinity };

/**
 * Put a request key into the last of an event's inputs, and behind an @ when it was chosen, in ms of the page's clock:
 * events may reach the server in another order.
 * @param {unknown[]} inputs
 * @param {number} binding how many of the first inputs name the submit: while they are the same, so is the key;
 *     with 0, only for a double click
 */
export function keyed(inputs, binding) {
  const name = JSON.stringify([binding, inputs.slice(0, binding)]);
  const at_ms = performance.now();
  const again = name === last.name && (binding > 0 || at_ms - last.at_ms < DOUBLE_MS);
  last = { name, key: again ? last.key : newKey(), at_ms };
  return [...inputs.slice(0, -1), `${last.key}@${at_ms}`];
}

/** Another conversation is shown, so that the same words again are another submit. */
export function forget() {
  last = { name: "", key: "", at_ms: -Infinity };
}

/** 32 hexadecimal digits. Not `randomUUID`, which is missing on plain HTTP beyond localhost. */
function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
