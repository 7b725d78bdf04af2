"""Adapters of the engine's Provider port. The only room that imports openai."""
