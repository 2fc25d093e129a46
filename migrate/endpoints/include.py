"""Optional fields that a service sends only on request: the query parameter `include[]`.

Recorded on the OpenAI platform: without it, an image sent by address is returned without the address, and
outputs of code, search results, sources and encrypted reasoning are null or absent. Whether a Foundry
project accepts it has not been recorded. So it is tried once for each kind. If the service refuses it with
a 400, a binary search finds the values that the service accepts. If an accepted value is refused for a
later object, that object is read without it, and the value is reported as withheld.
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
    """The values of `include[]` that one service accepts. Safe to share between threads."""

    # Kind -> accepted values, after the first request for the kind.
    granted: dict[str, tuple[str, ...]] = field(default_factory=dict)
    # Kind -> values that the service refuses, or accepts and then leaves out of the answer.
    hidden: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def request(self, kind: str, values: tuple[str, ...], send: SendWithIncludes) -> Body:
        """The answer to a request with as many of the values as the service accepts. Raises what `send`
        raises."""
        if not values:
            return send(())
        answer = self._request_granted(kind, values, send)
        self._record_withheld(kind, answer)
        return answer

    def withheld_includes(self) -> dict[str, tuple[str, ...]]:
        """Kind -> values that the service refuses, or accepts and then leaves out of the answer."""
        with self._lock:
            return dict(self.hidden)

    def _request_granted(self, kind: str, values: tuple[str, ...], send: SendWithIncludes) -> Body:
        if kind not in self.granted:
            with self._lock:
                if kind not in self.granted:
                    return self._negotiate(kind, values, send)
        granted = self.granted[kind]
        answer = _unless_refused(granted, send) if granted else send(())
        if answer is not None:
            return answer
        answer = send(())  # raises if the request failed for another reason
        with self._lock:
            self._hide(kind, granted)
        return answer

    def _hide(self, kind: str, values: Iterable[str]) -> None:
        self.hidden[kind] = tuple(dict.fromkeys([*self.hidden.get(kind, ()), *values]))

    def _record_withheld(self, kind: str, answer: Body) -> None:
        """Record values that were accepted but are missing in the answer: a service may ignore unknown
        values."""
        rows = answer.get("data")
        for body in rows if isinstance(rows, list) else [answer]:
            missing = withheld_includes(body, self.granted[kind]) if isinstance(body, dict) else []
            if missing:
                with self._lock:
                    self._hide(kind, missing)

    def _negotiate(self, kind: str, values: tuple[str, ...], send: SendWithIncludes) -> Body:
        answer = _unless_refused(values, send)
        if answer is not None:
            self.granted[kind] = values
            return answer
        answer = send(())  # raises if the request failed for another reason
        accepted = _accepted_in_halves(values, send)
        together = _unless_refused(accepted, send) if accepted else None
        if together is None:  # the service may accept each of them alone, but not together
            accepted = ()
        self.granted[kind] = accepted
        self.hidden[kind] = tuple(value for value in values if value not in accepted)
        return answer if together is None else together


def _unless_refused(values: tuple[str, ...], send: SendWithIncludes) -> Body | None:
    """The answer to a request with these values; None where the service refuses them."""
    try:
        return send(values)
    except RequestFailed as failed:
        if failed.status not in INCLUDE_REFUSED_STATUSES:
            raise
        return None


def _accepted_in_halves(values: tuple[str, ...], send: SendWithIncludes) -> tuple[str, ...]:
    """The accepted ones of several values that the service refused together."""
    if len(values) < 2:
        return ()
    middle = len(values) // 2
    return _accepted_values(values[:middle], send) + _accepted_values(values[middle:], send)


def _accepted_values(values: tuple[str, ...], send: SendWithIncludes) -> tuple[str, ...]:
    return values if _unless_refused(values, send) is not None else _accepted_in_halves(values, send)
