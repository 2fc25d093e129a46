"""The cursor of a list: a name and a place in it, as a text that an address may have."""

from __future__ import annotations

import base64
import binascii
import json

# Numbers in a cursor are smaller: SQLite takes no larger ones.
MAX_CURSOR_NUMBER = 1 << 62


def write_list_cursor(name: str, *place: int | str) -> str:
    """The cursor of a place in the list of a name."""
    return base64.urlsafe_b64encode(json.dumps([name, *place]).encode()).decode().rstrip("=")


def read_list_cursor(cursor: str, name: str) -> list[int | str] | None:
    """The place of a cursor; None where it is no cursor of this list, or was made up."""
    try:
        found = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, TypeError, binascii.Error, RecursionError):
        return None
    if not isinstance(found, list) or found[:1] != [name]:
        return None
    are_sound = all(
        type(one) is str or (type(one) is int and abs(one) < MAX_CURSOR_NUMBER) for one in found[1:]
    )
    return found[1:] if are_sound else None
