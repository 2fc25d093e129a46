"""A service's module by its name, in a process that is ready for many threads with many bodies."""

from __future__ import annotations

import contextlib
import ctypes
import gc
from importlib import import_module
from types import ModuleType

# Objects made and not gone; by itself Python looks after some hundred.
GC_THRESHOLD_OBJECTS = 20_000
# How glibc numbers its limit of heaps: mallopt(3).
M_ARENA_MAX = -8


def import_service_module(name: str) -> ModuleType:
    """A module with all it imports. What an SDK brings stays for good, so the garbage collector need not walk
    it while it is loaded, nor again for each page; nor look after each page, for bodies hold no cycles."""
    _limit_malloc_arenas()
    gc.disable()
    try:
        module = import_module(name)
        gc.freeze()
    finally:
        gc.enable()
    gc.set_threshold(GC_THRESHOLD_OBJECTS, *gc.get_threshold()[1:])
    return module


def _limit_malloc_arenas() -> None:
    """All threads take memory from one place, before the first of them starts. They hold the interpreter
    when they do, so none waits; by itself glibc gives each its own, and what is free in one is of no use to
    another (docs/performance.md)."""
    with contextlib.suppress(ImportError, OSError, TypeError, AttributeError):  # another C library
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
