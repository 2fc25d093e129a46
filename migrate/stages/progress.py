"""What a stage tells while it works. Injected, silent by default; the command line shows it on stderr."""

from __future__ import annotations

from collections.abc import Callable


class Progress:
    """Silent. Subclasses show; stages only call."""

    def say(self, text: str) -> None:
        """A line worth reading once."""

    def count(self, what: str, done: int = 1) -> None:
        """So many more of something are done."""

    def expect(self, what: str, total: int) -> None:
        """So many more of something are to come; there may be others."""

    def total_known(self, what: str) -> None:
        """All that is to come of something has been announced: from now on its total is known."""

    def watch(self, waiting: Callable[[], str]) -> None:
        """Whom to ask what is being waited for; it answers '' when nothing is."""
