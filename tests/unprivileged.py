"""Lets file modes apply to a test that runs as root, which otherwise ignores them."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

# Version of the structures of capset(2): two words of 32 bits for each set.
VERSION_3 = 0x20080522
# CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: with them root ignores the modes of files (capabilities(7)).
ROOT_CAPABILITIES = (1 << 1) | (1 << 2)


@contextmanager
def enforce_file_modes() -> Iterator[None]:
    """A context in which file modes apply to this thread and to threads that it starts."""
    if sys.platform != "linux" or os.geteuid() != 0:
        yield
        return
    before = _get()
    effective, permitted, inheritable, *high = before
    try:
        _set((effective & ~ROOT_CAPABILITIES, permitted, inheritable, *high))
    except OSError:
        pytest.skip("root cannot give up its rights here")
    try:
        yield
    finally:
        _set(before)


def _call(name: str, words: ctypes.Array[ctypes.c_uint32]) -> None:
    head = (ctypes.c_uint32 * 2)(VERSION_3, 0)
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(head, words) != 0:
        raise OSError(ctypes.get_errno(), name)


def _get() -> tuple[int, ...]:
    words = (ctypes.c_uint32 * 6)()
    _call("capget", words)
    return tuple(words)


def _set(values: tuple[int, ...]) -> None:
    _call("capset", (ctypes.c_uint32 * 6)(*values))
