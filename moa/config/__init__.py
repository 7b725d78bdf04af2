"""Settings from the environment and the catalogue from TOML, as frozen values."""
