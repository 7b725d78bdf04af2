"""What an import refuses, and in which words. Nothing in a file is trusted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import orjson
import pytest

from moa.chat import archive_import
from moa.chat.archive import archive_json, conversation_json
from moa.chat.imports import EMPTY, NEWER, NOT_JSON, NOT_OURS, ZIP, read
from moa.chat.values import ConversationTree
from moa.config.schema import MAX_LAYERS, MAX_PROPOSERS, MAX_SYSTEM_CHARS
from moa.core.errors import InputRefused
from moa.core.policy import Caps
from tests.support.trees import NOON, tree, turn


def again(data: bytes, caps: Caps = Caps()) -> tuple[ConversationTree, ...]:
    return read(data, now=NOON, caps=caps)


def refusal(data: bytes, caps: Caps = Caps()) -> str:
    with pytest.raises(InputRefused) as caught:
        again(data, caps)
    text = caught.value.public
    assert text.endswith(".")
    assert len(text) < 400
    assert text.isprintable()
    return text


def changed(where: str, value: Any) -> bytes:
    """A good document with one place changed; ``where`` is like ``turns.0.runs.1.seed``."""
    document = orjson.loads(conversation_json(tree()))
    *way, last = [int(step) if step.isdecimal() else step for step in where.split(".")]
    at = document
    for step in way:
        at = at[step]
    at[last] = value
    return orjson.dumps(document)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "This file is empty."),
        (b" \n", "This file is empty."),
        (b"# A Markdown file", NOT_JSON),
        (b"\xff\xfe\xfd", NOT_JSON),
        (b'{"format": "moa-chat/conversation"', NOT_JSON),
        (b"PK\x03\x04rest", ZIP),
        (b"[" * 100_000 + b"]" * 100_000, NOT_JSON),
        (b'{"a":' * 100_000 + b"1" + b"}" * 100_000, NOT_JSON),
        (b"NaN", NOT_JSON),
        (b"[1e400]", NOT_OURS),
        (b"[" + b"9" * 5_000 + b"]", NOT_JSON),
        (b"[" + b"9" * 400 + b"]", NOT_OURS),
        (b"[-1e999]", NOT_OURS),
        (b"[18446744073709551615]", NOT_OURS),
        (b"5", NOT_OURS),
        (b'"text"', NOT_OURS),
        (b"null", NOT_OURS),
        (b"{}", NOT_OURS),
        (b"[[]]", NOT_OURS),
        (b'[{"chat_messages": []}]', NOT_OURS),
        (b'{"format": "other/thing", "version": 1}', NOT_OURS),
        (b'{"format": 7}', NOT_OURS),
        (b"[]", EMPTY),
        (b'{"format": "moa-chat/archive", "version": 1, "conversations": []}', EMPTY),
        (b'{"format": "moa-chat/archive", "version": 2}', NEWER),
        (b'{"format": "moa-chat/conversation", "version": 2}', NEWER),
        (b'{"format": "moa-chat/library", "version": 1}', NEWER),
        (b'{"format": "moa-chat/archive", "version": 1, "conversations": {}}', "no list of conversations"),
        (b'{"format": "moa-chat/archive", "version": true}', "doesn't say which version"),
        (b'{"format": "moa-chat/conversation", "version": "1"}', "doesn't say which version"),
        (b'{"format": "moa-chat/archive", "version": 1, "conversations": [5]}', "The conversation can't be imported"),
        (b'{"format": "moa-chat/archive", "version": 1, "conversations": [{}]}', NOT_OURS),
    ],
)
def test_what_is_no_export_is_refused_in_one_sentence(data: bytes, told: str) -> None:
    assert told in refusal(data)


def test_an_archive_in_an_archive_is_refused() -> None:
    inner = b'{"format": "moa-chat/archive", "version": 1, "conversations": []}'
    outer = b'{"format": "moa-chat/archive", "version": 1, "conversations": [%s]}' % inner
    assert "something else than conversations" in refusal(outer)


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b"\n\n"])
def test_marks_that_editors_leave_are_no_harm(prefix: bytes) -> None:
    data = conversation_json(tree())
    assert again(prefix + data) == again(data)
    assert again(data.decode().encode("utf-16")) == again(data)


def test_a_broken_field_is_named_with_its_conversation() -> None:
    documents = orjson.loads(b"".join(archive_json([tree(title="Good"), tree(title="Bad\nskies <b>")])))
    documents["conversations"][1]["turns"][1]["runs"][0]["seed"] = "7"
    assert refusal(orjson.dumps(documents)) == (
        'Conversation 2 of 2 "Bad skies <b>" can\'t be imported: turns 2, runs 1, seed: should be a valid integer.'
    )


@pytest.mark.parametrize(
    ("order", "columns", "told"),
    [
        ((1, 2), 2, "doesn't name its columns"),
        ((1, 2, 2), 2, "doesn't name its columns"),
        ((1, 2, 4), 2, "doesn't name its columns"),
        ((1, 2), 0, "doesn't name its columns"),
        (None, 1, "doesn't name its columns"),
        ((1,), 0, "comparison, order"),
        ((1, 2, 3, 4, 5), 4, "comparison, order"),
    ],
)
def test_columns_that_are_not_shown_each_once_are_refused(
    order: tuple[int, ...] | None, columns: int, told: str
) -> None:
    document = orjson.loads(conversation_json(tree()))
    made = document["turns"][0]["runs"][0]
    document["turns"][0]["columns"] = [[made | {"id": f"c{number}"}] for number in range(columns)]
    document["turns"][0]["comparison"] = order and {"order": order, "blind": False}
    assert told in refusal(orjson.dumps(document))


def test_runs_of_columns_count_and_none_may_be_empty_or_have_a_name_twice() -> None:
    document = orjson.loads(conversation_json(tree()))
    made = document["turns"][0]["runs"][0]
    document["turns"][0]["comparison"] = {"order": [1, 2], "blind": False}
    for columns, told in (
        ([[made]], "two parts of it"),
        ([[]], "columns"),
        ([[made | {"id": f"c{number}"} for number in range(40)]], "more than"),
    ):
        document["turns"][0]["columns"] = columns
        assert told in refusal(orjson.dumps(document), Caps(turns=2))


RUN = "turns.0.runs.0"
HOSTILE: list[tuple[str, Any]] = [
    ("title", 5),
    ("title", "x" * 3_000),
    ("created_at", "yesterday"),
    ("created_at", 1_700_000_000),
    ("created_at", "2026-01-01T00:00:00"),
    ("created_at", "1969-12-31T23:59:59Z"),
    ("updated_at", "9999-12-31T23:59:59-12:00"),
    ("head", None),
    ("head", "t9"),
    ("head", "r1.1"),
    ("turns", []),
    ("turns", {}),
    ("turns", [5]),
    ("turns.0.id", "t2"),
    ("turns.0.id", "r2.1"),
    ("turns.0.id", ""),
    ("turns.0.parent", "t1"),
    ("turns.0.parent", "t2"),
    ("turns.1.parent", "t7"),
    ("turns.0.question", " \n"),
    ("turns.0.question", None),
    ("turns.0.question", "x" * 32_001),
    ("turns.0.shown", "r2.1"),
    ("turns.0.runs", []),
    (f"{RUN}.id", "r1.2"),
    (f"{RUN}.status", "done"),
    (f"{RUN}.status", "running"),
    (f"{RUN}.result", None),
    (f"{RUN}.seed", -1),
    (f"{RUN}.seed", True),
    (f"{RUN}.seed", 1.0),
    (f"{RUN}.seed", 2**63),
    (f"{RUN}.seed", 1e300),
    (f"{RUN}.started_at", None),
    (f"{RUN}.result.answer", "x" * 32_001),
    (f"{RUN}.result.answer_slot", "0.1"),
    (f"{RUN}.result.answer_slot", "01.1"),
    (f"{RUN}.result.answer_slot", "1.1\n"),
    (f"{RUN}.result.answer_slot", "1.99999"),
    (f"{RUN}.result.outcomes", ["1.1", "1.1"]),
    (f"{RUN}.result.outcomes", ["7.1"]),
    (f"{RUN}.result.cost_microusd", -1),
    (f"{RUN}.result.cost_microusd", 10**12 + 1),
    (f"{RUN}.result.calls", False),
    (f"{RUN}.result.usage", {"input_tokens": 1, "output_tokens": 1, "estimated": 0}),
    (f"{RUN}.result.degraded_because", [{"slot": None, "label": "x", "why": "y" * 2_001}]),
    (f"{RUN}.slots.0.slot", "1.2"),
    (f"{RUN}.slots.0.status", "won"),
    (f"{RUN}.slots.0.status", "growing"),
    (f"{RUN}.slots.0.text", "x" * 32_001),
    (f"{RUN}.slots.0.reasoning", "x" * 32_001),
    (f"{RUN}.slots.0.finish", "never"),
    (f"{RUN}.slots.1.kind", "bad luck"),
    (f"{RUN}.slots.1.public", "x" * 2_001),
    (f"{RUN}.slots.0.messages", ["t9"]),
    (f"{RUN}.slots.0.messages", [{"role": "tool", "text": "x"}]),
    (f"{RUN}.slots.0.messages", "t1"),
    (f"{RUN}.slots.0.left_out.turns", -1),
    (f"{RUN}.recipe.layers", [{"agents": [], "quorum": None, "grace_s": 1, "deadline_s": 1}]),
    (f"{RUN}.recipe.layers.0.deadline_s", 10**9),
    (f"{RUN}.recipe.layers.0.quorum", 0),
    (f"{RUN}.recipe.aggregator.model", "x" * 301),
    (f"{RUN}.recipe.aggregator.part", "owner"),
    (f"{RUN}.recipe.aggregator.sampling.temperature", 2.5),
    (f"{RUN}.recipe.aggregator.sampling.temperature", "nan"),
    (f"{RUN}.recipe.aggregator.sampling.max_tokens", 10**7),
    (f"{RUN}.recipe.system", "x" * 8_001),
    (f"{RUN}.recipe.budget.seconds", True),
    (f"{RUN}.recipe.budget.calls", 0),
]


@pytest.mark.parametrize(("where", "value"), HOSTILE, ids=[f"{w}-{str(v)[:12]!r}" for w, v in HOSTILE])
def test_B10_a_document_with_anything_else_in_a_place_is_refused(where: str, value: Any) -> None:
    assert refusal(changed(where, value)).startswith('The conversation "Skies"' if where != "title" else "The conv")


@pytest.mark.parametrize(
    ("where", "value"),
    [
        ("id", "someone-elses"),
        ("owner_id", "ada"),
        ("turns.0.owner_id", "ada"),
        ("turns.0.position", 99),
        (f"{RUN}.request_key", "key"),
        (f"{RUN}.recipe.base_url", "https://evil.example"),
        (f"{RUN}.slots.0.agent.api_key", "sk-secret"),
    ],
)
def test_B19_a_file_can_choose_no_owner_address_or_key(where: str, value: Any) -> None:
    assert again(changed(where, value)) == again(conversation_json(tree()))


@pytest.mark.parametrize("number", [b"1e400", b"-1e400", b"9" * 400, b"-" + b"9" * 25, b"1e-400"])
@pytest.mark.parametrize("place", [b'"seed":7', b'"duration_ms":7', b'"grace_s":7', b'"temperature":7'])
def test_B10_numbers_that_no_machine_has_are_refused(place: bytes, number: bytes) -> None:
    document = orjson.loads(conversation_json(tree(turn())))
    made = document["turns"][0]["runs"][0]
    made["seed"] = made["slots"][0]["duration_ms"] = made["recipe"]["layers"][0]["grace_s"] = 7
    made["slots"][0]["agent"]["sampling"]["temperature"] = 7 if b"temp" in place else 1
    data = orjson.dumps(document)
    assert place in data
    hostile = data.replace(place, place[:-1] + number, 1)
    if number == b"1e-400" and (b"grace" in place or b"temp" in place):
        assert again(hostile)  # that is 0
    else:
        assert "should be" in refusal(hostile)


def test_B08_hostile_texts_are_cleaned_everywhere() -> None:
    data = changed("turns.0.question", "a?").replace(b'"a?"', b'"\\ud83da\\u0000\\u202e?"')
    assert again(data)[0].turns[0].question == "\ufffda?"


def test_models_that_are_no_more_are_history() -> None:
    [back] = again(changed(f"{RUN}.recipe.aggregator.model", "gone/for-ever"))
    assert back.turns[0].runs[0].recipe.aggregator.model == "gone/for-ever"


def test_recipes_may_be_as_large_as_the_catalogue_allows() -> None:
    agent = {"model": f"p/{'m' * 200}", "part": "proposer", "system": "s" * MAX_SYSTEM_CHARS, "label": "l" * 160}
    layer = {"agents": [agent] * MAX_PROPOSERS, "quorum": MAX_PROPOSERS, "grace_s": 86_400, "deadline_s": 86_400}
    good = orjson.loads(conversation_json(tree()))
    recipe = good["turns"][0]["runs"][0]["recipe"]
    recipe |= {"layers": [layer] * (MAX_LAYERS - 1), "fallbacks": [agent] * MAX_PROPOSERS, "about": "a" * 8_000}
    recipe["budget"] = {"calls": 10_000, "cost_microusd": 10**12, "seconds": 86_400}
    assert len(again(orjson.dumps(good))[0].turns[0].runs[0].recipe.layers) == MAX_LAYERS - 1
    recipe["layers"].append(layer)
    assert "recipe, layers" in refusal(orjson.dumps(good))


def test_the_apps_caps_bound_what_is_taken() -> None:
    many = [turn(f"turn{n}", f"turn{n - 1}" if n else None) for n in range(11)]
    data = conversation_json(tree(*many))
    assert len(again(data, Caps(turns=2))[0].turns) == 11
    assert "more than 10 questions" in refusal(data, Caps(turns=1))
    wide = conversation_json(tree(turn(runs=21)))
    assert "more than 20 answers" in refusal(wide, Caps(turns=1))
    assert "19 is the most here" in refusal(conversation_json(tree()), Caps(question_chars=19))
    assert "15 is the most here" in refusal(conversation_json(tree()), Caps(output_chars=15))


def test_too_many_conversations_are_refused_before_any_is_read() -> None:
    data = b'{"format": "moa-chat/archive", "version": 1, "conversations": [%s5]}' % (b"5," * 10_000)
    assert "at most 10,000 conversations" in refusal(data)


def test_names_in_calls_cannot_make_a_small_file_large() -> None:
    document = orjson.loads(conversation_json(tree(turn(question="x" * 30_000))))
    document["turns"][0]["runs"][0]["slots"][0]["messages"] = ["t1"] * 5_000
    assert "the messages of its calls are too long" in refusal(orjson.dumps(document))


def test_the_messages_of_one_conversation_are_bounded_too() -> None:
    sent = archive_import.Sent(10**12)
    sent.begin()
    sent.take(250_000_000)
    sent.begin()
    sent.take(250_000_000)
    with pytest.raises(Exception, match="too long"):
        sent.take(250_000_000)


def test_a_million_wrong_items_are_one_error() -> None:
    data = b'{"format": "moa-chat/conversation", "version": 1, "turns": [%s{}]}' % (b"{}," * 300_000)
    assert "title: field required" in refusal(data)


def _without(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The dotted name of each key in a document, with the table that it is in."""
    for key, inner in document.items():
        yield key, document
        for item in inner if isinstance(inner, list) else [inner]:
            if isinstance(item, dict):
                yield from ((f"{key}.{below}", table) for below, table in _without(item))


def _titles(data: bytes) -> list[str]:
    """The titles in a file; none when it is refused."""
    with suppress(InputRefused):
        return [back.title for back in again(data)]
    return []


DEFAULTED = {"about", "sampling", "temperature", "top_p", "max_tokens", "seed", "stop", "system", "label"}


def test_a_missing_key_is_refused_or_has_a_default() -> None:
    data = conversation_json(tree(turn()))
    keys = [key for key, _ in _without(orjson.loads(data))]
    assert len(keys) > 80
    for number, key in enumerate(keys):
        document = orjson.loads(data)
        _, table = list(_without(document))[number]
        name = key.rpartition(".")[2]
        del table[name]
        agents = "agent" in key or "aggregator" in key
        assert _titles(orjson.dumps(document)) == (
            ["Skies"] if (name in DEFAULTED and agents) or name == "about" else []
        )
