from __future__ import annotations

import csv
import io
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moa.evals.report import report
from moa.evals.tables import Table, csv_of, tables
from tests.evals.compared import compared, comparison

STARTS = "=+-@\t\r\0＝＋－＠﹢﹣﹦﹫⁺⁼₊₌−﬩"
texts = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from(STARTS + "\"'\n,; "), max_size=20)


def read(text: str) -> list[list[str]]:
    return list(csv.reader(io.StringIO(text, newline=""), strict=True))


def begins_a_formula(text: str) -> bool:
    if text[:1] in ("\t", "\r", "\0") and text:
        return True
    bare = text.lstrip(" \t\r\n\0\v\f\ufeff\u200b\u00a0")
    return bool(bare) and (unicodedata.normalize("NFKC", bare[0]) in {"=", "+", "-", "@"} or bare[0] == "−")


@pytest.mark.parametrize("start", STARTS)
@pytest.mark.parametrize("before", ["", " ", "\n", '"', "x\n", 'x"', "x;", "x, ", "\ufeff", "'"])
def test_B17_no_text_begins_a_formula_also_behind_quotes_and_lines(start: str, before: str) -> None:
    (cell,) = read(csv_of(Table((before + start + "cmd|' /C calc'!A0",), ())))[0]
    at = cell.index(start + "cmd" if start not in "\t\r\0" else start)
    if start not in "\t\r\0":
        assert "'" in cell[max(0, at - 3) : at]
    elif before == "":
        assert cell.startswith("'")


@given(st.lists(st.lists(texts, min_size=2, max_size=2), max_size=4))
def test_B17_every_cell_comes_back_with_at_most_apostrophes_more(rows: list[list[str]]) -> None:
    back = read(csv_of(Table(("a", "b"), tuple(tuple(row) for row in rows))))
    assert back[0] == ["a", "b"]
    for ours, theirs in zip(rows, back[1:], strict=True):
        for text, cell in zip(ours, theirs, strict=True):
            assert cell.replace("'", "") == text.replace("'", "")
            assert not begins_a_formula(cell)
            assert not any(begins_a_formula(line) for line in cell.replace("\r", "\n").split("\n") if line.strip())


@pytest.mark.parametrize("name", ["GPT-4", "Qwen2.5 72B", "a=b", "x@y", "mix (3 × 2)", "naïve"])
def test_B17_ordinary_names_stay_as_they_are(name: str) -> None:
    assert read(csv_of(Table((name,), ()))) == [[name]]


def test_lines_end_and_cells_are_quoted_as_rfc_4180_says() -> None:
    table = Table(("System", "Score"), (('a "b", c', -1.5), ("two\nlines", None)))
    assert csv_of(table) == 'System,Score\r\n"a ""b"", c",-1.5\r\n"two\nlines",\r\n'


def test_each_table_has_a_cell_for_every_heading() -> None:
    for made in (report(compared(60), resamples=20), report(()), report([comparison(0, "a", "a")])):
        for name, table in tables(made).items():
            assert name.isalpha()
            assert {len(row) for row in table.rows} <= {len(table.head)}


def test_dollars_seconds_and_shares_have_the_units_of_their_headings() -> None:
    made = tables(report(compared(400), resamples=20))
    assert made["dollars"].head[:2] == ("System", "Mean cost of an answer ($)")
    dearest = made["dollars"].rows[-1]
    assert (dearest[0], dearest[5]) == ("MoA", "yes")
    assert dearest[1] == pytest.approx(0.04, rel=0.05)
    assert made["seconds"].rows[-1][1] == pytest.approx(31, rel=0.1)
    assert isinstance(dearest[2], float)
    assert 50 < dearest[2] < 100
