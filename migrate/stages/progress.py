"""The progress of a stage. Silent by default; the command line passes one that prints to stderr."""

from __future__ import annotations

from collections.abc import Callable


class Progress:
    """Does nothing. Stages call it, subclasses show it."""

    def say(self, text: str) -> None:
        """Show a line of text."""

    def count(self, what: str, done: int = 1) -> None:
        """`done` more of `what` are done."""

    def expect(self, what: str, total: int) -> None:
        """`total` more of `what` will come; the total may still grow."""

    def total_known(self, what: str) -> None:
        """The total of `what` is final: `expect` will not be called for it again."""

    def watch(self, waiting: Callable[[], str]) -> None:
        """`waiting` returns what is being waited for, or ''."""
