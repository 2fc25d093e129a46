"""A config directory as an estate: read, selected, matched."""
