"""Damaged forms of what people hand in: a test, or longer as `python -m tests.fuzz FIRST COUNT`."""
