"""Writes docs/support-matrix.md: `python -m tools.docs.support_matrix` runs every codec on every example.

What no codec can compute (how sure a fact is, what is not read) is declared in tables.
"""
