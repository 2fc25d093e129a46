"""What it will cost to apply a plan, in words and as JSON."""

from __future__ import annotations

from dataclasses import asdict
from math import ceil

from migrate.model.entity import JSON
from migrate.model.results.cost import Cost, PaceSource
from migrate.reports.text_table import number_of

# Where the pace was measured -> the text after the time.
PACE_TEXTS: dict[PaceSource, str] = {
    "last apply": "at the pace of the last apply",
    "reading": "if writing is as fast as reading the target was",
}


def cost_document(cost: Cost | None) -> dict[str, JSON] | None:
    """The key `cost` of a JSON document."""
    return asdict(cost) if cost else None


def cost_text(cost: Cost | None) -> str:
    """The cost in one line; '' where nothing will be written, or where it is not known."""
    if cost is None or not cost.requests:
        return ""
    parts = [number_of(cost.requests, "writing request")]
    if cost.bytes:
        parts.append(f"{number_of(cost.bytes, 'byte')} to upload")
    parts.append(_time_text(cost))
    if cost.identities:
        parts.append(number_of(cost.identities, "new Entra identity", "new Entra identities"))
    return ", ".join(parts)


def _time_text(cost: Cost) -> str:
    if cost.minutes is None or not cost.pace:
        return "time not known"
    minutes = "less than a minute" if cost.minutes <= 1 else f"about {ceil(cost.minutes):,} minutes"
    return f"{minutes} {PACE_TEXTS[cost.pace]}"
