"""Streams that break, lie, never end or hold what breaks pages: an honest end, whole texts, bounded memory."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest

from moa.core.domain import FailureKind, Finish, Model, Price, Slot, Status
from moa.core.events import AgentRetrying, TextDelta
from moa.core.policy import Caps
from tests.fault.laws import FAILED_TEXT, failure_of, proposal_of
from tests.fault.playing import AGAIN, played, reasons
from tests.support.mixtures import of_type, recipe, stage
from tests.support.server import (
    Answer,
    Ending,
    Reply,
    Script,
    Step,
    bad_utf8,
    big_event,
    choices,
    content,
    done_only,
    empty_body,
    endless_line,
    endless_output,
    error_event,
    html_page,
    json_body,
    malformed_json,
    reset_before_head,
)

pytestmark = pytest.mark.usefixtures("nothing_left")
SOLO, BESIDE = Slot(1, 1), Slot(1, 2)
HALF = f"{FAILED_TEXT} and half "
BROKEN = {
    "reset": Answer(HALF + "more", break_after=3, ending=Ending.RESET),
    "cut": Answer(HALF + "more", break_after=3, ending=Ending.CUT),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_F11_a_dropped_connection_starts_the_text_over(how: str) -> None:
    async with stage(AGAIN) as at:
        at.server.script("a", BROKEN[how], Answer("Whole."))
        events, result = await played(at, recipe("a", "b"))
        assert [e.kind for e in of_type(events, AgentRetrying)] == [FailureKind.DROPPED]
        assert (proposal_of(result, SOLO).text, proposal_of(result, SOLO).attempts) == ("Whole.", 2)
        assert result.status is Status.COMPLETE


@pytest.mark.parametrize("how", BROKEN)
async def test_F11_what_the_last_attempt_brought_is_kept_and_goes_into_no_prompt(how: str) -> None:
    async with stage(AGAIN) as at:
        at.server.script("a", BROKEN[how])
        _, result = await played(at, recipe("a", "b"))
        failure = failure_of(result, SOLO)
        assert (failure.kind, failure.attempts, failure.partial) == (FailureKind.DROPPED, 3, HALF)
        assert (result.status, reasons(result)) == (Status.DEGRADED, [("1.1", "connection lost")])
        assert FAILED_TEXT not in repr(at.server.requests_for("agg")[0].messages)
        assert proposal_of(result, BESIDE).attempts == 1


async def test_F11_a_reset_before_the_head_is_called_again() -> None:
    async with stage(AGAIN) as at:
        at.server.script("a", reset_before_head(), Answer("Whole."))
        _, result = await played(at, recipe("a", "b"))
        assert (result.status, proposal_of(result, SOLO).attempts) == (Status.COMPLETE, 2)


@pytest.mark.parametrize("ending", list(Ending))
async def test_F11_a_connection_lost_after_the_finish_reason_costs_nothing(ending: Ending) -> None:
    whole = [content("All "), content("of it."), b'data: {"choices": [{"delta": {}, "finish_reason": "stop"}]}\n\n']
    async with stage(AGAIN) as at:
        at.server.script("agg", Reply([*whole, ending]))
        _, result = await played(at, recipe())
        assert (result.status, result.answer, result.calls) == (Status.COMPLETE, "All of it.", 1)
        assert len(at.server.requests) == 1


@pytest.mark.parametrize("usage", [None, {"prompt_tokens": 3, "completion_tokens": 3}])
async def test_F12_an_end_without_a_finish_reason_is_no_answer(usage: Any) -> None:
    broken = Answer(HALF, finish=None, done=usage is not None, usage=usage)
    async with stage(AGAIN) as at:
        at.server.script("agg", broken)
        _, result = await played(at, recipe("a", "b", fallbacks=["spare"]))
        failure = failure_of(result, Slot(2, 1))
        assert (failure.kind, failure.attempts, failure.partial) == (FailureKind.TRUNCATED, 3, HALF)
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from spare.")
        assert reasons(result) == [("2.1", "broke off")]


async def test_F12_the_next_attempt_may_be_whole() -> None:
    async with stage(AGAIN) as at:
        at.server.script("a", Answer(HALF, finish=None, usage=None), Answer("Whole."))
        _, result = await played(at, recipe("a", "b"))
        assert (result.status, proposal_of(result, SOLO).text) == (Status.COMPLETE, "Whole.")


@pytest.mark.parametrize(
    "shape",
    [
        {"split": 1},
        {"newline": "\r\n"},
        {"newline": "\r"},
        {"bom": True},
        {"multi_line": True},
        {"split": 1, "newline": "\r\n", "bom": True, "multi_line": True},
        {"together": True, "comments": 3},
    ],
    ids=str,
)
async def test_F13_odd_but_lawful_streams_give_the_right_text(shape: dict[str, Any]) -> None:
    text = 'Grüße, 世界 👩‍👩‍👧 "quoted"\n\tand <tags> \\ done.'
    async with stage() as at:
        at.server.script("agg", Answer(text, **shape))
        _, result = await played(at, recipe())
        assert (result.status, result.answer) == (Status.COMPLETE, text)
        assert proposal_of(result, SOLO).usage is not None


@pytest.mark.parametrize("fault", [malformed_json(), bad_utf8(), malformed_json(0), bad_utf8(0)])
async def test_F13_unreadable_streams_are_called_again_then_lost(fault: Script) -> None:
    async with stage(AGAIN) as at:
        at.server.script("a", fault)
        at.server.script("b", fault, Answer("Whole."))
        events, result = await played(at, recipe("a", "b"))
        failure = failure_of(result, SOLO)
        assert (failure.kind, failure.attempts) == (FailureKind.MALFORMED, 3)
        assert (proposal_of(result, BESIDE).text, result.status) == ("Whole.", Status.DEGRADED)
        assert "Error" not in repr(failure)
        assert "ValueError" not in repr(events)


@pytest.mark.parametrize(
    "fault",
    [
        html_page(),
        json_body({"ok": True}),
        done_only(),
        choices(None),
        choices([]),
        choices([{"delta": None, "finish_reason": "stop"}]),
        empty_body(),
        Answer(" \n\t \n"),
        Answer(""),
    ],
    ids=["html", "json", "done", "null", "none", "no delta", "empty", "blank", "no text"],
)
async def test_F14_what_holds_no_text_is_called_again_then_lost(fault: Script) -> None:
    async with stage(AGAIN) as at:
        at.server.script("a", fault)
        at.server.script("b", fault, Answer("Whole."))
        events, result = await played(at, recipe("a", "b"))
        failure = failure_of(result, SOLO)
        assert (failure.kind, failure.attempts, failure.partial) == (FailureKind.EMPTY, 3, "")
        assert (proposal_of(result, BESIDE).attempts, result.status) == (2, Status.DEGRADED)
        assert reasons(result) == [("1.1", "empty answer")]
        assert "Sign in" not in repr(events)


async def test_F15_a_text_cut_at_its_length_is_kept_and_marked() -> None:
    async with stage(AGAIN) as at:
        for name in ("a", "agg"):
            at.server.script(name, Answer("As far as it went", finish="length"))
        _, result = await played(at, recipe("a", "b"))
        assert {proposal_of(result, s).finish for s in (SOLO, Slot(2, 1))} == {Finish.LENGTH}
        assert (result.status, result.answer) == (Status.COMPLETE, "As far as it went")
        assert "As far as it went" in at.server.requests_for("agg")[0].messages[0]["content"]


async def test_F15_filtered_content_is_not_asked_for_again_and_a_fallback_answers() -> None:
    async with stage(AGAIN) as at:
        for name in ("a", "agg"):
            at.server.script(name, Answer(HALF, finish="content_filter"))
        _, result = await played(at, recipe("a", "b", fallbacks=["spare"]))
        assert [(f.slot, f.kind, f.attempts) for f in result.failures] == [
            (slot, FailureKind.FILTERED, 1) for slot in (SOLO, Slot(2, 1))
        ]
        assert (result.status, result.answer) == (Status.DEGRADED, "Hello from spare.")
        assert not at.engine.resting("agg")


@pytest.mark.parametrize("after", [0, 2])
async def test_an_error_inside_a_stream_is_the_error_that_it_names(after: int) -> None:
    async with stage(AGAIN) as at:
        at.server.script("a", error_event("Overloaded <secret>", "overloaded_error", after=after))
        events, result = await played(at, recipe("a", "b"))
        assert (failure_of(result, SOLO).kind, failure_of(result, SOLO).attempts) == (FailureKind.OVERLOADED, 3)
        assert "secret" not in repr(events)


def _in_small_writes(reply: Reply) -> Reply:
    """The same bytes as a socket carries them, so that the server's own copies don't count as the client's."""

    def steps() -> Iterator[Step]:
        for step in reply.steps:
            assert isinstance(step, bytes)
            yield from (step[i : i + 16_384] for i in range(0, len(step), 16_384))

    return Reply(steps(), reply.status, reply.content_type, reply.headers)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (endless_output(), None),
        (Reply(itertools.repeat(content("x" * 8_000))), None),
        (endless_line(), FailureKind.MALFORMED),
        (_in_small_writes(big_event()), FailureKind.MALFORMED),
    ],
    ids=["words", "large pieces", "line", "10 MB event"],
)
async def test_F16_endless_output_is_cut_with_bounded_memory(fault: Reply, kind: FailureKind | None) -> None:
    async with stage() as at:
        await played(at, recipe(aggregator="warm"))
        at.server.script("agg", fault)
        tracemalloc.start()
        try:
            before, _ = tracemalloc.get_traced_memory()
            _, result = await played(at, recipe())  # comes back only once the server's side is closed too
            _, most = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert most - before <= 8 * 1024 * 1024
        if kind is None:
            assert (result.status, len(result.answer)) == (Status.COMPLETE, Caps().output_chars)
            assert proposal_of(result, SOLO).finish is Finish.LENGTH
        else:
            assert (result.status, failure_of(result, SOLO).kind) == (Status.FAILED, kind)


