"""Only the program's entry changes the process; importing the package or connecting as a library does not."""

from __future__ import annotations

import gc
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from migrate import endpoints
from migrate.endpoints import process_settings
from migrate.endpoints.process_settings import (
    GC_THRESHOLD_OBJECTS,
    MAX_HEADER_AGE_S,
    enable_process_settings,
    header_reuse_s,
    tune_for_requests,
)
from migrate.endpoints.settings import Settings

ROOT = Path(__file__).parents[2]
SETTINGS = "Settings('azure-openai', 'https://east.example', secret='k')"
# Settings of a process: garbage collector, scheduling, processors, signal handlers, limits.
STATE = """
import gc, json, os, resource, signal, sys, threading
def state():
    return [
        gc.isenabled(), gc.get_threshold(), gc.get_freeze_count(), sys.getswitchinterval(),
        threading.active_count(),
        sorted(getattr(os, "sched_getaffinity", lambda _: [0])(0)),
        getattr(os, "sched_getscheduler", lambda _: 0)(0),
        [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)],
        [resource.getrlimit(limit) for limit in (resource.RLIMIT_NOFILE, resource.RLIMIT_AS)],
    ]
"""


def states(script: str) -> list[object]:
    """The output of a script in its own process."""
    run = subprocess.run(
        [sys.executable, "-c", STATE + script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    found: list[object] = json.loads(run.stdout)
    return found


@pytest.fixture(autouse=True)
def as_before(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Restore the settings of the whole process."""
    threshold = gc.get_threshold()
    monkeypatch.setattr(process_settings._tuning, "is_enabled", False)
    monkeypatch.setattr(process_settings, "gc", gc)  # all other tests have another one
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_importing_and_connecting_change_nothing() -> None:
    before, imported, connected = states(
        "before = state()\n"
        "import migrate.cli, migrate.stages.worker_pool, migrate.endpoints.foundry\n"
        "imported = state()\n"
        "from migrate.endpoints import connect_reader\n"
        "from migrate.endpoints.settings import Settings\n"
        f"connect_reader({SETTINGS})\n"
        "print(json.dumps([before, imported, state()]))\n"
    )
    assert imported == before
    assert connected == before


def test_the_entry_changes_the_collector_only() -> None:
    before, after = states(
        "before = state()\n"
        "import migrate.cli\n"
        "sys.argv = ['assistants-migrate', '--version']\n"
        "out, sys.stdout = sys.stdout, open(os.devnull, 'w')\n"
        "try: migrate.cli.main()\n"
        "except SystemExit: pass\n"
        "print(json.dumps([before, state()]), file=out)\n"
    )
    assert isinstance(before, list)
    assert isinstance(after, list)
    assert after[1][0] == GC_THRESHOLD_OBJECTS
    assert [after[0], *after[2:]] == [before[0], *before[2:]]


def test_the_modules_of_an_sdk_are_frozen_where_it_is_enabled() -> None:
    settings = Settings("openai", "https://west.example/v1", secret="k")
    gc.unfreeze()
    endpoints.connect_reader(settings).close()
    tune_for_requests()
    assert gc.get_freeze_count() == 0
    enable_process_settings()
    endpoints.connect_reader(settings).close()
    assert gc.get_freeze_count() > 0
    assert gc.isenabled()
    assert gc.get_threshold()[0] == GC_THRESHOLD_OBJECTS


def test_headers_are_reused_where_it_is_enabled() -> None:
    assert header_reuse_s() == 0.0
    enable_process_settings()
    assert header_reuse_s() == MAX_HEADER_AGE_S
