"""Mixtures made by a user: what they change, what they keep, and what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from moa.config.catalogue import load_catalogue
from moa.config.recipes import CUSTOM_ID, CUSTOM_TITLE, custom_recipe, parse_proposers
from moa.core.catalogue import Catalogue
from moa.core.domain import Agent, Layer, Part, Recipe, Sampling
from moa.core.errors import InputRefused

MODELS = {"p/a", "p/b", "p/c"}
CAREFUL = Agent(
    "p/a", sampling=Sampling(temperature=0.3, max_tokens=320), system="Be careful.", label="Careful"
)
BOLD = Agent("p/a", sampling=Sampling(temperature=1.0, max_tokens=320), system="Be bold.", label="Bold")
WRITER = Agent("p/a", Part.AGGREGATOR, Sampling(temperature=0.2, max_tokens=400))
BASE = Recipe("base", "Base", (Layer((CAREFUL, BOLD)),), WRITER, about="Two voices.")
ALIKE = Recipe(
    "alike",
    "Alike",
    (Layer((Agent("p/a", sampling=Sampling(0.7)), Agent("p/b", sampling=Sampling(0.7))), quorum=2),) * 2,
    Agent("p/a", Part.AGGREGATOR, Sampling(0.7)),
    fallbacks=(Agent("p/b", Part.AGGREGATOR, Sampling(0.7)),),
    system="Be brief.",
)


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(None)


def shown(base: Recipe) -> dict[str, Any]:
    """The settings as a page shows them for a recipe."""
    proposers = base.layers[0].agents if base.layers else ()
    agents = [*(agent for layer in base.layers for agent in layer.agents), base.aggregator]
    warmth = {agent.sampling.temperature for agent in agents}
    return {
        "proposers": [{"model": agent.model, "label": agent.label} for agent in proposers],
        "aggregator": base.aggregator.model,
        "layers": base.layer_count,
        "temperature": warmth.pop() if len(warmth) == 1 else None,
        "system": base.system or "",
    }


def make(base: Recipe = BASE, **changed: Any) -> Recipe:
    return custom_recipe(MODELS, base=base, **{**shown(base), **changed})


def refused(base: Recipe = BASE, **changed: Any) -> str:
    with pytest.raises(InputRefused) as caught:
        make(base, **changed)
    assert "\n" not in caught.value.public
    return caught.value.public


# Nothing changed


def test_settings_that_change_nothing_give_the_recipe_itself(catalogue: Catalogue) -> None:
    for base in catalogue.recipes.values():
        assert custom_recipe(catalogue.models, base=base, **shown(base)) is base


def test_counts_and_empty_fields_are_read_as_the_same_picks() -> None:
    assert make(proposers=[{"model": "p/a", "label": None, "count": 2}]) is BASE
    assert make(proposers="p/a, p/a", layers=2.0, system="") is BASE
    assert make(layers=None) is BASE
    assert make(ALIKE, system=" Be brief.\n") is ALIKE


def test_a_picker_that_groups_by_model_changes_nothing() -> None:
    a, b = Agent("p/a"), Agent("p/b")
    mixed = replace(ALIKE, layers=(Layer((a, b, a)),))
    assert make(mixed, proposers=[{"model": "p/a", "count": 2}, "p/b"]) is mixed


def test_the_catalogue_may_be_asked_by_a_function() -> None:
    picks = {"proposers": ["p/x"], "aggregator": "p/x", "layers": 2}
    made = custom_recipe(lambda id_: id_ == "p/x", base=BASE, **picks)  # type: ignore[arg-type]
    assert made.aggregator.model == "p/x"


# Changed


def test_a_change_is_called_custom_and_keeps_the_rest() -> None:
    made = make(ALIKE, aggregator="p/c")
    assert (made.id, made.title, made.about) == (CUSTOM_ID, CUSTOM_TITLE, "")
    assert made.aggregator == Agent("p/c", Part.AGGREGATOR, Sampling(0.7))
    assert (made.layers, made.fallbacks, made.system) == (ALIKE.layers, ALIKE.fallbacks, ALIKE.system)
    assert made.digest != ALIKE.digest


def test_a_proposer_that_stays_keeps_its_persona() -> None:
    made = make(proposers=["p/a", "p/b", "p/a", "p/a"])
    agents = made.layers[0].agents
    assert agents[0] == CAREFUL
    assert agents[2] == BOLD
    assert agents[1] == Agent("p/b")
    assert agents[3] == Agent("p/a", sampling=Sampling(max_tokens=400)), "bare, under the model's widest cap"


def test_a_persona_is_found_by_its_label_and_changed_by_what_the_pick_says() -> None:
    made = make(
        proposers=[{"model": "p/a", "label": "Bold"}, {"model": "p/a", "temperature": 0.5, "system": "Hm."}]
    )
    assert made.layers[0].agents[0] == BOLD
    assert made.layers[0].agents[1] == replace(CAREFUL, system="Hm.", sampling=Sampling(0.5, max_tokens=320))


def test_a_temperature_is_for_every_agent_only_when_it_differs_from_the_one_shown() -> None:
    assert make(ALIKE, temperature=0.7) is ALIKE
    made = make(ALIKE, temperature=1.1)
    agents = [*(a for layer in made.layers for a in layer.agents), made.aggregator, *made.fallbacks]
    assert {agent.sampling.temperature for agent in agents} == {1.1}
    warm = make(temperature=0)
    assert [a.sampling for a in warm.layers[0].agents] == [Sampling(0, max_tokens=320)] * 2
    assert [a.label for a in warm.layers[0].agents] == ["Careful", "Bold"]


def test_layers_are_counted_with_the_aggregator() -> None:
    for layers in range(2, 6):
        made = make(layers=layers)
        assert (made.layer_count, made.call_count) == (layers, 2 * (layers - 1) + 1)
    alone = make(layers=1)
    assert (alone.layers, alone.call_count, alone.aggregator) == ((), 1, WRITER)
    assert make(ALIKE, layers=1, proposers=[]).call_count == 1


def test_different_layers_stay_different_while_the_proposers_do() -> None:
    deep = replace(BASE, layers=(Layer((CAREFUL, BOLD)), Layer((CAREFUL,), quorum=1)))
    assert make(deep, layers=4).layers == (*deep.layers, deep.layers[1])
    assert make(deep, layers=2).layers == deep.layers[:1]
    alike = make(deep, proposers=["p/b"]).layers
    assert [[a.model for a in layer.agents] for layer in alike] == [["p/b"], ["p/b"]]


def test_a_single_model_can_be_given_proposers() -> None:
    single = Recipe("single", "Single", (), Agent("p/a", Part.AGGREGATOR, Sampling(0.7)))
    made = make(single, layers=3, proposers=["p/b", "p/c"])
    assert made.call_count == 5
    assert made.layers[0].agents[0] == Agent("p/b", sampling=Sampling(0.7))
    assert make(single, layers=1) is single


def test_the_system_prompt_is_kept_replaced_or_removed() -> None:
    assert make(ALIKE, system=None) is ALIKE
    assert make(ALIKE, system="Rhyme.").system == "Rhyme."
    assert make(ALIKE, system="  ").system is None


def test_quorum_and_times() -> None:
    layer = make(quorum=1, grace_s=2.5, deadline_s=30).layers[0]
    assert (layer.quorum, layer.grace_s, layer.deadline_s) == (1, 2.5, 30)
    assert make(ALIKE, proposers=["p/a"]).layers[0].quorum == 1, "a kept quorum never exceeds the proposers"
    assert refused(quorum=3) == "The quorum must be at most 2, the number of proposers."


# Refused


def test_B19_unknown_models_are_named() -> None:
    assert refused(proposers=["p/a", "p/zzz"], aggregator="q/gone") == (
        "There is no model 'p/zzz', 'q/gone' here; choose one from the list."
    )
    assert len(refused(aggregator="p/" + "x" * 5_000)) < 200


@pytest.mark.parametrize(
    "key", ["base_url", "api_key", "api_key_env", "provider", "kind", "extra_body", "__class__"]
)
def test_B19_a_visitor_cannot_bring_an_address_or_a_key(key: str) -> None:
    told = refused(proposers=[{"model": "p/a", key: "http://169.254.169.254/"}])
    assert told.startswith(f"Proposer 1: {key} no such key; ")
    assert "169.254" not in told


@pytest.mark.parametrize(
    ("changed", "limit"),
    [
        ({"proposers": ["p/a"] * 13}, "At most 12 proposers"),
        ({"proposers": [{"model": "p/a", "count": 7}] * 2}, "At most 12 proposers"),
        ({"proposers": [{"model": "p/a", "count": 13}]}, "Proposer 1: count must be at most 12."),
        ({"proposers": [{"model": "p/a", "count": 0}]}, "Proposer 1: count must be at least 1."),
        ({"proposers": []}, "Choose at least one proposer, or set layers to 1."),
        ({"proposers": ["p/a", 3]}, "Proposer 2: must be a table"),
        ({"proposers": ["p/a", "no-provider"]}, "Proposer 2: model must be PROVIDER/NAME"),
        ({"proposers": 3}, "The proposers must be a list of models."),
        ({"proposers": {"model": "p/a"}}, "The proposers must be a list of models."),
        ({"proposers": [{"model": "p/a", "temperature": 2.5}]}, "Proposer 1: temperature must be at most 2."),
        ({"proposers": [{"model": "p/a", "temperature": float("nan")}]}, "Proposer 1: temperature must be"),
        ({"proposers": [{"model": "p/a", "temperature": "1"}]}, "Proposer 1: temperature must be a number"),
        ({"proposers": [{"model": "p/a", "system": "x" * 8_001}]}, "at most 8000 characters"),
        ({"proposers": [{"model": "p/a", "label": "a\nb"}]}, "Proposer 1: label has characters"),
        ({"proposers": [{"model": "p/a", "system": "\ud800"}]}, "Proposer 1: system"),
        ({"aggregator": None}, "There is no model 'None'"),
        ({"layers": 0}, "The number of layers must be a whole number from 1 to 5."),
        ({"layers": 6}, "The number of layers must be a whole number from 1 to 5."),
        ({"layers": 2.5}, "The number of layers must be a whole number from 1 to 5."),
        ({"layers": "3"}, "The number of layers must be a whole number from 1 to 5."),
        ({"temperature": 2.01}, "The temperature must be from 0 to 2."),
        ({"temperature": -0.1}, "The temperature must be from 0 to 2."),
        ({"temperature": float("nan")}, "The temperature must be from 0 to 2."),
        ({"temperature": True}, "The temperature must be from 0 to 2."),
        ({"system": "x" * 8_001}, "The system prompt can have at most 8,000 characters."),
        ({"system": "a\0b"}, "can't be stored"),
        ({"system": "\udfff"}, "can't be stored"),
        ({"quorum": 0}, "The quorum must be a whole number from 1 to 12."),
        ({"grace_s": float("inf")}, "The grace period in seconds must be from 0 to 600."),
        ({"deadline_s": 0}, "A layer's deadline in seconds must be from 1 to 3600."),
    ],
)
def test_B19_numbers_and_sizes_are_refused_with_their_limit(changed: Mapping[str, Any], limit: str) -> None:
    assert limit in refused(**changed)


def test_proposers_are_read_from_a_list_or_a_text() -> None:
    assert [head.model for head in parse_proposers("p/a, p/b,")] == ["p/a", "p/b"]
    assert [head.count for head in parse_proposers([{"model": "p/a", "count": 3}])] == [3]
    assert parse_proposers([]) == ()


anything = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=9)
    | st.sampled_from(sorted(MODELS)),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["model", "count", "x"]), inner)
    ),
    max_leaves=8,
)


@given(
    proposers=anything,
    aggregator=anything,
    layers=anything,
    temperature=anything,
    system=anything,
    quorum=anything,
)
@settings(max_examples=150, deadline=None)
def test_B19_whatever_is_posted_gives_a_bounded_mixture_of_known_models_or_a_refusal(**posted: Any) -> None:
    try:
        made = custom_recipe(MODELS, base=BASE, **posted)
    except InputRefused:
        return
    agents = [*(agent for layer in made.layers for agent in layer.agents), made.aggregator]
    assert {agent.model for agent in agents} <= MODELS
    assert made.layer_count <= 5
    assert all(1 <= len(layer.agents) <= 12 for layer in made.layers)
