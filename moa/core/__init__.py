"""Pure values of a Mixture-of-Agents run. Imports nothing else of ours."""
