"""Compares mixtures with single models: votes, rankings, where an answer came from. Pure; knows ``moa.core`` alone."""
