"""Checks of an archive: every hash, and every reference between its rows."""
