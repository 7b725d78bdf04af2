from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager

import pytest

from moa.core.domain import Model, Price, Usage
from moa.engine.ports import CallRequest, Endpoint, Piece
from moa.engine.pricing import cost_microusd, price_tokens


class Nobody:
    """A provider that is never called."""

    name = "test"

    def stream(self, request: CallRequest) -> AbstractAsyncContextManager[AsyncIterator[Piece]]:
        raise AssertionError(request)

    async def list_models(self) -> tuple[Model, ...]:
        return ()

    async def aclose(self) -> None:
        return


def endpoint(name: str, provider: str, price: Price | None = None, price_provider: str | None = None) -> Endpoint:
    model = Model(f"{provider}/{name}", provider, name, name, price=price)
    return Endpoint(model, Nobody(), price_provider=price_provider)


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        (Usage(1_000_000, 0), 2_000_000),
        (Usage(0, 1_000_000), 8_000_000),
        (Usage(1000, 500), 6_000),
        (Usage(1, 0), 2),
        (Usage(0, 0), 0),
    ],
)
def test_our_own_price_counts_first(usage: Usage, cost: int) -> None:
    """Two dollars a million in, eight out; for a model that genai-prices prices otherwise."""
    assert cost_microusd(endpoint("gpt-4o", "openai", Price(2_000_000, 8_000_000)), usage) == cost


def test_half_a_microdollar_is_rounded_up_and_less_is_not() -> None:
    cheap = endpoint("x", "x", Price(500_000, 400_000))
    assert cost_microusd(cheap, Usage(1, 0)) == 1
    assert cost_microusd(cheap, Usage(0, 1)) == 0


def test_free_is_known_and_unknown_is_not_free() -> None:
    assert cost_microusd(endpoint("own", "embedded", Price(0, 0)), Usage(10, 10)) == 0
    assert cost_microusd(endpoint("own", "embedded"), Usage(10, 10)) is None
    assert cost_microusd(endpoint("no-such-model-anywhere", "openai"), Usage(10, 10)) is None
    assert cost_microusd(endpoint("gpt-4o", "no-such-provider"), Usage(10, 10)) is None


def test_published_prices_are_found_by_provider_and_name() -> None:
    known = cost_microusd(endpoint("gpt-4o", "openai"), Usage(1_000_000, 0))
    assert known is not None
    assert 100_000 < known < 100_000_000
    both = cost_microusd(endpoint("gpt-4o", "openai"), Usage(1_000, 1_000))
    out = cost_microusd(endpoint("gpt-4o", "openai"), Usage(0, 1_000))
    assert both is not None
    assert out is not None
    assert both - out == pytest.approx(known / 1000, abs=1)
    assert cost_microusd(endpoint("gpt-4o", "mine", price_provider="openai"), Usage(1_000_000, 0)) == known


def test_an_estimated_usage_has_no_cost_but_a_price() -> None:
    """What was not counted is not billed to anybody; an estimate before sending is marked as one."""
    place = endpoint("x", "x", Price(2_000_000, 8_000_000))
    guess = Usage(1000, 500, estimated=True)
    assert cost_microusd(place, guess) is None
    assert cost_microusd(place, None) is None
    assert price_tokens(place, guess) == 6_000
