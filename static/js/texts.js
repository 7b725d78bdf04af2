// @ts-check
/** Every text the browser side shows, in one place. Plain and short; no markup. */

/** @param {number} n @param {string} one @param {string} many */
const count = (n, one, many) => `${n} ${n === 1 ? one : many}`;

export const texts = {
  status: {
    waiting: "Waiting",
    running: "Writing",
    done: "Done",
    failed: "Failed",
    stopped: "Stopped",
  },
  you: "You",
  answer: "Answer",
  thinking: "Thinking",
  copy: "Copy",
  copied: "Copied",
  copyFailed: "Press Ctrl+C",
  copyAnswer: "Copy answer",
  copyCode: "Copy code",
  regenerate: "Regenerate",
  retry: "Retry",
  fullHeight: "Full height",
  lessHeight: "Less height",
  jump: "Jump to newest",
  unknownCost: "cost unknown",
  /** @param {string} who */
  copyPanel: (who) => `Copy ${who}`,
  /** @param {string} who */
  stopPanel: (who) => `Stop ${who}`,
  /** @param {number} n */
  layer: (n) => `Layer ${n}`,
  analysis: "Analysis",
  /** @param {number} n */
  proposers: (n) => count(n, "proposer", "proposers"),
  /** @param {number} n */
  calls: (n) => count(n, "call", "calls"),
  /** @param {number} n */
  failed: (n) => `${n} failed`,
  /** @param {number} n @param {number} of */
  doneOf: (n, of) => `${n} of ${of} done`,
  /** @param {number} s @returns {string} */
  firstWords: (s) => `first words after ${texts.seconds(s)}`,
  /** @param {number} s */
  seconds: (s) => (s < 60 ? `${s.toFixed(1)} s` : `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`),
  /** @param {number} n @param {boolean} estimated */
  tokens: (n, estimated) => `${estimated ? "~" : ""}${count(n, "token", "tokens").replace(/^\d+/, n.toLocaleString("en"))}`,
  loading: "Loading…",
  loadFailed: "This could not be loaded.",
  tryAgain: "Try again",
  waitingForModel: "Waiting for its first words",
  waitingForLayer: "Starts when the layer before it is done",
  waitingForProposals: "Reads the proposals next",
  noText: "No text.",
  plain: "Shown as plain text: its formatting would freeze the page.",
  /** @param {number} shown */
  cut: (shown) => `Shown as formatted up to ${shown.toLocaleString("en")} characters. The rest, as plain text:`,
  /** @param {string} host */
  image: (host) => `[image: ${host}]`,
  /** @param {string} host */
  media: (host) => `[media: ${host}]`,
  imageHere: "[image]",
  history: "Conversations",
  settings: "Mixture",
  noHistory: "Your conversations will stand here.",
  running: "running",
  /** @param {string} title */
  more: (title) => `More for ${title}`,
  rename: "Rename",
  renameTo: "New title",
  save: "Save",
  cancel: "Cancel",
  remove: "Delete",
  pin: "Pin",
  unpin: "Unpin",
  archive: "Archive",
  unarchive: "Move back to conversations",
  share: "Share…",
  downloadMarkdown: "Download Markdown",
  downloadJson: "Download JSON",
  pinned: "Pinned",
  today: "Today",
  yesterday: "Yesterday",
  showMore: "Show more",
  manage: "Archive, import and export",
  archived: "Archived",
  backToHistory: "Back to conversations",
  noArchived: "Nothing is archived.",
  importFile: "Import…",
  importName: "File to import",
  downloadAll: "Download all",
  undo: "Undo",
  dismiss: "Dismiss",
  /** @param {number} n */
  deleted: (n) => (n === 1 ? "Deleted" : `${n} conversations deleted`),
  restored: "Restored",
  /** @param {boolean} archived */
  moved: (archived) => (archived ? "Archived" : "Moved back to conversations"),
  notDone: "That didn't work. Try again.",
  tooLarge: "This file is too large.",
  search: "Search",
  clearSearch: "Clear search",
  nothingFound: "Nothing found",
  /** @param {number} n @param {boolean} more */
  found: (n, more) => `${n}${more ? " or more" : ""} found`,
  where: {
    title: "in the title",
    question: "in a question",
    answer: "in the answer",
    proposal: "in a proposal",
  },
  /** @param {string} name */
  importing: (name) => `Importing ${name}`,
  /** @param {number} n @param {number} skipped */
  imported: (n, skipped) =>
    `${count(n, "conversation", "conversations")} imported${skipped > 0 ? `, ${skipped.toLocaleString("en")} skipped` : ""}`,
  /** @param {string} title */
  shareHead: (title) => `Share “${title}”`,
  shareAbout: "Anyone with the link can read this conversation as it is now.",
  shareFor: "The link works for",
  /** @param {number} n */
  days: (n) => (n === 365 ? "1 year" : count(n, "day", "days")),
  shareMake: "Create link",
  shareLink: "Link",
  shareOnce: "Copy it now: this link is shown only once.",
  copyLink: "Copy link",
  shareList: "Links that work",
  /** @param {string} date */
  shareUntil: (date) => `Works until ${date}`,
  /** @param {string} date */
  shareSince: (date) => `Made ${date}`,
  revoke: "Revoke",
  /** @param {string} made */
  revokeLink: (made) => `Revoke the link made ${made}`,
  revoked: "Link revoked",
  close: "Close",
  untitled: "New conversation",
  proposersHead: "Proposers",
  addProposer: "Add a proposer",
  searchModels: "Search models",
  noModels: "No model has that in its name.",
  noPicked: "No proposers: the aggregator answers alone.",
  /** @param {string} variable */
  needs: (variable) => `needs ${variable}`,
  /** @param {string} label */
  oneMore: (label) => `One more ${label}`,
  /** @param {string} label */
  oneLess: (label) => `One less ${label}`,
  /** @param {string} label */
  removeModel: (label) => `Remove ${label}`,
  /** @param {number} n @param {number} max */
  pickedOf: (n, max) => `${n} of at most ${max}`,
  attempts: "Attempts",
  earlierAttempt: "Earlier attempt",
  laterAttempt: "Later attempt",
  /** @param {number} n @param {number} of */
  attemptOf: (n, of) => `Attempt ${n} of ${of}`,
  versions: "Versions of the question",
  earlierVersion: "Earlier version",
  laterVersion: "Later version",
  /** @param {number} n @param {number} of */
  versionOf: (n, of) => `Version ${n} of ${of}`,
  editQuestion: "Edit question",
  editHint: "The old question stays, with all that followed.",
  askAgain: "Ask again",
  askAgainHint: "The others are kept, the answer is written anew.",
  askOther: "Ask another model…",
  /** @param {string} who */
  askInstead: (who) => `Ask instead of ${who}`,
  answerOnly: "Answer only",
  answerOnlyHint: "The proposals are kept.",
  otherWays: "Other ways to answer again",
  regenerateHint: "Ask everything again, with the mixture that is set now",
  resume: "Resume",
  resumeHint: "Calls only what is missing",
  retryHint: "Asks everything again",
  answerNow: "Answer now",
  answerNowHint: "Stop waiting: write the answer from the proposals that are done",
  fork: "Continue from here",
  /** @param {string} question */
  forkedFrom: (question) => `Continuing from: “${question}”`,
  unfork: "Continue from the end instead",
  leftOut: "The next question leaves out what follows",
  why: "Why this answer",
  whyAbout: "Which proposal each part of the answer comes nearest to. This compares wording, not meaning.",
  whyLoading: "Comparing the texts…",
  whyFailed: "The texts could not be compared.",
  whyNothing: "There is nothing to compare here.",
  whyProposers: "Proposers",
  whyTint: "Tint sentences",
  /** @param {number} n @param {number} of */
  whySentences: (n, of) => `${n} of ${count(of, "sentence", "sentences")}`,
  /** @param {string} share */
  overlap: (share) => `Overlap with the answer ${share}`,
  overlapHint: "Of the wording that the answer shares with the proposals (BLEU), so much is in this one",
  /** @param {number} share */
  percent: (share) => `${Math.round(share * 100)} %`,
  agreement: "How alike the proposals are",
  onlyOne: "Only one said",
  noneAlone: "Nothing of note: all proposals say much the same.",
  examples: "Try one of these",
  send: "Send",
  app: "MoA Chat",
  unreachable: "The server can't be reached.",
  linkGone: "This link doesn't work any more.",
  copying: "Copying…",
  compare: {
    /** @param {string} side */
    answer: (side) => `Answer ${side}`,
    /** @param {string} side */
    copy: (side) => `Copy answer ${side}`,
    rewrite: "Write again",
    /** @param {string} side */
    rewriteOf: (side) => `Write again answer ${side}`,
    rewriteHint: "Only this answer is written anew",
    unfinished: "This answer was not finished.",
    notFinished: "Not finished",
    jump: "Go to an answer",
    /** @param {string} figures */
    together: (figures) => (figures ? `Together: ${figures}` : ""),
    vote: "Your vote",
    ask: "Which answer is better?",
    wait: "Vote when all answers are there",
    stale: "Your vote was for the earlier answers. Vote again?",
    /** @param {string} choice @param {number} count */
    choice: (choice, count) => {
      if (choice === "tie") return "Tie";
      if (choice === "bad") return count > 2 ? "All bad" : "Both bad";
      return `${choice} is better`;
    },
    /** @param {string[]} sides */
    keys: (sides) => `Keys: ${[...sides, "T", "X"].join(", ")}`,
    /** @param {string} choice @param {number} count */
    chose: (choice, count) => (choice.length === 1 ? `You chose ${choice}.` : `You chose “${texts.compare.choice(choice, count)}”.`),
    /** @param {string} choice @param {{side: string, name: string}[]} columns */
    was: (choice, columns) => {
      const chosen = columns.find(({ side }) => side === choice);
      const others = columns.filter((column) => column !== chosen).map(({ side, name }) => `${side} was ${name}`).join(", ");
      const first = chosen ? `You chose ${choice}: ${chosen.name}.` : texts.compare.chose(choice, columns.length);
      return `${first} ${others}.`;
    },
    tags: "Tags",
    tagsHint: "code, short",
    results: "Results",
  },
  results: {
    none: "No votes yet. Compare two answers to begin.",
    toChat: "Go to MoA Chat",
    earlyWhy: "Win rates and the ranking are shown from 10 votes on.",
    /** @param {number} n */
    votes: (n) => count(n, "vote", "votes"),
    /** @param {number} n @param {number} blind how many of them */
    counted: (n, blind) => `${count(n, "vote", "votes")}, ${blind || "none"} of them blind: given before the names were shown.`,
    /** @param {number} n */
    onlyBlind: (n) => `${count(n, "blind vote", "blind votes")}: given before the names were shown.`,
    noBlind: "No blind votes yet.",
    toBlind: "Count only blind votes",
    toAll: "Count all votes",
    failed: "A system that failed to answer counts as you voted. An answer that was stopped or cut off is left out.",
    ranking: "Ranking",
    rankingAbout:
      "Strength is the chance to win against the average system. ● by the votes alone, ◇ as if all answers had the same length and style. Bars are 95 % intervals; dashed: fewer than 10 votes.",
    strengthAxis: "Strength: wins against the average (%)",
    dollars: "Quality against dollars",
    dollarsAxis: "Mean cost of an answer ($)",
    seconds: "Quality against seconds",
    secondsAxis: "Median time of an answer (s)",
    scatterAbout: "● on the front: no other is as strong for less. ○ beaten. Bars are 95 % intervals; dashed: fewer than 10 votes.",
    /** @param {string[]} systems */
    unknown: (systems) => `Not known for ${systems.join(", ")}.`,
    unpriced: "Not known for any system.",
    matrix: "Who wins against whom",
    matrixAbout: "How often the system of the row wins against that of the column. Point at a cell for its 95 % interval; the table has them all.",
    style: "What style is worth",
    styleAbout: "What an answer gains when it has more of this than the other, by a typical difference. Below 0 it loses.",
    tags: "By tag",
    tagsAbout: "How often each system wins where a tag is set, with its 95 % interval.",
    systems: "Cost and time",
    systemsAbout: "Over all answers that were voted on. A dash is unknown.",
    days: "Votes over time",
    table: "Table",
    /** @param {string} title */
    tableOf: (title) => `Table: ${title}`,
    file: "CSV",
    /** @param {string} title */
    fileOf: (title) => `CSV: ${title}`,
    winMatrix: "Win matrix",
    corner: "Wins of ↓ against →",
    neverMet: "no votes",
    /** @param {number} n */
    from: (n) => `of ${n}`,
    /** @param {number} share */
    percent: (share) => `${Math.round(share * 100)} %`,
    /** @param {number} rate @param {number} low @param {number} high */
    interval: (rate, low, high) => `${Math.round(rate * 100)} % (${Math.round(low * 100)}–${Math.round(high * 100)} %)`,
    /** @param {string} label */
    logScale: (label) => `${label}, log scale`,
    /** @param {number} value */
    dollarsOf: (value) => `$${value.toLocaleString("en", { maximumSignificantDigits: 2, maximumFractionDigits: 6 })}`,
    /** @param {number} value */
    secondsOf: (value) => `${value.toLocaleString("en", { maximumSignificantDigits: 3 })} s`,
    /** @param {string} system @param {number} strength @param {string} price */
    spot: (system, strength, price) => `${system} with ${Math.round(strength * 100)} % for ${price}`,
    /** @param {string[]} spots */
    front: (spots) => `The most for what it takes: ${spots.join("; ")}.`,
    /** @param {number} rank @param {string} system @param {number} strength */
    placed: (rank, system, strength) => `${rank}. ${system}, ${Math.round(strength * 100)} %`,
    /** @param {string[]} places */
    ranked: (places) => `Ranking by strength: ${places.join("; ")}.`,
    /** @param {number} total @param {string} first @param {string} last */
    grown: (total, first, last) => (first === last ? `${count(total, "vote", "votes")} on ${first}.` : `${count(total, "vote", "votes")} from ${first} to ${last}.`),
    overlap: "Do mixtures follow their best proposers?",
    overlapAbout:
      "For each answer of a mixture: whether its wording has more of those proposals (BLEU) whose models you rank higher. 1 is always, 0 no connection, −1 the reverse (Spearman's ρ, mean of the newest 1,000 answers at most).",
    overlapNeeds: "It counts answers of mixtures with two proposers at least that you also compared by themselves.",
    /** @param {number} rho */
    rho: (rho) => `ρ = ${rho.toFixed(2).replace("-", "−")}`,
    /** @param {number} rho @param {number} items */
    overlapSays: (rho, items) => {
      const leaning = Math.abs(rho) < 0.2 ? "No clear connection" : rho > 0 ? "They lean on what wins" : "They lean on what loses";
      return `${leaning}, over ${count(items, "answer", "answers")}.`;
    },
  },
};
