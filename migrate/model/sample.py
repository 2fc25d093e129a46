"""A random share of an archive, which is checked or restored in place of all of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """A share in per cent: of bodies, listings and files, or of threads and assistants. The same seed selects
    the same ones again."""

    percent: float
    seed: int
