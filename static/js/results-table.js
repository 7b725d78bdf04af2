// @ts-check
/** Tables: the numbers behind each chart, and the wins of each system over each other. */
import { el } from "./dom.js";
import { fileOf } from "./results-data.js";
import { texts } from "./texts.js";

/** @typedef {import("./results-data.js").Cell} Cell */
/** @typedef {import("./results-data.js").Table} Table */

/** @param {string} title @param {Table} table @returns {HTMLElement} */
export function tableOf(title, table) {
  const numeric = table.head.map((_, i) => table.rows.every((row) => typeof row[i] !== "string"));
  const head = table.head.map((text, i) => el("th", { scope: "col", text, class: numeric[i] ? "moa-number" : null }));
  const rows = table.rows.map((row) => el("tr", {}, ...row.map((value, i) => cell(value, i, numeric[i]))));
  return wide(texts.results.tableOf(title), el("table", {}, el("thead", {}, el("tr", {}, ...head)), el("tbody", {}, ...rows)));
}

/** The table behind a chart, folded, and its file. @param {string} name @param {string} title @param {Table} table */
export function foldedTable(name, title, table) {
  const folded = el("details", {}, el("summary", { "aria-label": texts.results.tableOf(title), text: texts.results.table }));
  folded.addEventListener("toggle", () => folded.append(tableOf(title, table)), { once: true });
  return el("div", { class: "moa-results-more" }, folded, fileLink(name, title));
}

/** @param {string} name @param {string} title */
export function fileLink(name, title) {
  const label = texts.results.fileOf(title);
  return el("a", { class: "moa-link", href: fileOf(name), download: true, "aria-label": label, text: texts.results.file });
}

/** Rows win against columns. @param {Cell[]} cells row after row @returns {HTMLElement} */
export function matrixOf(cells) {
  const systems = [...new Set(cells.map((one) => one.system))];
  const met = new Map(cells.map((one) => [JSON.stringify([one.system, one.against]), one]));
  const head = systems.map((text) => el("th", { scope: "col", dir: "auto", text }));
  const rows = systems.map((system) => el("tr", {}, el("th", { scope: "row", dir: "auto", text: system }),
    ...systems.map((against) => duel(met.get(JSON.stringify([system, against])), system === against))));
  const corner = el("th", { scope: "col", text: texts.results.corner });
  return wide(texts.results.winMatrix, el("table", { class: "moa-heat" },
    el("thead", {}, el("tr", {}, corner, ...head)), el("tbody", {}, ...rows)));
}

/** @param {Cell|undefined} found @param {boolean} same */
function duel(found, same) {
  if (same || !found || found.rate === null) return el("td", { class: "moa-quiet", text: same ? "–" : texts.results.neverMet });
  const from = texts.results.interval(found.rate, found.low, found.high);
  const node = el("td", { title: from, "data-side": found.rate > 0.5 ? "won" : found.rate < 0.5 ? "lost" : null },
    el("b", { text: texts.results.percent(found.rate) }), el("small", { text: texts.results.from(found.n) }));
  const heat = Math.abs(found.rate - 0.5) * 80; // of the colour at most 40 %, on which words can be read, also in the dark
  node.style.setProperty("--moa-heat", `${Math.round(heat)}%`);
  return node;
}

/** A table that is scrolled in its own box, also with the keyboard. @param {string} name @param {HTMLElement} table */
function wide(name, table) {
  return el("div", { class: "moa-results-table", role: "region", tabindex: "0", "aria-label": name }, table);
}

/** @param {string|number|null} value @param {number} column @param {boolean} numeric */
function cell(value, column, numeric) {
  const text = value === null ? "–" : typeof value === "number" ? value.toLocaleString("en", { maximumFractionDigits: 6 }) : value;
  if (column === 0) return el("th", { scope: "row", dir: "auto", text });
  return el("td", { class: numeric ? "moa-number" : null, dir: "auto", text });
}
