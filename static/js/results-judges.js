// @ts-check
/** What judges said, apart from the votes: one table of the judges, one of what each preferred. */
import { el } from "./dom.js";
import { fileLink, tableOf } from "./results-table.js";
import { judgeTexts } from "./texts-judge.js";

/** @typedef {import("./results-data.js").Table} Table */

/** @param {Record<string, Table>} tables by the names they have in addresses @returns {HTMLElement[]} none without a judge */
export function judged(tables) {
  const { title, about, winsTitle, winsAbout } = judgeTexts.results;
  if (tables.judges.rows.length === 0) return [];
  return [part("judges", title, about, tables), part("judge-wins", winsTitle, winsAbout, tables)];
}

/** @param {string} name @param {string} title @param {string} about @param {Record<string, Table>} tables */
function part(name, title, about, tables) {
  const id = `moa-results-${name}`;
  return el("section", { class: "moa-results-part", "aria-labelledby": id }, el("h2", { id, text: title }),
    el("p", { class: "moa-quiet", text: about }), tableOf(title, tables[name]),
    el("div", { class: "moa-results-more" }, fileLink(name, title)));
}
