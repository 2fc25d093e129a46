"""Times of services, seconds since 1970, as text in UTC."""

from __future__ import annotations

from datetime import datetime, timezone

from migrate.model.entity import JSON

ISO_SECONDS = "%Y-%m-%dT%H:%M:%SZ"
READABLE_SECONDS = "%Y-%m-%d %H:%M:%S"
READABLE_MINUTES = "%Y-%m-%d %H:%M"


def utc_text(seconds: JSON, form: str) -> str:
    """A time in one of the forms above, or '' for what is no time or is outside of the calendar."""
    if not isinstance(seconds, (int, float)) or isinstance(seconds, bool):
        return ""
    try:
        return datetime.fromtimestamp(seconds, timezone.utc).strftime(form)
    except (ValueError, OverflowError, OSError):
        return ""
