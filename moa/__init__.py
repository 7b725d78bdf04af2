"""Mixture-of-Agents: several models answer, layer upon layer, and an aggregator writes the final answer.

The public names below are loaded when first used, so that ``import moa.core`` stays cheap.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from moa.core.domain import (
        Agent,
        Layer,
        Message,
        Model,
        Part,
        Proposal,
        Recipe,
        Role,
        RunResult,
        Sampling,
        Slot,
        Status,
    )
    from moa.core.events import Event, TextDelta
    from moa.core.mixtures import mixture
    from moa.core.view import RunView, fold
    from moa.engine.engine import Engine
    from moa.providers.connection import connect

_HOMES = {
    "Agent": "moa.core.domain",
    "Engine": "moa.engine.engine",
    "Event": "moa.core.events",
    "Layer": "moa.core.domain",
    "Message": "moa.core.domain",
    "Model": "moa.core.domain",
    "Part": "moa.core.domain",
    "Proposal": "moa.core.domain",
    "Recipe": "moa.core.domain",
    "Role": "moa.core.domain",
    "RunResult": "moa.core.domain",
    "RunView": "moa.core.view",
    "Sampling": "moa.core.domain",
    "Slot": "moa.core.domain",
    "Status": "moa.core.domain",
    "TextDelta": "moa.core.events",
    "connect": "moa.providers.connection",
    "fold": "moa.core.view",
    "mixture": "moa.core.mixtures",
}

__all__ = [
    "Agent",
    "Engine",
    "Event",
    "Layer",
    "Message",
    "Model",
    "Part",
    "Proposal",
    "Recipe",
    "Role",
    "RunResult",
    "RunView",
    "Sampling",
    "Slot",
    "Status",
    "TextDelta",
    "connect",
    "fold",
    "mixture",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'moa' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)
