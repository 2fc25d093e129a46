"""ASGI middleware that applies the rows of a faults file to the requests of a service."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.types import Message, Receive, Scope, Send

from migrate.emulator.app import EmulatedService
from migrate.emulator.faults.rule import FaultContext, FaultRule, RequestInfo

LISTING_PARAMETERS = ("limit", "order", "purpose", "run_id", "filter", "after")


class AppliedFault(NamedTuple):
    """A request, or the name of a file in `path`, to which a row of the file applied."""

    row: int
    method: str
    path: str


class FaultMiddleware:
    """Counts requests and disturbs those for which a row is due. The first such row applies."""

    def __init__(self, rules: Iterable[FaultRule], service: EmulatedService) -> None:
        self.applied: list[AppliedFault] = []
        rules = list(rules)
        self.request_rules = [rule for rule in rules if not rule.kind.is_for_files]
        self._file_rules = [rule for rule in rules if rule.kind.is_for_files]
        self._service = service
        self._retired_service = service.with_options(retired=True)
        self._counts_pages = any(rule["page"] for rule in self.request_rules)
        self._pages: dict[tuple[str, ...], int] = {}  # where a page begins -> its number
        service.estate.ingestion_fault = self._ingestion_fault

    def _ingestion_fault(self, filename: str) -> str | None:
        """What happens to a file that is added to a store: "failed", "stuck", or None."""
        due = [rule for rule in self._file_rules if rule.matches_file(filename) and rule.is_due()]
        if not due:
            return None
        outcome: str = self._apply_first(due, "", filename)["outcome"]
        return outcome

    def _apply_first(self, due: list[FaultRule], method: str, path: str) -> FaultRule:
        rule = due[0]
        rule.times_applied += 1
        self.applied.append(AppliedFault(rule.number, method, path))
        return rule

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request, as ASGI requires."""
        query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        page = self._pages.get(_page_start(scope["path"], query), 1)
        request = RequestInfo(scope["method"], scope["path"], query, page)
        # Every row counts, also after one that is due, so that no row changes the sequence of another.
        due = [rule for rule in self.request_rules if rule.matches(request) and rule.is_due()]
        counts_page = self._counts_pages and request.method == "GET"
        app = partial(self._answer_page, request) if counts_page else self._service
        if not due:
            await app(scope, receive, send)
            return
        rule = self._apply_first(due, request.method, request.path)
        is_openai = self._service.options.service == "openai"
        estate = self._service.estate
        await rule.kind.apply(
            FaultContext(rule, request, app, self._retired_service, estate, is_openai, scope, receive, send)
        )

    async def _answer_page(self, request: RequestInfo, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the answer of the service, and note where the next page of this listing begins."""
        parts: list[bytes] = []

        async def tee(message: Message) -> None:
            parts.append(message.get("body", b""))
            await send(message)

        await self._service(scope, receive, tee)
        try:
            last_id = json.loads(b"".join(parts))["data"][-1]["id"]
        except (ValueError, KeyError, IndexError, TypeError):
            return
        next_start = _page_start(request.path, {**request.query, "after": last_id})
        self._pages[next_start] = request.page + 1


def _page_start(path: str, query: dict[str, str]) -> tuple[str, ...]:
    return (path, *(query.get(name, "") for name in LISTING_PARAMETERS))
