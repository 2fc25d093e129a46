"""One row of a faults file: decides which requests it applies to."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

CUT = "emulator.cut"  # key of the ASGI scope: ends the connection


@dataclass(frozen=True)
class Asked:
    """What is known of a request before it is carried out. `page` counts the pages of a listing from 1."""

    method: str
    path: str
    query: Mapping[str, str]
    page: int = 1


@dataclass
class Row:
    """Which requests are spoiled, and how. It counts what fits it, so one row serves one emulator."""

    number: int
    what: str
    given: Mapping[str, Any]
    """Every key of this kind of row, those that the file left out by their default."""
    seed: int = 0
    seen: int = 0
    fired: int = 0
    _chance: random.Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(f"{self.seed}/{self.number}")

    def __getitem__(self, key: str) -> Any:
        return self.given[key]

    def fits(self, asked: Asked) -> bool:
        if self.given["methods"] and asked.method not in self.given["methods"]:
            return False
        if not fnmatchcase(asked.path, self.given["path"]):
            return False
        if self.given["between_pages"] and "after" not in asked.query:
            return False
        page = self.given["page"]
        return page is None or (asked.method == "GET" and asked.page == page)

    def fits_file(self, filename: str) -> bool:
        return fnmatchcase(filename, self.given["file"])

    def turn(self) -> bool:
        """One more that fits. A lot is drawn for each, needed or not, so that one row's luck depends on
        nothing but its seed and how many fitted before."""
        self.seen += 1
        lucky = self._chance.random() < self.given["share"]
        nth, times = self.given["nth"], self.given["times"]
        due = self.seen >= self.given["from"] and (not nth or self.seen in nth)
        return due and lucky and (times is None or self.fired < times)
