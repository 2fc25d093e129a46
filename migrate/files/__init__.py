"""Local files that the user names: read as text within bounds, written whole or not at all."""
