"""Fixtures of the commands' tests."""

from __future__ import annotations

from tests.storage.conftest import server

__all__ = ["server"]
