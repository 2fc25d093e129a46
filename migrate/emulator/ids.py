"""A kind comes in; a fresh id, with the prefix and length its service gives, goes out."""

from __future__ import annotations

import random
import string
from uuid import uuid4

ALPHABET = string.ascii_letters + string.digits
LENGTH = 24


def new(prefix: str, length: int = LENGTH) -> str:
    return prefix + "".join(random.choices(ALPHABET, k=length))


def new_hex(prefix: str) -> str:
    """As file batches have it (recorded 2024-04)."""
    return prefix + uuid4().hex
