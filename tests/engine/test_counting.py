"""Tokens, money, caps and windows of whole runs."""

from __future__ import annotations

import gc
from dataclasses import replace

from moa.core.domain import (
    Agent,
    Finish,
    LeftOut,
    Model,
    Part,
    Price,
    Sampling,
    Slot,
    Status,
    Usage,
)
from moa.core.events import (
    AgentStarted,
    TextDelta,
)
from moa.core.policy import Caps
from moa.core.view import fold_all
from moa.engine.call import SlotCall
from moa.engine.run import Run
from tests.support.mixtures import ask, of_type, recipe, stage
from tests.support.server import Answer, endless_output


async def test_usage_and_cost_add_up() -> None:
    async with stage() as at:
        price = Price(2_000_000, 10_000_000)
        at.server.default = Answer(usage={"prompt_tokens": 100, "completion_tokens": 10})
        for name in ("a", "b", "agg"):
            at.directory.models[name] = Model(name, "test", name, name, price=price)
        _, result = await at.run(recipe("a", "b"), ask())
        assert [p.cost_microusd for p in result.proposals] == [300, 300, 300]
        assert (result.usage, result.cost_microusd) == (Usage(300, 30), 900)


async def test_an_unknown_price_makes_the_cost_unknown_and_no_usage_an_estimate() -> None:
    async with stage() as at:
        at.directory.models["a"] = Model("a", "test", "a", "A", price=Price(0, 0))
        at.directory.models["agg"] = Model("agg", "test", "agg", "Agg", price=Price(1_000_000, 1_000_000))
        at.server.script("agg", Answer("x" * 400, usage=None))
        _, result = await at.run(recipe("a", "b"), ask())
        one, other, last = result.proposals
        assert (one.cost_microusd, other.cost_microusd, last.cost_microusd) == (0, None, None)
        assert one.usage is not None
        assert last.usage is not None
        assert (one.usage.estimated, last.usage.estimated, last.usage.output_tokens) == (False, True, 100)
        assert last.usage.input_tokens > 150  # the paper's block at least
        assert result.usage is not None
        assert (result.usage.estimated, result.cost_microusd) == (True, None)


async def test_F15_a_text_cut_by_its_limit_is_kept_and_marked() -> None:
    async with stage() as at:
        at.server.script("a", Answer("Cut at the", finish="length"))
        _, result = await at.run(recipe("a"), ask())
        assert [(p.text, p.finish) for p in result.proposals] == [
            ("Cut at the", Finish.LENGTH), ("Hello from agg.", Finish.STOP),
        ]  # fmt: skip
        assert result.status is Status.COMPLETE
        assert "1. Cut at the" in at.server.requests_for("agg")[0].messages[0]["content"]


async def test_F16_endless_output_is_cut_at_the_cap_and_its_connection_closed() -> None:
    async with stage(caps=Caps(output_chars=1_000)) as at:
        at.server.script("a", endless_output())
        events, result = await at.run(recipe("a"), ask())
        proposal = result.proposals[0]
        assert (len(proposal.text), proposal.finish) == (1_000, Finish.LENGTH)
        assert proposal.usage is not None
        assert proposal.usage.estimated
        assert "".join(e.text for e in of_type(events, TextDelta) if e.slot == Slot(1, 1)) == proposal.text
        await at.server.idle()


async def test_a_small_window_drops_the_oldest_turns_of_that_model_alone() -> None:
    """Each model has its own window; what was left out is told with the call it concerns."""
    history = [(f"Question {n}?", f"Answer {n}. " + "word " * 60) for n in range(1, 9)]
    async with stage() as at:
        at.directory.models["small"] = Model("small", "test", "small", "Small", context_tokens=600)
        agents = (Agent("small", sampling=Sampling(max_tokens=100)), Agent("large"))
        events, result = await at.run(recipe(*agents), ask("Last?", *history))
        sent = [m["content"] for m in at.server.requests_for("small")[0].messages if m["role"] == "user"]
        assert sent[-1] == "Last?"
        assert 1 < len(sent) < 9
        assert sent[:-1] == [f"Question {n}?" for n in range(10 - len(sent), 9)]
        assert len(at.server.requests_for("large")[0].messages) == 17
        left_out = {str(e.slot): e.left_out for e in of_type(events, AgentStarted)}
        assert left_out == {"1.1": LeftOut(turns=9 - len(sent)), "1.2": LeftOut(), "2.1": LeftOut()}
        assert fold_all(events).panels[Slot(1, 1)].left_out == LeftOut(turns=9 - len(sent))
        assert result.status is Status.COMPLETE


async def test_proposals_are_cut_to_the_aggregators_window() -> None:
    async with stage() as at:
        at.directory.models["agg"] = Model("agg", "test", "agg", "Agg", context_tokens=1_500)
        at.server.default = lambda r: Answer(f"{r.model} " * 1_500, chunks=3)
        mixture = replace(recipe("a", "b"), aggregator=Agent("agg", Part.AGGREGATOR, Sampling(max_tokens=300)))
        events, _ = await at.run(mixture, ask("Last?"))
        started = of_type(events, AgentStarted)[-1]
        assert started.left_out.turns == 0
        assert started.left_out.proposal_chars > 1_000
        (sent,) = at.server.requests_for("agg")
        assert sent.messages[-1]["content"] == "Last?"
        assert sent.messages[0]["content"].count(" …") == 2


async def test_what_a_call_held_is_given_back_without_a_garbage_collection() -> None:
    async with stage() as at:
        gc.collect()
        gc.disable()
        try:
            await at.run(recipe("a", "b"), ask())
            assert not [held for held in gc.get_objects() if isinstance(held, SlotCall | Run)]
        finally:
            gc.enable()
