"""A kind comes in; a fresh id, with the prefix and length its service gives, goes out."""

from __future__ import annotations

import random
import string
from uuid import uuid4

ALPHABET = string.ascii_letters + string.digits
LENGTH = 24


def new(prefix: str, length: int = LENGTH) -> str:
    return prefix + "".join(random.choices(ALPHABET, k=length))


def new_conversation() -> str:
    return new("conv_" + uuid4().hex[:16] + "00", 32)


def new_item(prefix: str, conversation_id: str) -> str:
    """The 18 hex digits after `conv_` stand in the ids of its items too (recorded 2025-11)."""
    return new(prefix + conversation_id.removeprefix("conv_")[:18], 32)


def new_hex(prefix: str) -> str:
    """As file batches have it (recorded 2024-04)."""
    return prefix + uuid4().hex
