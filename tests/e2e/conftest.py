"""Fixtures: two emulated services and the program between them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Options
from migrate.endpoints.http import retry
from migrate.endpoints.http.rate_limit import retry_wait_s
from tests.e2e.empty_archives import copied_archives, created_in_memory
from tests.e2e.running import World, options, world

Launch = Callable[..., World]
MAX_PAUSE_S = 0.02


@pytest.fixture(scope="session")
def empty_archive() -> Iterator[sqlite3.Connection]:
    """An archive without a snapshot, in memory."""
    with created_in_memory() as empty:
        yield empty


@pytest.fixture(scope="module", autouse=True)
def _copied_archives(empty_archive: sqlite3.Connection) -> Iterator[None]:
    """New archives are copies of it."""
    with copied_archives(empty_archive):
        yield


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before a request is repeated there are pauses of milliseconds, not seconds; tests/endpoints measures
    the real ones."""

    def shortened(attempt: int, headers: Mapping[str, str]) -> float | None:
        wait = retry_wait_s(attempt, headers)
        return None if wait is None else min(wait, MAX_PAUSE_S)

    monkeypatch.setattr(retry, "retry_wait_s", shortened)


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Launch]:
    """Starts a world. Default: the small estate of the OpenAI platform and another project as the target."""
    with ExitStack() as stack:

        def start(source: Options | None = None, target: Options | None = None, **others: Any) -> World:
            folder = tmp_path / f"world{len(list(tmp_path.iterdir()))}"
            folder.mkdir()
            given = source or options(
                "SOURCE_KEY", "openai-v2", "openai", list_threads="works", downloads=True
            )
            there = target or options(
                "TARGET_KEY", service=given.service, list_threads="works", downloads=True
            )
            return stack.enter_context(world(folder, given, there, **others))

        yield start


@pytest.fixture
def small(launch: Launch) -> World:
    """The small estate, whole and listed."""
    return launch()
