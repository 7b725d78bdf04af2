"""What is loaded equals what was saved, for values that nobody thought of."""

from __future__ import annotations

from itertools import count

import orjson
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from moa.chat.values import NewTurn, SavedCall
from moa.core.codec import decode, encode
from moa.core.domain import Agent, LeftOut, Message, Missing, Outcome, Recipe, RunResult
from storage import SqlStore
from tests.storage.samples import (
    ADA,
    AGENT,
    FAILURES,
    LEFT_OUT,
    MESSAGES,
    PROPOSALS,
    RECIPE,
    RECIPES,
    RESULTS,
    TEXT,
)

# One store serves all examples of a test: each example begins a conversation of its own.
quick = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
KEYS = count()


@given(RECIPES, AGENT, MESSAGES)
def test_json_gives_back_the_value(recipe: Recipe, agent: Agent, messages: tuple[Message, ...]) -> None:
    assert decode(Recipe, encode(recipe)) == recipe
    assert decode(Recipe, encode(recipe)).digest == recipe.digest
    assert decode(Agent, encode(agent)) == agent
    assert decode(tuple[Message, ...], encode(messages)) == messages


@given(st.text(st.characters(codec=None), max_size=30))
def test_any_text_can_be_encoded(text: str) -> None:
    encode(Missing(None, text, text)).encode()


def test_older_rows_get_the_defaults_of_newer_fields() -> None:
    full = orjson.loads(encode(RECIPE))
    old = {key: full[key] for key in ("id", "title", "layers", "aggregator")}
    assert decode(Recipe, orjson.dumps(old).decode()) == RECIPE


def test_fields_that_are_no_more_are_passed_over() -> None:
    newer = orjson.dumps({**orjson.loads(encode(RECIPE)), "gone": 1}).decode()
    assert decode(Recipe, newer) == RECIPE


@quick
@given(recipe=RECIPES, seed=st.integers(0, 2**63 - 1), text=TEXT)
async def test_a_turn_is_loaded_as_it_was_stored(store: SqlStore, recipe: Recipe, seed: int, text: str) -> None:
    turn, _ = await store.begin_turn(ADA, NewTurn(text, recipe, seed, f"turn{next(KEYS)}"))
    assert (turn.question, turn.shown.recipe, turn.shown.seed) == (text, recipe, seed)
    assert await store.load_turn(ADA, turn.id) == turn


@quick
@given(outcome=PROPOSALS | FAILURES, messages=MESSAGES, left_out=LEFT_OUT)
async def test_an_outcome_is_loaded_as_it_was_saved(
    store: SqlStore, outcome: Outcome, messages: tuple[Message, ...], left_out: LeftOut
) -> None:
    turn, _ = await store.begin_turn(ADA, NewTurn("?", RECIPE, 1, f"outcome{next(KEYS)}"))
    await store.save_call(ADA, turn.shown_run_id, SavedCall(outcome.slot, outcome.agent, messages, left_out, outcome))
    run = (await store.load_turn(ADA, turn.id)).shown
    assert run.outcomes == (outcome,)
    assert run.left_out == ({outcome.slot: left_out} if left_out else {})


@quick
@given(result=RESULTS)
async def test_a_result_is_loaded_as_it_was_saved(store: SqlStore, result: RunResult) -> None:
    turn, _ = await store.begin_turn(ADA, NewTurn("?", RECIPE, 1, f"result{next(KEYS)}"))
    await store.end_run(ADA, turn.shown_run_id, result)
    run = (await store.load_turn(ADA, turn.id)).shown
    assert run.result == result
    assert run.outcomes == tuple(sorted(result.outcomes, key=lambda o: o.slot))
