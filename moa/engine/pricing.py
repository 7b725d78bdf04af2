"""What a call costs, in integer micro-dollars; unknown is None. Our catalogue's prices first, then genai-prices.

genai-prices takes 0.2 s to import: the composition root calls ``load`` before the event loop runs.
"""

from __future__ import annotations

import importlib
from functools import lru_cache

from moa.core.domain import Price, Usage
from moa.engine.ports import Endpoint

_MILLION = 1_000_000


def load() -> None:
    """Read the published prices now, not at the first call that needs one."""
    importlib.import_module("genai_prices")


def cost_microusd(endpoint: Endpoint, usage: Usage | None) -> int | None:
    """The price of a call with this usage. None when the usage is estimated or no price is known."""
    if usage is None or usage.estimated:
        return None
    return price_tokens(endpoint, usage)


def price_tokens(endpoint: Endpoint, usage: Usage) -> int | None:
    """The price of these tokens, estimated or not. For estimates that are marked as such."""
    model = endpoint.model
    price = model.price or _published(model.wire_name, endpoint.price_provider or model.provider)
    if price is None:
        return None
    total = usage.input_tokens * price.input_microusd + usage.output_tokens * price.output_microusd
    return (total + _MILLION // 2) // _MILLION


@lru_cache(maxsize=1024)
def _published(wire_name: str, provider: str) -> Price | None:
    """Price of a million tokens each way at today's published rates. Tiered prices count at their first tier."""
    import genai_prices  # 0.2 s and 8 MiB, which an engine with prices of its own never needs; see ``load``

    try:
        one_way = [
            genai_prices.calc_price(usage, wire_name, provider_id=provider).total_price
            for usage in (genai_prices.Usage(input_tokens=1000), genai_prices.Usage(output_tokens=1000))
        ]
    except (LookupError, ValueError):
        return None
    micro = [round(dollars * 1000 * _MILLION) for dollars in one_way]
    return Price(micro[0], micro[1])
