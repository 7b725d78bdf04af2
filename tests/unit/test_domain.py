from __future__ import annotations

from dataclasses import FrozenInstanceError, replace

import pytest

from moa.core.domain import (
    Agent,
    Budget,
    Failure,
    FailureKind,
    Layer,
    LeftOut,
    Message,
    Model,
    Part,
    PromptStyle,
    Proposal,
    Recipe,
    Role,
    RunResult,
    Sampling,
    Slot,
    Status,
    Usage,
)
from moa.core.errors import (
    CallError,
    FinalCall,
    MoaError,
    NotFound,
    RateLimited,
    RetryableCall,
    public_text,
    short_reason,
)
from tests.support.mixtures import recipe


@pytest.mark.parametrize("text", ["1.1", "2.13", "12.345"])
def test_a_slot_is_read_as_it_is_written(text: str) -> None:
    assert str(Slot.parse(text)) == text


@pytest.mark.parametrize("text", ["", ".", "1", "1.", ".1", "-1.2", "1.2.3", "a.b", "1.2 ", "1" * 9 + ".1", "1.٣x"])
def test_anything_else_is_no_slot(text: str) -> None:
    with pytest.raises(ValueError, match="not a slot"):
        Slot.parse(text)


def test_slots_sort_by_layer_then_position() -> None:
    assert sorted([Slot(2, 1), Slot(1, 10), Slot(1, 2)]) == [Slot(1, 2), Slot(1, 10), Slot(2, 1)]


@pytest.mark.parametrize(
    ("layers", "proposers", "style", "calls"),
    [
        (1, 0, PromptStyle.PAPER, 1),
        (1, 0, PromptStyle.ANALYSIS, 1),
        (2, 6, PromptStyle.PAPER, 7),  # MoA-Lite
        (3, 6, PromptStyle.FENCED, 13),  # MoA
        (4, 3, PromptStyle.FENCED, 10),
        (2, 3, PromptStyle.ANALYSIS, 5),
    ],
)
def test_layers_are_counted_with_the_aggregators(layers: int, proposers: int, style: PromptStyle, calls: int) -> None:
    mixture = recipe(*["m"] * proposers, layers=layers, style=style)
    assert (mixture.layer_count, mixture.call_count) == (layers, calls)


def test_a_digest_changes_with_what_decides_the_answers_and_nothing_else() -> None:
    base = recipe("a", "b", fallbacks=("f",), system="Be kind.")
    assert replace(base, id="other", title="Other", about="More").digest == base.digest
    layer = base.layers[0]
    changed = [
        replace(base, prompt_style=PromptStyle.FENCED),
        replace(base, system=None),
        replace(base, fallbacks=()),
        replace(base, budget=Budget(calls=3)),
        replace(base, aggregator=Agent("other", Part.AGGREGATOR)),
        replace(base, layers=(replace(layer, agents=layer.agents[::-1]),)),
        replace(base, layers=(replace(layer, quorum=1),)),
        replace(base, layers=(layer, layer)),
        replace(base, layers=(replace(layer, agents=(Agent("a", sampling=Sampling(temperature=0.1)), Agent("b"))),)),
    ]
    digests = {mixture.digest for mixture in changed}
    assert len(digests) == len(changed)
    assert base.digest not in digests
    assert len(base.digest) == 16


def test_values_are_frozen_and_need_no_id() -> None:
    message = Message(Role.USER, "Hi")
    with pytest.raises(FrozenInstanceError):
        message.text = "Bye"  # type: ignore[misc]
    assert message == Message(Role.USER, "Hi")
    assert hash(Model("p/m", "p", "m", "M", extra_body={"top_k": 3})) == hash(Model("p/m", "p", "m", "M"))
    assert isinstance(recipe("a"), Recipe)
    assert Layer(()).deadline_s == 180.0


def test_usage_adds_up_and_one_estimate_makes_an_estimate() -> None:
    assert Usage(1, 2) + Usage(3, 4) == Usage(4, 6)
    assert Usage(1, 2, estimated=True) + Usage(3, 4) == Usage(4, 6, estimated=True)


def test_left_out_is_true_when_something_was() -> None:
    assert not LeftOut()
    assert LeftOut(turns=1)
    assert LeftOut(proposal_chars=1)


def test_a_result_tells_proposals_and_failures_apart() -> None:
    good = Proposal(Slot(1, 1), Agent("a"), "Yes.")
    bad = Failure(Slot(1, 2), Agent("b"), FailureKind.DROPPED, "The connection was lost.")
    result = RunResult(Status.DEGRADED, "Yes.", Slot(1, 1), (good, bad))
    assert result.proposals == (good,)
    assert result.failures == (bad,)


@pytest.mark.parametrize("kind", list(FailureKind))
def test_every_failure_has_plain_words(kind: FailureKind) -> None:
    assert public_text(kind).endswith(".")
    assert 0 < len(short_reason(kind).split()) <= 3
    assert FinalCall(kind).public == public_text(kind)


def test_errors_keep_what_is_private_out_of_what_they_show() -> None:
    error = RateLimited(retry_after_s=3.0, detail="key sk-secret")
    assert isinstance(error, RetryableCall)
    assert isinstance(error, CallError)
    assert isinstance(error, MoaError)
    assert (error.retryable, FinalCall(FailureKind.BAD_KEY).retryable) == (True, False)
    assert "sk-secret" not in str(error)
    assert "sk-secret" not in error.public
    assert NotFound("run").public == "This run doesn't exist any more."


@pytest.mark.parametrize(
    ("one", "other", "narrower"),
    [
        (Budget(), Budget(), Budget()),
        (Budget(calls=5), Budget(), Budget(calls=5)),
        (Budget(calls=5, cost_microusd=7, seconds=60), Budget(9, 2, 900), Budget(5, 2, 60)),
        (Budget(cost_microusd=0), Budget(cost_microusd=9), Budget(cost_microusd=0)),
    ],
)
def test_of_two_budgets_each_bound_is_the_narrower(one: Budget, other: Budget, narrower: Budget) -> None:
    assert one.within(other) == other.within(one) == narrower
