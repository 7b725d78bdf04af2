"""A conversation as a Markdown document to read and keep: the path shown, and how each answer was made.
A comparison has all its answers, from left to right.

Texts of people and models are quoted so that none can act outside its place, see ``markdown_quotes``. What models
thought aloud, other branches and other attempts are in the JSON export.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator

from moa.chat.markdown_quotes import inline, quoted
from moa.chat.values import BAD, TIE, ConversationRecord, RunRecord, TurnRecord, Vote
from moa.core.domain import Agent, Finish, LeftOut, Outcome, Proposal, Recipe, RunResult, Slot, Status, Usage
from moa.core.errors import short_reason
from moa.core.money import money

LabelOf = Callable[[str], str]

_UNKNOWN = "unknown"
_LETTERS = "ABCD"
_NO_ANSWER = {
    Status.RUNNING: "*Still being written when this was exported.*",
    Status.CANCELLED: "*Stopped before an answer came.*",
    Status.INTERRUPTED: "*The app stopped before an answer came.*",
}


def conversation_markdown(record: ConversationRecord, label_of: LabelOf) -> str:
    """The document. ``label_of`` gives a model's id a name for readers, also an id that is known no more."""
    blocks = [f"# {inline(record.title) or 'Conversation'}", "Exported from MoA Chat."]
    for number, turn in enumerate(record.turns, 1):
        blocks += _turn(number, turn, label_of)
    return "\n\n".join(blocks) + "\n"


def _turn(number: int, turn: TurnRecord, label_of: LabelOf) -> Iterator[str]:
    yield f"## Question {number}"
    yield f"Asked {_moment(turn.created_at)}."
    yield quoted(turn.question)
    if turn.comparison is None:
        yield from _answer(turn, turn.shown, f"Answer {number}", f"answer {number}", label_of)
        return
    sides = dict(zip(_LETTERS, _sides(turn), strict=False))
    if turn.vote is not None:
        yield _vote(turn.vote, [run.id for run in sides.values()])
    for letter, run in sides.items():
        yield from _answer(turn, run, f"{letter}: {inline(run.recipe.title)}", f"answer {letter}", label_of)


def _sides(turn: TurnRecord) -> list[RunRecord]:
    """The runs shown of a comparison, from left to right."""
    shown = {run.column: run for run in (turn.shown, *turn.columns)}
    return [shown[column] for column in (turn.comparison.order if turn.comparison else ()) if column in shown]


def _vote(vote: Vote, shown: list[str]) -> str:
    chosen = dict(zip(vote.sides, _LETTERS, strict=False)).get(vote.choice, "")
    words = {TIE: "a tie", BAD: "both bad" if len(vote.sides) == 2 else "all bad"}.get(vote.choice, chosen)
    told = [words, "blind" if vote.blind else "with names"]
    told += [] if list(vote.sides) == shown else ["before an answer was written anew"]
    return f"Vote: {', '.join(told)}."


def _answer(turn: TurnRecord, run: RunRecord, heading: str, name: str, label_of: LabelOf) -> Iterator[str]:
    yield f"### {heading}"
    answer = run.result.answer if run.result else ""
    yield quoted(answer) if answer.strip() else _NO_ANSWER.get(run.status, "*No answer came.*")
    yield f"### How {name} was made"
    yield _facts(turn, run, label_of)
    if run.recipe.system:
        yield "The system prompt of every model:"
        yield quoted(run.recipe.system)
    rows = list(_rows(run, label_of))
    if rows:
        yield "\n".join((*_TABLE_HEAD, *rows))
    yield from _texts(run, label_of)


def _facts(turn: TurnRecord, run: RunRecord, label_of: LabelOf) -> str:
    facts = [f"Recipe: {inline(run.recipe.title)} ({_layout(run.recipe)}), seed {run.seed}", f"Status: {run.status}"]
    if run.result:
        facts += [_totals(run.result)]
        facts += [f"Missing: {inline(m.label)}: {inline(m.why)}" for m in run.result.degraded_because if m.label]
        facts += [f"Also: {inline(m.why)}" for m in run.result.degraded_because if not m.label]
        facts += [f"The answer is the text of slot {run.result.answer_slot}"] if run.result.answer_slot else []
    attempts = [attempt.id for attempt in turn.attempts(run.column)]
    if len(attempts) > 1:
        facts.append(f"Attempt {attempts.index(run.id) + 1} of {len(attempts)}")
    personas = [agent for agent in _agents(run.recipe) if agent.system]
    facts += [f"{_name(agent, label_of)} was told: {inline(agent.system or '')}" for agent in personas]
    return "\n".join(f"- {fact}" for fact in facts)


def _layout(recipe: Recipe) -> str:
    if not recipe.layers:
        return "one model alone"
    heads = " + ".join(str(len(layer.agents)) for layer in recipe.layers)
    proposers = "proposer" if heads == "1" else "proposers"
    return f"{heads} {proposers}, then an aggregator; prompts: {recipe.prompt_style}"


def _agents(recipe: Recipe) -> Iterable[Agent]:
    return dict.fromkeys((*(a for layer in recipe.layers for a in layer.agents), recipe.aggregator, *recipe.fallbacks))


