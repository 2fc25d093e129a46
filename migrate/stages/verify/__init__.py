"""Verify a target against its plan."""
