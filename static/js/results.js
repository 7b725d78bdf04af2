// @ts-check
/** The results page: what the votes say of the systems, chart by chart. */
import { el, show } from "./dom.js";
import { overDays } from "./results-days.js";
import { Refusal, blindOnly, loadResults } from "./results-data.js";
import { judged } from "./results-judges.js";
import { ranking } from "./results-ranking.js";
import { scatter } from "./results-scatter.js";
import { fileLink, foldedTable, matrixOf, tableOf } from "./results-table.js";
import { texts } from "./texts.js";

/** @typedef {import("./results-data.js").Results} Results */

const says = /** @type {HTMLElement} */ (document.getElementById("moa-results-says"));
const all = /** @type {HTMLElement} */ (document.getElementById("moa-results"));
const words = texts.results;

async function open() {
  say(texts.loading);
  try {
    draw(await loadResults());
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    say(error.message, open);
  }
}

/** @param {Results} results */
function draw(results) {
  if (results.votes === 0) {
    say(blindOnly ? words.noBlind : words.none);
    all.replaceChildren(blindOnly ? otherVotes(results) : el("p", {}, el("a", { class: "moa-link", href: "./", text: words.toChat })),
      ...judged(results.judges.tables));
    return;
  }
  say(blindOnly ? words.onlyBlind(results.votes) : words.counted(results.votes, results.blind));
  all.replaceChildren(otherVotes(results), ...(results.enough ? quality(results) : [early(results)]), ...facts(results));
}

/** The way from all votes to the blind ones and back. @param {Results} results */
function otherVotes({ votes, blind }) {
  if (!blindOnly && (blind === 0 || blind === votes)) return "";
  const [href, text] = blindOnly ? ["results", words.toAll] : ["results?blind=1", words.toBlind];
  return el("p", { class: "moa-results-which" }, el("a", { class: "moa-link", href, text }));
}

/** @param {Results} results */
function early(results) {
  return el("p", { class: "moa-results-early", role: "status" },
    el("strong", { text: results.early }), el("span", { text: words.earlyWhy }));
}

/** What only enough votes can tell. @param {Results} results */
function quality(results) {
  const { tables } = results;
  const notes = [results.ties, words.failed, ...results.notes];
  return [
    el("ul", { class: "moa-results-notes" }, ...notes.map((text) => el("li", { text }))),
    section("ranking", words.ranking, words.rankingAbout, ranking(results.plain, results.controlled), tables),
    priced("dollars", words.dollars, results, { label: words.dollarsAxis, price: words.dollarsOf, unit: 1_000_000 }),
    priced("seconds", words.seconds, results, { label: words.secondsAxis, price: words.secondsOf, unit: 1 }),
    section("matrix", words.matrix, words.matrixAbout, matrixOf(results.matrix), tables),
    section("overlap", words.overlap, words.overlapAbout, overlap(results), tables),
    section("style", words.style, words.styleAbout, null, tables),
    ...(results.tables.tags.rows.length > 0 ? [section("tags", words.tags, words.tagsAbout, null, tables)] : []),
  ];
}

/** What holds from the first vote on. @param {Results} results */
function facts(results) {
  return [
    section("systems", words.systems, words.systemsAbout, null, results.tables),
    section("days", words.days, "", overDays(results.days), results.tables),
    ...judged(results.judges.tables),
  ];
}

/**
 * @param {"dollars"|"seconds"} name @param {string} title @param {Results} results
 * @param {{label: string, price: (value: number) => string, unit: number}} kind
 */
function priced(name, title, results, kind) {
  const { spots, unknown } = results[name];
  const missing = unknown.length > 0 ? [words.unknown(unknown)] : [];
  const about = spots.length > 0 ? [words.scatterAbout, ...missing].join(" ") : words.unpriced;
  return section(name, title, about, spots.length > 0 ? scatter(spots, kind) : el("div"), results.tables);
}

/** @param {Results} results */
function overlap({ overlap: { mean, items }, overlap_early: early }) {
  const found = el("p", { class: "moa-results-figure" });
  if (early || mean === null) found.append(el("strong", { text: early }), el("span", { text: words.overlapNeeds }));
  else found.append(el("strong", { text: words.rho(mean) }), el("span", { text: words.overlapSays(mean, items) }));
  return found;
}

/**
 * @param {string} name of its table @param {string} title @param {string} about
 * @param {HTMLElement|null} chart null: the table itself is what is shown
 * @param {Results["tables"]} tables
 */
function section(name, title, about, chart, tables) {
  const id = `moa-results-${name}`;
  const shown = chart
    ? [chart, foldedTable(name, title, tables[name])]
    : [tableOf(title, tables[name]), el("div", { class: "moa-results-more" }, fileLink(name, title))];
  return el("section", { class: "moa-results-part", "aria-labelledby": id },
    el("h2", { id, text: title }), about ? el("p", { class: "moa-quiet", text: about }) : null, ...shown);
}

/** @param {string} text @param {() => void} [again] offered with it */
function say(text, again) {
  says.replaceChildren(text);
  if (again) says.append(" ", el("button", { type: "button", class: "moa-link", text: texts.tryAgain, onclick: again }));
  show(says, text !== "");
}

open();