async def test_F16_thinking_for_ever_is_cut_too() -> None:
    async with stage(caps=Caps(output_chars=200)) as at:
        at.server.script("agg", Answer("Done.", reasoning="hm " * 1000))
        _, result = await played(at, recipe())
        assert (result.answer, len(proposal_of(result, SOLO).reasoning)) == ("Done.", 200)


PARTS = (
    *("Smile \ud83d", "\ude00 lone \ud800", " x\udc00y NUL\x00 bell\x07 C1\x9b ", "\u202eevil\u202c "),
    *("e" + "\u0301" * 9, "\u0301" * 20_000),
)
CLEAN = "Smile 😀 lone \ufffd x\ufffdy NUL bell C1 evil e" + "\u0301" * 8


async def test_F17_what_breaks_pages_is_repaired_across_pieces() -> None:
    async with stage() as at:
        for name in ("a", "agg"):
            at.server.script(name, Answer(chunks=PARTS, reasoning="so\ud83d\x00"))
        events, result = await played(at, recipe("a", "b"))
        assert (result.answer, proposal_of(result, SOLO).text) == (CLEAN, CLEAN)
        assert proposal_of(result, SOLO).reasoning == "so\ufffd"
        for delta in of_type(events, TextDelta):
            delta.text.encode()  # a surrogate would raise here, and in a page's stream
        assert CLEAN in at.server.requests_for("agg")[0].messages[0]["content"]


