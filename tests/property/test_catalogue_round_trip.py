"""Whatever catalogue an operator writes is what the app then has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import tomlkit
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moa.core.domain import Price
from tests.support.catalogues import load

names = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
lines = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
numbers = st.integers(0, 2_000_000).map(lambda n: n / 1_000_000)


@st.composite
def catalogues(draw: st.DrawFn) -> dict[str, Any]:
    providers = draw(st.lists(names.map(lambda n: f"own-{n}"), min_size=1, max_size=3, unique=True))
    models = draw(
        st.lists(
            st.tuples(st.sampled_from(providers), names).map("/".join), min_size=1, max_size=4, unique=True
        )
    )
    ids = st.sampled_from(models)
    agents = st.one_of(
        ids,
        st.fixed_dictionaries(
            {"model": ids},
            optional={"temperature": numbers, "label": lines, "system": lines, "count": st.integers(1, 3)},
        ),
    )
    proposers = st.lists(agents, min_size=1, max_size=4)
    flat = st.fixed_dictionaries({"proposers": proposers, "layers": st.integers(2, 6)})
    deep = st.fixed_dictionaries(
        {"layer": st.lists(st.fixed_dictionaries({"proposers": proposers}), min_size=1, max_size=5)}
    )
    recipe = st.tuples(
        st.one_of(flat, deep, st.just({"layers": 1})),
        st.fixed_dictionaries(
            {"title": lines, "aggregator": ids}, optional={"system": lines, "temperature": numbers}
        ),
    ).map(lambda parts: {**parts[0], **parts[1]})
    return {
        "providers": {n: {"base_url": f"https://{n}.example/v1", "label": draw(lines)} for n in providers},
        "models": {
            m: {"label": draw(lines), "price": {"input": draw(numbers), "output": draw(numbers)}}
            for m in models
        },
        "recipes": draw(st.dictionaries(names.map(lambda n: f"own-{n}"), recipe, min_size=1, max_size=3)),
    }


def heads(entries: list[Any]) -> list[tuple[str, Any]]:
    tables: list[dict[str, Any]] = [
        {"model": entry} if isinstance(entry, str) else entry for entry in entries
    ]
    return [(table["model"], table.get("label")) for table in tables for _ in range(table.get("count", 1))]


@given(raw=catalogues())
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_a_catalogue_comes_back_as_it_was_written(tmp_path: Path, raw: dict[str, Any]) -> None:
    catalogue = load(tmp_path, tomlkit.dumps(raw))
    for name, provider in raw["providers"].items():
        assert catalogue.providers[name].label == provider["label"]
    for id_, model in raw["models"].items():
        assert catalogue.models[id_].label == model["label"]
        price = Price(*(round(model["price"][way] * 1_000_000) for way in ("input", "output")))
        assert catalogue.models[id_].price == price
    for name, table in raw["recipes"].items():
        recipe = catalogue.recipes[name]
        written = [layer["proposers"] for layer in table.get("layer", ())]
        rows = [
            heads(row) for row in written or [table.get("proposers", [])] * (int(table.get("layers", 1)) - 1)
        ]
        assert [[(a.model, a.label) for a in layer.agents] for layer in recipe.layers] == rows
        assert recipe.call_count == sum(map(len, rows)) + 1
        assert (recipe.title, recipe.system) == (table["title"], table.get("system"))
    assert load(tmp_path, tomlkit.dumps(raw)) == catalogue
