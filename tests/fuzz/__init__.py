"""Damaged input files: as a test, or for a longer run `python -m tests.fuzz FIRST COUNT`."""
