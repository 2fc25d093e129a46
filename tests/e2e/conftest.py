"""Fixtures: two emulated services and the program between them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Options
from tests.e2e.running import World, options, world

Launch = Callable[..., World]


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
