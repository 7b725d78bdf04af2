"""The Markdown export: what a reader finds in it, and that no text in it acts outside its place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from moa.chat.markdown_export import conversation_markdown
from moa.chat.markdown_quotes import fenced, inline, quoted
from moa.chat.values import Comparison, ConversationRecord, Vote
from moa.core.domain import (
    Agent,
    Failure,
    FailureKind,
    Layer,
    LeftOut,
    Missing,
    Outcome,
    Proposal,
    Recipe,
    RunResult,
    Sampling,
    Slot,
    Status,
    Usage,
)
from tests.support.trees import NOON, ONE, RECIPE, TWO, WRITER, record, run, turn

READER = MarkdownIt("commonmark").enable("table")

HOSTILE = [
    "<script>alert(1)</script>",
    "<!-- never closed",
    "<div><table><tr>",
    "```\n</details>\n# Heading",
    "````\n```\n`````",
    "~~~~\n~~~\n<b>",
    "---\ntitle: x\n---",
    "![x](https://evil.example/?q=1)",
    "![x][y]\n\n[y]: https://evil.example",
    "[x](javascript:alert(1))",
    "[x](&#106;avascript:alert(1))",
    "[x]( <javascript:alert(1)> )",
    "[x](\njavascript:alert(1))",
    "> ```\n<b>",
    "- ```\n  <b>\n```",
    "1. a\n\n   ```\n<b>",
    " ```\n```\n<b>",
    "```\n\t```\n<b>",
    "```\n```\t\n<b>",
    "```\r<b>",
    "```\x85```\u2028<b>",
    "text\n===\n\n# Question 9\n\n### Answer 9",
    "| a | b |\n|---|---|\n| c | d |",
    "\t<b>",
    "    <b>",
    "<https://evil.example>",
    "&lt;script&gt;",
    "a  \nb\\\nc",
]


def tokens(markdown: str) -> list[Token]:
    """Every token, also those inside of lines."""
    found = []
    for token in READER.parse(markdown):
        found += [token, *(token.children or ())]
    return found


def assert_harmless(markdown: str) -> None:
    found = tokens(markdown)
    assert not {token.type for token in found} & {"html_block", "html_inline", "image"}
    links = [str(token.attrs["href"]) for token in found if token.type == "link_open"]
    assert all(link.startswith(("https://", "http://", "mailto:")) for link in links)
    references: dict[str, object] = {}
    READER.parse(markdown, references)
    assert not references.get("references")


def outline(markdown: str) -> list[str]:
    """What stands at the top of the document, block by block."""
    return [token.type for token in READER.parse(markdown) if token.level == 0 and token.nesting >= 0]


def headings(markdown: str) -> list[str]:
    found: Sequence[Token] = READER.parse(markdown)
    return [
        f"{token.tag} {found[place + 1].content}"
        for place, token in enumerate(found)
        if token.type == "heading_open" and token.level == 0
    ]


FRAGMENTS = st.lists(
    st.sampled_from([
        *HOSTILE, "\n", "\n\n", "`", "```", "```py", "````", "~~~", "\t", " ", "    ", "> ", "- ", "1. ", "<b>", "<!--",
        "![", "[a]", "(http://a)", "]: x", "#", "---", "|", "\\", "a", "&lt;", "\r", "\u2028",
    ]),
    max_size=14,
).map("".join)  # fmt: skip


@settings(max_examples=1_000, deadline=None)
@given(FRAGMENTS | st.text(max_size=60))
@example("```\n\t```\n<b>")
@example("```\n ```\t \n<b>")
@example("a\n```\n<b>\n```\nb")
@example("")
def test_B18_no_text_leaves_its_quote(text: str) -> None:
    document = f"before\n\n{quoted(text)}\n\nafter"
    assert outline(document) in (
        ["paragraph_open", "blockquote_open", "paragraph_open"],
        ["paragraph_open", "fence", "paragraph_open"],
    )
    assert_harmless(document)


@settings(max_examples=300, deadline=None)
@given(FRAGMENTS)
def test_B18_a_fence_is_longer_than_any_in_it_and_changes_nothing(text: str) -> None:
    [fence] = READER.parse(fenced(text, "markdown"))
    assert (fence.type, fence.info) == ("fence", "markdown")
    assert fence.content.split() == text.replace("\x85", " ").split()


@settings(max_examples=300, deadline=None)
@given(FRAGMENTS | st.text(max_size=60))
def test_B18_names_and_titles_are_only_text(text: str) -> None:
    document = f"# a {inline(text)} z\n\n| x |\n|---|\n| a {inline(text)} z |"
    found = READER.parse(document)
    assert outline(document) == ["heading_open", "table_open"]
    assert sum(t.type == "td_open" for t in found) == 1
    kinds = {t.type for t in tokens(document)} - {t.type for t in tokens("# a\n\n| x |\n|---|\n| a |")}
    assert not kinds - {"text_special"}
    assert_harmless(document)


@pytest.mark.parametrize("name", ["a|b", "C#", "gpt_4*", "<b> & [c](d)", "\\|", "`x` $5 ~~z~~ !"])
def test_names_are_read_as_they_are_written(name: str) -> None:
    found = READER.parse(f"| x |\n|---|\n| {inline(name)} |")
    [cell] = [token for token in found if token.type == "inline" and token.content != "x"]
    assert "".join(part.content for part in cell.children or ()) == name


@pytest.mark.parametrize(
    "text",
    [
        "Plain *words*, `code` and a [link](https://a.example).",
        "# Head\n\n1. One\n2. Two",
        "Try:\n\n1. Run\n\n   ```sh\n   ls\n   ```",
        "```html\n<b>bold</b>\n```\nDone.",
    ],
)
def test_what_models_usually_write_can_be_read_as_it_was_meant(text: str) -> None:
    assert outline(quoted(text)) == ["blockquote_open"]


def test_code_with_markup_stays_as_it_is() -> None:
    assert quoted("See:\n```html\n<b>\n\tx\n```") == "> See:\n>\n> ```html\n> <b>\n> \tx\n> ```"


@pytest.mark.parametrize("text", HOSTILE)
def test_B18_B01_hostile_texts_anywhere_leave_the_document_whole(text: str) -> None:
    agent = Agent(f"p/{text}", label=text, system=text)
    made = run("a", "t")
    assert made.result is not None
    recipe = replace(made.recipe, title=text, system=text, aggregator=agent)
    outcomes = tuple(_saying(outcome, text, agent) for outcome in made.outcomes)
    result = replace(made.result, answer=text, outcomes=outcomes, degraded_because=(Missing(None, "", text),) * 2)
    made = replace(made, recipe=recipe, outcomes=outcomes, result=result)
    one = turn("t", question=text, runs=1, shown_run_id="a")
    document = conversation_markdown(
        record(replace(one, runs=(made,)), turn("u", "t"), title=text), label_of=lambda model: model
    )
    assert_harmless(document)
    assert not document.startswith("---")
    told = headings(document)
    assert [head[:2] for head in told] == ["h1", *_TURN, *_TURN]
    assert told[1:4] == ["h2 Question 1", "h3 Answer 1", "h3 How answer 1 was made"]
    assert told[6:9] == ["h2 Question 2", "h3 Answer 2", "h3 How answer 2 was made"]
    assert sum(token.type == "table_open" for token in READER.parse(document) if token.level == 0) == 2


_TURN = ["h2", "h3", "h3", "h4", "h4"]


def _saying(outcome: Outcome, text: str, agent: Agent) -> Outcome:
    if isinstance(outcome, Proposal):
        return replace(outcome, agent=agent, text=text)
    return replace(outcome, agent=agent, partial=text, public=text)


def label_of(model: str) -> str:
    return {"p/one": "Model One", "p/two": "Model Two"}.get(model, model)


def test_a_reader_finds_how_an_answer_was_made() -> None:
    document = conversation_markdown(record(turn(runs=2), turn("turn-b", "turn-a", question="Go on.")), label_of)
    assert headings(document)[:6] == [
        "h1 Skies", "h2 Question 1", "h3 Answer 1", "h3 How answer 1 was made", "h4 1.1 Sceptic: Model One (p/one)",
        "h4 1.2 Model Two (p/two)",
    ]  # fmt: skip
    for line in (
        "Asked 2026-01-02 12:00 UTC.",
        "> Why is the sky blue?",
        "> Because of Rayleigh.",
        "- Recipe: Two and a writer (2 proposers, then an aggregator; prompts: fenced), seed 4611686018427387905",
        "- Status: degraded",
        "- In all: 9.9 s, 3 calls, about 60 tokens in, about 25 out, cost unknown",
        "- Missing: Two: timed out",
        "- Attempt 2 of 2",
        "- Sceptic: Model One (p/one) was told: Doubt everything.",
        "> Be brief.",
        "> Blue light scatters.",
        "Failed: The answer took too long.",
        "> It is",
        "> Go on.",
    ):
        assert line in document.split("\n"), line
    rows = [line.split(" | ") for line in document.split("\n") if line.startswith(("| 1.", "| 2."))]
    assert rows[0][:8] == ["| 1.1", "Sceptic: Model One (p/one)", "proposer", "done", "1.5", "10", "20", "\\$0.000040"]
    assert "cut at its limit" in rows[0][8]
    assert "not sent: 2 earlier turns" in rows[0][8]
    assert rows[1][3] == "failed: timed out"
    assert rows[2][5:8] == ["about 50", "about 5", "unknown"]
    assert document.endswith("> It is\n")


def only(**more: Any) -> ConversationRecord:
    made = replace(run("a", "t"), **more)
    return record(replace(turn("t", shown_run_id="a"), runs=(made,)))


def test_an_answer_that_never_came_is_said_so() -> None:
    failed = RunResult(Status.FAILED, "", None, run().outcomes[1:2], usage=Usage(1, 0), cost_microusd=0, calls=1)
    document = conversation_markdown(only(result=failed, status=Status.FAILED), label_of)
    assert "*No answer came.*" in document
    assert "- In all: time unknown, 1 call, 1 tokens in, 0 out, cost: free" in document
    stopped = replace(failed, status=Status.CANCELLED)
    assert "*Stopped before" in conversation_markdown(only(result=stopped, status=Status.CANCELLED), label_of)


def test_a_run_under_way_shows_what_there_is() -> None:
    growing = {Slot(2, 1): "The sky is"}
    outcomes = run().outcomes[:1]
    document = conversation_markdown(
        only(result=None, status=Status.RUNNING, outcomes=outcomes, growing=growing), label_of
    )
    assert "*Still being written when this was exported.*" in document
    assert "| 2.1 |  |  | being written |" in document
    assert "#### 2.1, as far as it was written\n\n> The sky is" in document


def test_other_notes_of_a_slot() -> None:
    one, two, writer = run().outcomes
    assert isinstance(two, Failure)
    assert isinstance(writer, Proposal)
    warm = replace(writer.agent, sampling=Sampling(0, 0.9, stop=("END", "<|>")))
    outcomes = (one, replace(two, kind=FailureKind.LATE), replace(writer, agent=warm, reused=True))
    document = conversation_markdown(only(outcomes=outcomes, left_out={writer.slot: LeftOut(0, 1_234)}), label_of)
    assert "failed: too late" in document
    assert (
        "temperature 0, top-p 0.9, stop END, &lt;&#124;&gt;, reused from an earlier attempt, "
        "not sent: 1,234 characters of proposals |"
    ) in document


def test_one_model_alone_whose_time_and_tokens_nobody_knows() -> None:
    one = Proposal(Slot(1, 1), WRITER, "Yes.")
    result = RunResult(Status.COMPLETE, "Yes.", Slot(1, 1), (one,), (Missing(None, "", "budget used up"),), calls=2)
    recipe = Recipe("chatgpt", "Imported from ChatGPT", (), WRITER)
    document = conversation_markdown(only(recipe=recipe, outcomes=(one,), result=result, left_out={}), label_of)
    assert "- Recipe: Imported from ChatGPT (one model alone), seed" in document
    assert "- In all: time unknown, 2 calls, tokens unknown, cost unknown" in document
    assert "- Also: budget used up" in document
    assert "system prompt" not in document
    assert "| 1.1 | p/writer | aggregator | done | unknown | unknown | unknown | unknown |  |" in document
    assert headings(document)[-1] == "h3 How answer 1 was made"


def test_a_run_that_called_nothing_has_no_table() -> None:
    result = RunResult(Status.CANCELLED, "", None, ())
    layers = (Layer((ONE,)),)
    document = conversation_markdown(
        only(recipe=replace(RECIPE, layers=layers), outcomes=(), result=result, status=Status.CANCELLED), label_of
    )
    assert "(1 proposer, then an aggregator; prompts: fenced)" in document
    assert "| Slot |" not in document


def test_a_failure_without_any_text_is_only_named() -> None:
    failed = Failure(Slot(1, 2), TWO, FailureKind.BAD_KEY, "The provider refused the key.")
    document = conversation_markdown(only(outcomes=(failed,)), label_of)
    assert document.endswith("Failed: The provider refused the key.\n")


def compared(vote: Vote | None = None, **more: Any) -> str:
    """The document of a comparison of two, the second column on the left."""
    alone = replace(RECIPE, title="*Writer* alone", layers=())
    said = Proposal(Slot(1, 1), WRITER, "Beside.", usage=Usage(1, 2), duration_ms=100)
    result = RunResult(Status.COMPLETE, "Beside.", Slot(1, 1), (said,), calls=1, duration_ms=100)
    beside = run("beside", recipe=alone, column=2, outcomes=(said,), result=result, status=Status.COMPLETE, left_out={})
    given = turn(further=(beside,), comparison=Comparison((2, 1), blind=True), vote=vote, **more)
    return conversation_markdown(record(given), label_of)


def test_a_comparison_has_every_answer_from_left_to_right_with_what_it_was_made_of() -> None:
    document = compared()
    assert headings(document) == [
        "h1 Skies", "h2 Question 1", r"h3 A: \*Writer\* alone", "h3 How answer A was made", "h3 B: Two and a writer",
        "h3 How answer B was made", "h4 1.1 Sceptic: Model One (p/one)", "h4 1.2 Model Two (p/two)",
    ]  # fmt: skip
    parts = document.split("### ")
    assert "> Beside." in parts[1]
    assert "one model alone" in parts[2]
    assert "In all: 0.1 s, 1 call" in parts[2]
    assert "> Because of Rayleigh." in parts[3]
    assert "Vote" not in document


@pytest.mark.parametrize(
    ("choice", "blind", "line"),
    [
        ("beside", True, "Vote: A, blind."),
        ("turn-a-run1", False, "Vote: B, with names."),
        ("tie", True, "Vote: a tie, blind."),
        ("bad", True, "Vote: both bad, blind."),
    ],
)
def test_a_comparisons_vote_is_a_line(choice: str, blind: bool, line: str) -> None:
    document = compared(Vote(choice, ("beside", "turn-a-run1"), blind, NOON))
    assert f"\n\n{line}\n\n### A:" in document


def test_a_vote_says_when_it_was_about_other_texts() -> None:
    document = compared(Vote("turn-a-run1", ("beside", "turn-a-run1"), True, NOON), runs=2)
    assert "Vote: B, blind, before an answer was written anew." in document
    assert "- Attempt 2 of 2" in document
