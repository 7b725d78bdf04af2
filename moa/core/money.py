"""Money for readers. What is counted is whole micro-dollars."""

from __future__ import annotations


def money(cost_microusd: int | None) -> str | None:
    """Dollars with two significant digits. Unknown stays None; a price of nothing is "free", never "$0"."""
    if cost_microusd is None:
        return None
    if cost_microusd <= 0:
        return "free"
    dollars = cost_microusd / 1_000_000
    if dollars >= 1:
        return f"${dollars:,.2f}"
    digits = min(6, max(2, 7 - _magnitude(cost_microusd)))
    return f"${dollars:.{digits}f}"


def _magnitude(cost_microusd: int) -> int:
    """How many digits a whole number of micro-dollars has, less one."""
    return len(str(cost_microusd)) - 1
