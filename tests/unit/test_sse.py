from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.providers.sse import MAX_EVENT_BYTES, SseParser

VALUES = st.lists(
    st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers(-(2**53), 2**53), max_size=3), max_size=6
)


def stream(values: list[object], newline: str = "\n", *, bom: bool = False, indent: int | None = None) -> bytes:
    lines = ["\ufeff"] if bom else []
    for value in values:
        text = json.dumps(value, indent=indent)
        lines += [f": keep-alive{newline}"]
        lines += [f"data: {line}{newline}" for line in text.split("\n")]
        lines += [newline]
    return "".join([*lines, f"data: [DONE]{newline}{newline}"]).encode()


def parse(parts: list[bytes]) -> tuple[list[object], SseParser]:
    parser = SseParser()
    found = [value for part in parts for value in parser.feed(part)]
    return found + parser.end(), parser


@given(VALUES, st.sampled_from(["\n", "\r\n", "\r"]), st.booleans(), st.sampled_from([None, 1]), st.data())
def test_F13_any_split_of_any_line_ending_gives_the_same_events(
    values: list[object], newline: str, bom: bool, indent: int | None, data: st.DataObject
) -> None:
    raw = stream(values, newline, bom=bom, indent=indent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(raw)), max_size=12)))
    parts = [raw[a:b] for a, b in zip([0, *cuts], [*cuts, len(raw)], strict=True)]
    found, parser = parse(parts)
    assert found == values
    assert parser.done
    assert parser.fault is None


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_F13_one_byte_at_a_time(newline: str) -> None:
    values: list[object] = [{"a": "ä€😀"}, {"b": [1, 2]}]
    raw = stream(values, newline, bom=True, indent=1)
    found, parser = parse([raw[i : i + 1] for i in range(len(raw))])
    assert found == values
    assert parser.done


PARTS = (
    b"data:", b"data: ", b'{"a":1}', b"[DONE]", b"[DONE",
    b'["\\ud83d"]', b"\xef\xbb\xbf", b": c", b"{", b" ", b"\r", b"\n",
    b"\n\n", b"\r\n\r\n", b'data: {"b":[2]}\n\n', b'data: {"c":\r3}\n\n', b'data: "d"\n\n', b"data:\n\n",
)  # fmt: skip


@given(st.lists(st.lists(st.sampled_from(PARTS), max_size=4).map(b"".join), max_size=8))
def test_F13_reads_of_any_shape_give_what_single_bytes_give(reads: list[bytes]) -> None:
    raw = b"".join(reads)
    found, parser = parse(reads)
    same, by_byte = parse([raw[i : i + 1] for i in range(len(raw))])
    assert found == same
    assert (parser.done, parser.fault) == (by_byte.done, by_byte.fault)


@given(st.lists(st.binary(max_size=60), max_size=8))
def test_F13_no_bytes_raise(parts: list[bytes]) -> None:
    parse([b"data: ", *parts, b"\n\n"])


def test_other_fields_and_comments_are_dropped() -> None:
    raw = b': hello\nevent: message\nid: 7\nretry: 10\ndata: {"a":1}\nunknown\n\n'
    assert parse([raw])[0] == [{"a": 1}]


def test_nothing_is_read_after_done() -> None:
    found, parser = parse([b'data: {"a":1}\n\ndata: [DONE]\n\ndata: {"a":2}\n\n', b"data: x\n\n"])
    assert found == [{"a": 1}]
    assert parser.done
    assert parser.fault is None


def test_a_last_event_without_its_blank_line_counts() -> None:
    assert parse([b'data: {"a":1}'])[0] == [{"a": 1}]
    found, parser = parse([b'data: {"a":1}\n\ndata: [DONE]'])
    assert found == [{"a": 1}]
    assert parser.done


def test_a_body_that_ends_within_an_event_is_no_fault() -> None:
    found, parser = parse([b'data: {"a":1}\n\ndata: {"a'])
    assert found == [{"a": 1}]
    assert parser.fault is None


@pytest.mark.parametrize("bad", [b"{", b"nonsense", b'{"a": "\xff"}', b"[" * 100_000, b'{"a": 1' + b"0" * 5000 + b"}"])
def test_F13_unreadable_data_is_a_fault_after_what_was_good(bad: bytes) -> None:
    parser = SseParser()
    assert parser.feed(b'data: {"a":1}\n\ndata: ' + bad + b'\n\ndata: {"a":2}\n\n') == [{"a": 1}]
    assert parser.fault is not None
    assert parser.feed(b'data: {"a":3}\n\n') == []


def test_F17_halves_of_a_surrogate_pair_are_kept_for_the_reader_to_join() -> None:
    found, _ = parse([b'data: ["\\ud83d"]\n\ndata: ["\\ude00"]\n\n'])
    assert found == [["\ud83d"], ["\ude00"]]


def test_F16_a_line_without_end_is_cut_at_its_bound() -> None:
    parser = SseParser()
    fed = 0
    while parser.fault is None:
        parser.feed(b"x" * 65_536)
        fed += 65_536
    assert fed <= MAX_EVENT_BYTES + 2 * 65_536


def test_F16_an_event_of_many_lines_is_cut_at_its_bound() -> None:
    parser = SseParser()
    line = b"data: " + b"x" * 1000 + b"\n"
    fed = 0
    while parser.fault is None:
        assert parser.feed(line) == []
        fed += len(line)
    assert fed <= MAX_EVENT_BYTES + 2 * len(line)


def test_F16_one_big_event_in_one_read_is_refused() -> None:
    parser = SseParser()
    assert parser.feed(b'data: ["' + b"x" * MAX_EVENT_BYTES + b'"]\n\n') == []
    assert parser.fault is not None


def test_F16_one_big_event_is_refused_also_after_others() -> None:
    parser = SseParser()
    assert parser.feed(b'data: {"a":1}\n\n') == [{"a": 1}]
    assert parser.feed(b'data: ["' + b"x" * MAX_EVENT_BYTES + b'"]\n\n') == []
    assert parser.fault is not None
