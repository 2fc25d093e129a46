"""What SQLite and JSON say of an archive that cannot be read on, as a failure a user can expect."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from migrate.errors import ArchiveDamaged
from migrate.model.json_depth import TooDeep


@contextmanager
def damage_told(path: Path) -> Iterator[None]:
    """Raises `ArchiveDamaged` where a page, a text or a body turns out not to be what was written."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        raise ArchiveDamaged(f"{path} is damaged", str(error), _next(path)) from None
    except json.JSONDecodeError as error:
        raise ArchiveDamaged(f"{path} is damaged", f"a body is not JSON: {error}", _next(path)) from None
    except (TooDeep, RecursionError):
        raise ArchiveDamaged(f"{path} cannot be read", "a body is nested too deeply", _next(path)) from None


def _next(path: Path) -> str:
    return f"name what is damaged: check {path}; or restore it from a copy"