def _totals(result: RunResult) -> str:
    calls = "1 call" if result.calls == 1 else f"{result.calls:,} calls"
    usage = result.usage
    tokens = f"{_tokens(usage, 'input_tokens')} tokens in, {_tokens(usage, 'output_tokens')} out" if usage else ""
    time = f"{_seconds(result.duration_ms)} s" if result.duration_ms else "time unknown"
    return f"In all: {time}, {calls}, {tokens or 'tokens unknown'}, {_cost(result)}"


def _cost(result: RunResult) -> str:
    told = money(result.cost_microusd)
    return "cost unknown" if told is None else f"cost: {inline(told)}"


# -- the table of slots

_TABLE_HEAD = (
    "| Slot | Model | Part | Status | Seconds | Tokens in | Tokens out | Cost | Notes |",
    "|---|---|---|---|--:|--:|--:|--:|---|",
)


def _rows(run: RunRecord, label_of: LabelOf) -> Iterator[str]:
    for slot, outcome in _by_slot(run):
        cells = _growing_cells(slot) if outcome is None else _cells(run, outcome, label_of)
        yield f"| {' | '.join(cells)} |"


def _cells(run: RunRecord, outcome: Outcome, label_of: LabelOf) -> list[str]:
    agent, seconds = outcome.agent, _seconds(outcome.duration_ms) if outcome.duration_ms else _UNKNOWN
    head = [str(outcome.slot), _name(agent, label_of), agent.part.value]
    notes = inline(", ".join(_notes(outcome, run.left_out.get(outcome.slot, LeftOut()))))
    if isinstance(outcome, Proposal):
        tokens = [_tokens(outcome.usage, "input_tokens"), _tokens(outcome.usage, "output_tokens")]
        return [*head, "done", seconds, *tokens, inline(money(outcome.cost_microusd) or _UNKNOWN), notes]
    return [*head, f"failed: {short_reason(outcome.kind)}", seconds, "", "", "", notes]


def _growing_cells(slot: Slot) -> list[str]:
    return [str(slot), "", "", "being written", "", "", "", "", ""]


def _notes(outcome: Outcome, left_out: LeftOut) -> Iterator[str]:
    yield from _settings(outcome.agent)
    if outcome.attempts > 1:
        yield f"{outcome.attempts} attempts"
    if isinstance(outcome, Proposal):
        if outcome.first_token_ms is not None:
            yield f"first token after {_seconds(outcome.first_token_ms)} s"
        if outcome.finish is Finish.LENGTH:
            yield "cut at its limit"
        if outcome.reused:
            yield "reused from an earlier attempt"
    if left_out.turns:
        yield f"not sent: {left_out.turns} earlier turns"
    if left_out.proposal_chars:
        yield f"not sent: {left_out.proposal_chars:,} characters of proposals"


_SETTINGS = {"temperature": "temperature", "top_p": "top-p", "max_tokens": "most tokens", "seed": "seed"}


def _settings(agent: Agent) -> Iterator[str]:
    sampling = agent.sampling
    for name, words in _SETTINGS.items():
        value = getattr(sampling, name)
        if value is not None:
            yield f"{words} {value}"
    if sampling.stop:
        yield f"stop {', '.join(sampling.stop)}"


# -- the texts of slots


def _texts(run: RunRecord, label_of: LabelOf) -> Iterator[str]:
    """Every text but the answer's, which stands above."""
    answer_slot = run.result.answer_slot if run.result else None
    for slot, outcome in _by_slot(run):
        if outcome is None:
            yield f"#### {slot}, as far as it was written"
            yield quoted(run.growing[slot])
        elif slot != answer_slot:
            yield f"#### {slot} {_name(outcome.agent, label_of)}"
            yield from _text(outcome)


def _text(outcome: Outcome) -> Iterator[str]:
    if isinstance(outcome, Proposal):
        yield quoted(outcome.text)
        return
    yield f"Failed: {inline(outcome.public)}"
    if outcome.partial.strip():
        yield "What had arrived:"
        yield quoted(outcome.partial)


def _by_slot(run: RunRecord) -> list[tuple[Slot, Outcome | None]]:
    """What every slot gave, in order; None while it grows."""
    found: dict[Slot, Outcome | None] = {} if run.result else dict.fromkeys(run.growing)
    found.update((outcome.slot, outcome) for outcome in run.outcomes)
    return sorted(found.items(), key=lambda entry: entry[0])


# -- words and numbers


def _name(agent: Agent, label_of: LabelOf) -> str:
    label = inline(label_of(agent.model))
    exact = "" if label == inline(agent.model) else f" ({inline(agent.model)})"
    return f"{inline(agent.label)}: {label}{exact}" if agent.label else f"{label}{exact}"


def _tokens(usage: Usage | None, which: str) -> str:
    if usage is None:
        return _UNKNOWN
    return f"{'about ' if usage.estimated else ''}{getattr(usage, which):,}"


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:.1f}"


def _moment(at: dt.datetime) -> str:
    return f"{at.astimezone(dt.UTC):%Y-%m-%d %H:%M} UTC"
