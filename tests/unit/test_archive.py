"""The JSON export: what is in it, and that it comes back as it was."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import given, settings

from moa.chat.archive import archive_json, archive_stream, conversation_json, file_name
from moa.chat.imports import read
from moa.chat.values import Comparison, ConversationTree, TurnRecord
from moa.core.domain import Message, Role, Slot, Status
from tests.support.trees import ANSWER, NOON, QUESTION, run, tree, trees, turn, without_ids


def again(data: bytes) -> tuple[ConversationTree, ...]:
    return read(data, now=NOON)


def document(of: ConversationTree) -> Any:
    return orjson.loads(conversation_json(of))


@settings(max_examples=40, deadline=None)
@given(trees())
def test_B18_any_conversation_comes_back_and_gives_the_same_bytes(given: ConversationTree) -> None:
    data = conversation_json(given)
    [back] = again(data)
    assert without_ids(back) == without_ids(given)
    assert conversation_json(back) == data
    [archived] = again(b"".join(archive_json([given])))
    assert archived == back


def test_everything_that_made_an_answer_is_in_it() -> None:
    found = document(tree())
    assert list(found) == ["format", "version", "title", "created_at", "updated_at", "head", "turns"]
    assert (found["format"], found["version"], found["title"]) == ("moa-chat/conversation", 1, "Skies")
    assert found["created_at"] == "2026-01-02T12:00:00.123456Z"
    made = found["turns"][0]["runs"][0]
    assert (made["status"], made["seed"], made["recipe"]["title"]) == ("degraded", 2**62 + 1, "Two and a writer")
    assert made["result"]["outcomes"] == ["1.2", "1.1", "2.1"]
    assert made["result"]["degraded_because"] == [{"slot": "1.2", "label": "Two", "why": "timed out"}]
    one, two, writer = made["slots"]
    assert (one["text"], one["reasoning"], one["finish"]) == ("Blue light scatters.", "Hm. Light…", "length")
    assert (one["usage"]["output_tokens"], one["cost_microusd"], one["duration_ms"]) == (20, 40, 1_500)
    assert one["left_out"] == {"turns": 2, "proposal_chars": 0}
    assert (two["status"], two["kind"], two["text"]) == ("failed", "call_timeout", "It is")
    assert writer["usage"]["estimated"] is True


def test_ids_of_the_store_stay_out_and_places_take_theirs() -> None:
    data = conversation_json(tree())
    assert b"turn-" not in data
    assert b"conversation" not in data.replace(b"moa-chat/conversation", b"")
    found = orjson.loads(data)
    assert [(t["id"], t["parent"]) for t in found["turns"]] == [("t1", None), ("t2", "t1"), ("t3", "t1")]
    assert [r["id"] for r in found["turns"][0]["runs"]] == ["r1.1", "r1.2"]
    assert (found["head"], found["turns"][0]["shown"]) == ("t3", "r1.2")


def test_texts_of_the_conversation_are_named_in_calls_and_not_repeated() -> None:
    one, _, writer = document(tree())["turns"][0]["runs"][0]["slots"]
    assert one["messages"] == [{"role": "system", "text": "Be brief."}, "t1"]
    assert writer["messages"][1:] == ["t1", "r1.1"]
    [back] = again(conversation_json(tree()))
    assert back.turns[0].runs[0].calls[2].messages[1:] == (
        Message(Role.USER, QUESTION),
        Message(Role.ASSISTANT, ANSWER),
    )


def test_a_run_under_way_is_told_as_such() -> None:
    whole = run()
    half = replace(
        whole, status=Status.RUNNING, result=None, outcomes=whole.outcomes[:1], calls=whole.calls[:1],
        growing={Slot(2, 1): "The sky"},
    )  # fmt: skip
    growing = tree(turn(runs=1, shown_run_id=half.id))
    growing = replace(growing, turns=(replace(growing.turns[0], runs=(half,)),))
    data = conversation_json(growing)
    made = orjson.loads(data)["turns"][0]["runs"][0]
    assert (made["status"], made["result"]) == ("running", None)
    assert made["slots"][1] == {"slot": "2.1", "status": "growing", "text": "The sky"}
    [back] = again(data)
    assert back.turns[0].shown.growing == {Slot(2, 1): "The sky"}
    assert conversation_json(back) == data


def compared() -> TurnRecord:
    """A question in three columns, the second of which was written twice."""
    beside = [("b1", 1, 2), ("b2", 2, 2), ("c1", 1, 3)]
    further = tuple(run(key, attempt=attempt, column=column) for key, attempt, column in beside)
    return turn(further=further, comparison=Comparison((2, 3, 1), blind=True))


def test_columns_are_in_it_with_their_runs_and_order_and_come_back() -> None:
    given = tree(compared(), turn("turn-b", "turn-a"))
    data = conversation_json(given)
    first, second = orjson.loads(data)["turns"]
    assert first["comparison"] == {"order": [2, 3, 1], "blind": True}
    assert [[made["id"] for made in column] for column in first["columns"]] == [["r1.2.1", "r1.2.2"], ["r1.3.1"]]
    assert not {"comparison", "columns"} & second.keys()
    [back] = again(data)
    assert without_ids(back) == without_ids(given)
    assert conversation_json(back) == data


def test_an_archive_is_one_document_in_pieces() -> None:
    given = [tree(title=f"Number {n}") for n in range(3)]
    pieces = list(archive_json(given))
    assert len(pieces) == 4
    found = orjson.loads(b"".join(pieces))
    assert found == {
        "format": "moa-chat/archive",
        "version": 1,
        "conversations": [orjson.loads(conversation_json(one)) for one in given],
    }
    assert b"".join(pieces) == orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
    assert [back.title for back in again(b"".join(pieces))] == ["Number 0", "Number 1", "Number 2"]


async def test_an_archive_can_be_streamed_while_it_is_read() -> None:
    given = [tree(title="First"), tree(title="Second")]

    async def one_by_one() -> AsyncIterator[ConversationTree]:
        for one in given:
            yield one

    streamed = [piece async for piece in archive_stream(one_by_one())]
    assert streamed == list(archive_json(given))


async def test_an_archive_of_nothing_is_whole_too() -> None:
    async def none() -> AsyncIterator[ConversationTree]:
        return
        yield

    data = b"".join(archive_json([]))
    assert orjson.loads(data) == {"format": "moa-chat/archive", "version": 1, "conversations": []}
    assert b"".join([piece async for piece in archive_stream(none())]) == data


def test_B08_a_tree_with_unclean_texts_can_still_be_written() -> None:
    data = conversation_json(tree(title="a\ud800\x00b"))
    assert orjson.loads(data)["title"] == "a\ufffdb"


@pytest.mark.parametrize(
    ("conversation_id", "extension", "name"),
    [
        ("AbCdEfGhIjKlMnOpQrStUv", "md", "moa-2026-01-02-AbCdEfGh.md"),
        ("-_-_A-b_CdEfGhIjKl", "json", "moa-2026-01-02-AbCdEfGh.json"),
        ("../../etc/passwd\r\nX: y", "md", "moa-2026-01-02-etcpassw.md"),
        (None, "json", "moa-2026-01-02-all.json"),
    ],
)
def test_B16_a_file_is_named_by_us(conversation_id: str | None, extension: Any, name: str) -> None:
    late = dt.datetime(2026, 1, 3, 5, tzinfo=dt.timezone(dt.timedelta(hours=9)))
    assert file_name(late, conversation_id, extension) == name
    assert re.fullmatch(r"[A-Za-z0-9.-]+", name)
