"""Runs a recipe. Knows ``moa.core`` and its own ports, and nothing of pages, databases or SDKs."""
