"""Which connections to SQLite are open, and who opened them."""

from __future__ import annotations

import sqlite3
import traceback
from typing import Any, ClassVar

DEEPEST = 12
"""Calls that are kept of how a connection came to be."""

_connect = sqlite3.connect


class Counted(sqlite3.Connection):
    """A connection that is known as long as it is open."""

    open_: ClassVar[dict[Counted, None]] = {}

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.opened_at = traceback.extract_stack(limit=DEEPEST)
        Counted.open_[self] = None

    def close(self) -> None:
        super().close()
        Counted.open_.pop(self, None)


def count_connections() -> None:
    """From now on, whoever asks `sqlite3.connect` for a connection of the usual sort."""

    def connect(*arguments: Any, **options: Any) -> sqlite3.Connection:
        if len(arguments) < 6:  # the sixth is another sort
            options.setdefault("factory", Counted)
        return _connect(*arguments, **options)

    sqlite3.connect = connect
