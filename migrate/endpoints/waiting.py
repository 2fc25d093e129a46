"""How long to wait before asking again: what the service says, within reason, else a growing pause."""

from __future__ import annotations

import random
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

ATTEMPTS = 6
LONGEST = 60.0
"""Seconds; a service that asks for more (86,400 was seen) is given up on, not waited for."""


def asked_wait(headers: Mapping[str, str]) -> float | None:
    """Seconds the service asks to wait: retry-after-ms, retry-after in seconds, or as a date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name)
        if value is None:
            continue
        try:
            return max(0.0, float(value) / unit)
        except ValueError:
            pass
        try:
            return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
        except (TypeError, ValueError):
            continue
    return None


def pause(attempt: int, headers: Mapping[str, str]) -> float | None:
    """Seconds before attempt number `attempt` + 1 (the first is 0), or None to give up."""
    asked = asked_wait(headers)
    if asked is None:
        return float(min(8.0, 0.25 * 2**attempt) * (0.75 + random.random() / 2))
    return asked if asked <= LONGEST else None
