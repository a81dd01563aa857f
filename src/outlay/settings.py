"""Settings from the environment and the nearest outlay.toml, as one frozen value."""
