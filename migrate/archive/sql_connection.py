"""What answers questions in SQL."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any, Protocol


class SqlConnection(Protocol):
    """Whatever answers SQL: a connection, or one for each thread."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> sqlite3.Cursor:
        """Run a statement."""
