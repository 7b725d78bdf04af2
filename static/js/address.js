// @ts-check
/** The address names the conversation that is shown, so that a reload and a bookmark find it again. */

const PARAMETER = "c";

/** @param {string|null|undefined} id the conversation shown; none for the first screen */
export function showInAddress(id) {
  const url = new URL(location.href);
  if ((url.searchParams.get(PARAMETER) ?? "") === (id ?? "")) return;
  if (id) url.searchParams.set(PARAMETER, id);
  else url.searchParams.delete(PARAMETER);
  history.replaceState(history.state, "", url);
}