@pytest.mark.parametrize(
    "usage",
    [
        None,
        {},
        {"prompt_tokens": -3, "completion_tokens": 4},
        {"prompt_tokens": "12", "completion_tokens": "4"},
        {"prompt_tokens": 12},
        {"prompt_tokens": 10**15, "completion_tokens": 4},
        {"prompt_tokens": 1.5, "completion_tokens": 4},
        {"prompt_tokens": True, "completion_tokens": True},
        [12, 4],
    ],
    ids=str,
)
async def test_F18_wrong_usage_is_unknown_and_never_a_price(usage: Any) -> None:
    async with stage() as at:
        at.directory.models["agg"] = Model("agg", "test", "agg", "AGG", price=Price(1_000_000, 2_000_000))
        at.server.script("agg", Answer("Four words of text.", usage=usage))
        _, result = await played(at, recipe())
        assert (result.status, result.cost_microusd) == (Status.COMPLETE, None)
        assert result.usage is not None
        assert result.usage.estimated
        assert 0 < result.usage.output_tokens < 20


async def test_F18_one_unknown_part_makes_the_sum_unknown() -> None:
    async with stage() as at:
        for name in ("a", "b", "agg"):
            at.directory.models[name] = Model(name, "test", name, name, price=Price(1_000_000, 2_000_000))
        at.server.script("a", Answer(usage=None))
        sane = {"prompt_tokens": 12, "completion_tokens": 4}
        for name in ("b", "agg"):
            at.server.script(name, Answer(usage=sane))
        _, result = await played(at, recipe("a", "b"))
        assert (proposal_of(result, BESIDE).cost_microusd, result.cost_microusd) == (20, None)
