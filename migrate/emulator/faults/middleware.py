"""ASGI middleware that applies faults to the requests of a service."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.types import Message, Receive, Scope, Send

from migrate.emulator.app import EmulatedService
from migrate.emulator.faults.actions import KINDS, Hit
from migrate.emulator.faults.rule import Asked, Row


class Spoiled(NamedTuple):
    """A request that was spoiled, by which row of the file."""

    row: int
    method: str
    path: str


@dataclass(frozen=True)
class _Cursor:
    """Where a page of a listing begins."""

    path: str
    shape: tuple[str, ...]
    after: str


class Faults:
    """Counts requests and spoils those whose turn it is; of the rows, the first whose turn it is wins."""

    def __init__(self, rows: Iterable[Row], cloud: EmulatedService) -> None:
        self.spoiled: list[Spoiled] = []
        self._cloud = cloud
        self._retired = cloud.like(retired=True)
        rows = list(rows)
        self._rows = [row for row in rows if not KINDS[row.what].of_files]
        self._of_files = [row for row in rows if KINDS[row.what].of_files]
        self._counts_pages = any(row["page"] for row in self._rows)
        self._pages: dict[_Cursor, int] = {}
        cloud.estate.fate = self.fate

    def fate(self, filename: str) -> str | None:
        """What becomes of a file that is put into a store: failed, stuck, or nothing bad."""
        due = [row for row in self._of_files if row.fits_file(filename) and row.turn()]
        if not due:
            return None
        row = due[0]
        row.fired += 1
        self.spoiled.append(Spoiled(row.number, "", filename))
        outcome: str = row["outcome"]
        return outcome

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        cursor = self._cursor(scope["path"], query)
        asked = Asked(scope["method"], scope["path"], query, self._pages.get(cursor, 1))
        # Every row counts, also behind one whose turn it is: what one row does changes no other's sequence.
        due = [row for row in self._rows if row.fits(asked) and row.turn()]
        app = partial(self._read, asked) if self._counts_pages and asked.method == "GET" else self._cloud
        if not due:
            await app(scope, receive, send)
            return
        row = due[0]
        row.fired += 1
        self.spoiled.append(Spoiled(row.number, asked.method, asked.path))
        of_openai = self._cloud.options.service == "openai"
        hit = Hit(row, asked, app, self._retired, self._cloud.estate, of_openai, scope, receive, send)
        await KINDS[row.what].spoil(hit)

    @staticmethod
    def _cursor(path: str, query: dict[str, str]) -> _Cursor:
        shape = tuple(query.get(name, "") for name in ("limit", "order", "purpose", "run_id", "filter"))
        return _Cursor(path, shape, query.get("after", ""))

    async def _read(self, asked: Asked, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass an answer on, and learn from its last row where the next page begins."""
        parts: list[bytes] = []

        async def tee(message: Message) -> None:
            parts.append(message.get("body", b""))
            await send(message)

        await self._cloud(scope, receive, tee)
        try:
            last = json.loads(b"".join(parts))["data"][-1]["id"]
        except (ValueError, KeyError, IndexError, TypeError):
            return
        self._pages[self._cursor(asked.path, {**asked.query, "after": last})] = asked.page + 1
