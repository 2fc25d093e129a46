"""Read a live target as it is now, for everything that decides on it: plan, apply, verify and rollback."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.stages.estate import Estate
from migrate.stages.progress import Progress
from migrate.stages.snapshot.live_estate import (
    configuration_options,
    lists_threads,
    message_options,
    require_complete,
    require_messages,
    require_threads,
    temporary_snapshot,
)

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader


@dataclass(frozen=True)
class TargetState:
    """What a target holds: everything but messages, runs and the bytes of files."""

    reader: Reader
    estate: Estate
    workers: int
    progress: Progress

    @contextmanager
    def messages_of(self, threads: Sequence[str]) -> Iterator[Estate]:
        """Read the messages of these threads. Raises `IncompleteResult` where one is not read to its end."""
        with temporary_snapshot(self.reader, message_options(self.workers, threads), self.progress) as (
            messages,
            _,
        ):
            require_messages(messages, threads, self.reader.url)
            yield messages


@contextmanager
def read_target(
    reader: Reader,
    absent: Collection[str],
    threads: Iterable[str],
    workers: int,
    progress: Progress | None = None,
    *,
    must_answer: bool = True,
    just_these: bool = False,
) -> Iterator[TargetState]:
    """Read a target; what was read is gone when the block ends.

    `absent`: kinds that the service does not have any more, which are not asked for. `threads`: ids that are
    asked for one by one where the service does not list its threads. `must_answer`: each of them must answer,
    or be proved to be gone. `just_these`: they are asked for one by one also where the service lists its
    threads, since a new one may not be in the list yet; without any, nothing is listed. Raises
    `IncompleteResult` when a listing could not be read to its end: nothing may be decided on a part of it.
    """
    progress = progress or Progress()
    threads = tuple(threads)
    listed = "thread" not in absent and (bool(threads) or not just_these) and lists_threads(reader)
    wanted = configuration_options(workers, threads if just_these or not listed else (), listed, absent)
    with temporary_snapshot(reader, wanted, progress) as (estate, result):
        require_complete(result, reader.url)
        if must_answer:
            require_threads(result, reader)
        yield TargetState(reader, estate, workers, progress)
