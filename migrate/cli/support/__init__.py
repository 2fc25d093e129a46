"""Writes docs/support-matrix.md: `python -m migrate.cli.support` runs every codec on every example.

What no codec can compute (how sure something is, what is not read) stands in declared tables.
"""
