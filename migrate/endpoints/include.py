"""What a service shows only to who asks for it: a request in, its answer out, asked with as much of
`include[]` as the service knows.

Recorded on the OpenAI platform: without it an image sent by address comes back without one, and outputs of
code, search results, sources and encrypted reasoning are null or absent. Whether a Foundry project takes it
was recorded nowhere. So it is tried once a kind; where it is refused with a 400 the request goes without it,
and the values that are known are found by halves. What was granted once and is refused for another object is
read without, which is told too.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from migrate.endpoints.interface import Body
from migrate.errors import RequestFailed
from migrate.model.expected_gaps import withheld_includes

INCLUDE_REFUSED_STATUSES = frozenset({400, 422})

# Sends a request with these values of `include[]`. Raises `RequestFailed`.
SendWithIncludes = Callable[[tuple[str, ...]], Body]


@dataclass
class IncludeOptions:
    """What one service has granted. Threads may share it."""

    # Kind -> values that it knows, once asked.
    granted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # Kind -> values that it refuses, or takes and does not answer, where there are any.
    hidden: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def request(self, kind: str, wanted: tuple[str, ...], ask: SendWithIncludes) -> Body:
        """The answer to a request, with all that the service shows. Raises what `ask` raises."""
        if not wanted:
            return ask(())
        answer = self._request_granted(kind, wanted, ask)
        self._record_withheld(kind, answer)
        return answer

    def withheld_includes(self) -> dict[str, tuple[str, ...]]:
        """Kind -> values that the service refuses, or takes and does not answer."""
        with self._lock:
            return dict(self.hidden)

    def _request_granted(self, kind: str, wanted: tuple[str, ...], ask: SendWithIncludes) -> Body:
        if kind not in self.granted:
            with self._lock:
                if kind not in self.granted:
                    return self._negotiate(kind, wanted, ask)
        granted = self.granted[kind]
        try:
            return ask(granted)
        except RequestFailed as failed:
            if not granted or failed.status not in INCLUDE_REFUSED_STATUSES:
                raise
        answer = ask(())  # raises where something else was wrong
        with self._lock:
            self._hide(kind, granted)
        return answer

    def _hide(self, kind: str, values: Iterable[str]) -> None:
        self.hidden[kind] = tuple(dict.fromkeys([*self.hidden.get(kind, ()), *values]))

    def _record_withheld(self, kind: str, answer: Body) -> None:
        """Note what was asked for, not refused, and is not there: a service may take any query."""
        rows = answer.get("data")
        for body in rows if isinstance(rows, list) else [answer]:
            back = withheld_includes(body, self.granted[kind]) if isinstance(body, dict) else []
            if back:
                with self._lock:
                    self._hide(kind, back)

    def _negotiate(self, kind: str, wanted: tuple[str, ...], ask: SendWithIncludes) -> Body:
        try:
            answer = ask(wanted)
        except RequestFailed as failed:
            if failed.status not in INCLUDE_REFUSED_STATUSES:
                raise
        else:
            self.granted[kind] = wanted
            return answer
        answer = ask(())  # raises where something else was wrong
        known = _known_in_halves(wanted, ask)
        try:
            answer = ask(known) if known else answer
        except RequestFailed as failed:  # each by itself, but not together
            if failed.status not in INCLUDE_REFUSED_STATUSES:
                raise
            known = ()
        self.granted[kind] = known
        self.hidden[kind] = tuple(value for value in wanted if value not in known)
        return answer


def _known_in_halves(values: tuple[str, ...], ask: SendWithIncludes) -> tuple[str, ...]:
    """Those of refused values that the service knows."""
    if len(values) < 2:
        return ()
    middle = len(values) // 2
    return _known_values(values[:middle], ask) + _known_values(values[middle:], ask)


def _known_values(values: tuple[str, ...], ask: SendWithIncludes) -> tuple[str, ...]:
    try:
        ask(values)
    except RequestFailed as failed:
        if failed.status not in INCLUDE_REFUSED_STATUSES:
            raise
        return _known_in_halves(values, ask)
    return values
