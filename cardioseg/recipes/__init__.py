"""Training recipes in TOML."""
