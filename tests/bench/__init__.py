"""Measures the engine against a plain baseline and a floor: ``make bench``."""
