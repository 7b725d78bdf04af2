"""The catalogue: what is shipped, and how an own file is laid over it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from moa.config.catalogue import load_catalogue
from moa.core.catalogue import policy_for
from moa.core.domain import Model, Part, Price, PromptStyle
from moa.core.policy import Deadlines
from moa.providers.registry import Registry
from tests.support.catalogues import OWN, SMOL, load, refused

# What is shipped


@pytest.mark.parametrize(
    ("recipe", "layers", "calls"),
    [
        ("local", 2, 4),
        ("local-mix", 2, 5),
        ("moa", 3, 13),
        ("moa-gpt-4o", 3, 13),
        ("moa-lite", 2, 7),
        ("self-moa", 2, 7),
        ("single", 1, 1),
    ],
)
def test_the_shipped_recipes_have_the_papers_layers_and_calls(recipe: str, layers: int, calls: int) -> None:
    shipped = load_catalogue(None).recipes[recipe]
    assert (shipped.layer_count, shipped.call_count) == (layers, calls)


def test_the_papers_systems_are_six_different_models_at_the_papers_temperature_and_prompt() -> None:
    recipes = load_catalogue(None).recipes
    proposers = {
        tuple(a.model for a in layer.agents)
        for n in ("moa", "moa-gpt-4o", "moa-lite")
        for layer in recipes[n].layers
    }
    assert len(proposers) == 1
    assert len(set(proposers.pop())) == 6
    assert recipes["moa"].aggregator.model != recipes["moa-lite"].aggregator.model
    assert len({agent.model for agent in recipes["self-moa"].layers[0].agents}) == 1
    for name in ("moa", "moa-gpt-4o", "moa-lite", "self-moa"):
        assert recipes[name].prompt_style is PromptStyle.PAPER
        agents = [*recipes[name].layers[0].agents, recipes[name].aggregator]
        assert {agent.sampling.temperature for agent in agents} == {0.7}


def test_the_default_recipe_needs_no_key_and_its_answer_fits_a_slot() -> None:
    catalogue = load_catalogue(None)
    local = catalogue.recipes[catalogue.default_recipe]
    agents = [*local.layers[0].agents, local.aggregator]
    assert {catalogue.models[agent.model].provider for agent in agents} == {"embedded"}
    assert len({agent.label for agent in local.layers[0].agents}) == 3
    assert len({agent.sampling.temperature for agent in local.layers[0].agents}) == 3
    window = catalogue.models[SMOL].context_tokens or 0
    assert sum(agent.sampling.max_tokens or window for agent in agents) < window


def test_every_shipped_weight_is_pinned_and_every_key_is_named() -> None:
    catalogue = load_catalogue(None)
    for weights in catalogue.weights.values():
        assert len(weights.sha256 or "") == 64
        assert weights.size_bytes
        assert weights.hub_repo
    assert {name for name, spec in catalogue.providers.items() if spec.kind == "embedded"} == {"embedded"}
    for spec in catalogue.providers.values():
        assert spec.kind == "embedded" or spec.api_key_env
        assert spec.optional_key == spec.local
    assert {"openai", "together", "groq", "openrouter", "ollama"} <= catalogue.providers.keys()


def test_every_model_of_a_shipped_recipe_is_declared_with_its_window() -> None:
    catalogue = load_catalogue(None)
    for recipe in catalogue.recipes.values():
        for agent in [
            *(a for layer in recipe.layers for a in layer.agents),
            recipe.aggregator,
            *recipe.fallbacks,
        ]:
            assert catalogue.models[agent.model].context_tokens


# Deadlines


def test_reasoning_models_are_waited_for_longer_unless_told_otherwise(tmp_path: Path) -> None:
    catalogue = load(
        tmp_path,
        """
        [providers.x]
        base_url = "https://x.example/v1"
        timeouts = { idle_s = 7.0 }
        [models."x/plain"]
        [models."x/thinks"]
        reasoning = true
        [models."x/hurried"]
        reasoning = true
        timeouts = { total_s = 20.0 }
        """,
    )
    told = {
        name: policy_for(catalogue, catalogue.models[f"x/{name}"]).deadlines
        for name in ("plain", "thinks", "hurried")
    }
    assert told["plain"] == Deadlines(idle_s=7.0)
    assert told["thinks"] == Deadlines(idle_s=7.0, first_token_s=120.0, total_s=600.0)
    assert told["hurried"] == Deadlines(idle_s=7.0, first_token_s=120.0, total_s=20.0)
    found_later = Model("x/found", "x", "found", "found", reasoning=True)
    assert policy_for(catalogue, found_later).deadlines == told["thinks"]
    assert policy_for(catalogue, Model("gone/m", "gone", "m", "m")).deadlines == Deadlines()
    registry = Registry(catalogue, {})
    assert {name: registry.endpoint(f"x/{name}").policy.deadlines for name in told} == told


# The own file


def test_an_own_file_is_laid_over_key_by_key(tmp_path: Path) -> None:
    catalogue = load(
        tmp_path,
        """
        default_recipe = "mine"
        [caps]
        turns = 20
        [providers.openai]
        label = "Work"
        limits = { requests_per_minute = 60 }
        [providers.mine]
        base_url = "https://llm.example.org/v1/"
        api_key_env = "MINE_API_KEY"
        [models."mine/big"]
        wire_name = "big-2026-11"
        price = { input = 0.15, output = 1 }
        good_at = ["aggregator"]
        [recipes.local]
        title = "At home"
        aggregator = { temperature = 0.9 }
        [recipes.mine]
        title = "Mine"
        proposers = ["mine/big", { model = "mine/unlisted/name", count = 2, seed = 5, label = "Twin" }]
        aggregator = "mine/big"
        quorum = 2
        budget = { calls = 9, dollars = 0.25 }
        """,
    )
    shipped = load_catalogue(None)
    assert catalogue.caps.turns == 20
    assert catalogue.caps.question_chars == shipped.caps.question_chars
    assert catalogue.providers["openai"].label == "Work"
    assert catalogue.providers["openai"].policy.limits.requests_per_minute == 60
    assert catalogue.providers["openai"].base_url == shipped.providers["openai"].base_url
    assert catalogue.providers["mine"].base_url == "https://llm.example.org/v1"
    big = catalogue.models["mine/big"]
    assert (big.wire_name, big.price, big.good_at) == (
        "big-2026-11",
        Price(150_000, 1_000_000),
        (Part.AGGREGATOR,),
    )
    assert catalogue.recipes["local"].title == "At home"
    assert catalogue.recipes["local"].layers == shipped.recipes["local"].layers
    assert catalogue.recipes["local"].aggregator.sampling.temperature == 0.9
    mine = catalogue.recipes["mine"]
    assert [(a.model, a.sampling.seed, a.label) for a in mine.layers[0].agents] == [
        ("mine/big", None, None),
        ("mine/unlisted/name", 5, "Twin"),
        ("mine/unlisted/name", 6, "Twin"),
    ]
    assert (mine.layers[0].quorum, mine.budget.calls, mine.budget.cost_microusd) == (2, 9, 250_000)
    assert catalogue.models["mine/unlisted/name"] == Model(
        "mine/unlisted/name", "mine", "unlisted/name", "name"
    )


def test_layers_of_their_own_agents_take_the_recipes_timing_where_they_say_none(tmp_path: Path) -> None:
    catalogue = load(
        tmp_path,
        f"""
        [recipes.local]
        quorum = 1
        grace_s = 3
        [[recipes.local.layer]]
        proposers = ["{SMOL}", "{SMOL}"]
        [[recipes.local.layer]]
        proposers = [{{ model = "{SMOL}", count = 4 }}]
        quorum = 3
        deadline_s = 60
        """,
    )
    first, second = catalogue.recipes["local"].layers
    assert (len(first.agents), first.quorum, first.grace_s, first.deadline_s) == (2, 1, 3, 180)
    assert (len(second.agents), second.quorum, second.grace_s, second.deadline_s) == (4, 3, 3, 60)


def test_the_recipes_temperature_is_for_agents_that_name_none(tmp_path: Path) -> None:
    recipe = load(
        tmp_path,
        f"""
        [recipes.r]
        title = "r"
        temperature = 0.4
        proposers = ["{SMOL}", {{ model = "{SMOL}", temperature = 0 }}]
        aggregator = "{SMOL}"
        fallbacks = ["{SMOL}"]
        """,
    ).recipes["r"]
    agents = [*recipe.layers[0].agents, recipe.aggregator, *recipe.fallbacks]
    assert [agent.sampling.temperature for agent in agents] == [0.4, 0, 0.4, 0.4]
    assert [agent.part for agent in agents] == [
        Part.PROPOSER,
        Part.PROPOSER,
        Part.AGGREGATOR,
        Part.AGGREGATOR,
    ]


def test_what_is_switched_off_is_gone_and_shipped_recipes_go_with_it(tmp_path: Path) -> None:
    catalogue = load(
        tmp_path, "[providers.together]\nenabled = false\n[recipes.local-mix]\nenabled = false\n"
    )
    assert "together" not in catalogue.providers
    assert not [model for model in catalogue.models if model.startswith("together/")]
    assert set(catalogue.recipes) == {"local"}


def test_switching_off_what_is_needed_is_told(tmp_path: Path) -> None:
    line = refused(tmp_path, "[recipes.local]\nenabled = false\n")
    assert line.startswith("default_recipe: names no recipe that is switched on; ")
    mine = '[providers.openai]\nenabled = false\n[recipes.r]\ntitle = "r"\naggregator = "openai/gpt-4o"\n'
    assert refused(tmp_path, mine) == (
        '[recipes.r] aggregator: "openai/gpt-4o" is switched off; switch it on or name another model'
    )


def test_a_relative_weights_file_counts_from_the_configuration(tmp_path: Path) -> None:
    catalogue = load(tmp_path, '[models."embedded/mine"]\nfile = "weights/a.gguf"\n')
    assert catalogue.weights["embedded/mine"].file == str(tmp_path / "weights/a.gguf")


def test_the_named_file_takes_the_place_of_the_default_embedded_model(tmp_path: Path) -> None:
    catalogue = load_catalogue(None, embedded_file="/models/Tiny-Chat.gguf")
    assert catalogue.weights[SMOL].file == "/models/Tiny-Chat.gguf"
    assert catalogue.weights[SMOL].wheel is None
    assert catalogue.weights[SMOL].sha256 is None
    assert catalogue.models[SMOL].label == "Tiny-Chat"
    other = load(tmp_path, 'default_recipe = "local-mix"\n', embedded_file="/m.gguf")
    assert [id_ for id_, w in other.weights.items() if w.file] == ["embedded/qwen2.5-1.5b-instruct"]


def test_B27_a_hostile_file_is_data_only(tmp_path: Path) -> None:
    texts = (
        "${PATH}",
        "$PATH",
        "{{ 7 * 7 }}",
        "%(PATH)s",
        "{0.__class__}",
        "<script>alert(1)</script>",
    )
    for text in texts:
        catalogue = load(
            tmp_path,
            OWN.replace('title = "R"', f'title = "{text}"\nsystem = "{text}"\nabout = "{text}"')
            + f'\n[providers.p.extra_body]\nuser = "{text}"\n',
        )
        recipe = catalogue.recipes["r"]
        assert (recipe.title, recipe.system, recipe.about) == (text, text, text)
        assert catalogue.providers["p"].extra_body == {"user": text}
        assert os.environ["PATH"] not in repr(catalogue)


def test_B27_values_that_no_request_could_carry_are_refused(tmp_path: Path) -> None:
    dated = refused(tmp_path, "[providers.openai]\nextra_body = { when = 2026-01-01 }\n")
    assert dated.startswith("[providers.openai.extra_body] when: must be a text, ")
    assert "system: has characters" in refused(tmp_path, '[recipes.moa]\nsystem = "a\\u0000b"\n')
    assert refused(tmp_path, '[recipes."../x"]\ntitle = "x"\naggregator = "openai/x"\n').startswith(
        '[recipes."../x"]'
    )
