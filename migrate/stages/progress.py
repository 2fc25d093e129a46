"""What a stage tells while it works. Injected, silent by default; the command line shows it on stderr."""

from __future__ import annotations


class Progress:
    """Silent. Subclasses show; stages only call."""

    def say(self, text: str) -> None:
        """A line worth reading once."""

    def count(self, what: str, done: int = 1) -> None:
        """So many more of something are done."""

    def expect(self, what: str, total: int) -> None:
        """So many more of something are to come."""
