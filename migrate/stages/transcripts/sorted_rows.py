"""Rows of a list, kept in a temporary file and read back newest first: 100,000 of them take no memory."""

from __future__ import annotations

import json
import tempfile
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from migrate.model.results.conversation import TranscriptSummary
from migrate.model.results.transcripts import ListedThread


class SortedRows:
    """Rows in the order of their newest message; those of the same time in the order in which they came."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 (`close` closes it)
        self._offsets = array("Q")
        self._times: list[str] = []
        self.incomplete = 0

    def add(self, row: ListedThread) -> None:
        """Add a row."""
        self._offsets.append(self._file.tell())
        self._times.append(row.summary.newest_at)
        self.incomplete += bool(row.summary.gap)
        self._file.write(json.dumps([row.path, asdict(row.summary)]).encode("ascii") + b"\n")

    def __len__(self) -> int:
        return len(self._offsets)

    def close(self) -> None:
        """Remove the file."""
        self._file.close()

    def pages(self, size: int) -> tuple[list[tuple[str, str]], Iterator[list[ListedThread]]]:
        """Newest and oldest time of each page of so many rows, and the pages. There is one page at least."""
        order = sorted(range(len(self)), key=lambda n: self._times[n], reverse=True)
        cut = [order[start : start + size] for start in range(0, len(order), size)] or [[]]
        times = [(self._times[page[0]], self._times[page[-1]]) if page else ("", "") for page in cut]
        return times, (self._read(page) for page in cut)

    def _read(self, numbers: Sequence[int]) -> list[ListedThread]:
        return [self._row(number) for number in numbers]

    def _row(self, number: int) -> ListedThread:
        self._file.seek(self._offsets[number])
        path, summary = json.loads(self._file.readline())
        assistants = tuple((id_, name) for id_, name in summary.pop("assistants"))
        return ListedThread(TranscriptSummary(**summary, assistants=assistants), path)
