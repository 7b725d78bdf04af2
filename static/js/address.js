// @ts-check
/** The address names the conversation that is shown, so that a reload and a bookmark find it again. */

const PARAMETER = "c";
/** What a link fills the first screen in with; a conversation has it behind it. */
const LINK = ["q", "recipe", "vs", "blind"];

/** @param {string|null|undefined} id the conversation shown; none for the first screen */
export function showInAddress(id) {
  const url = new URL(location.href);
  const asked = url.searchParams;
  const gone = (id ? LINK : [PARAMETER]).filter((name) => asked.has(name));
  if (gone.length === 0 && (asked.get(PARAMETER) ?? "") === (id ?? "")) return;
  for (const name of gone) asked.delete(name);
  if (id) asked.set(PARAMETER, id);
  history.replaceState(history.state, "", url);
}
