"""Options and header of every test run, and the fixtures that all tests share."""

from __future__ import annotations

import gc
import os
import platform
import signal
import sqlite3
import traceback
from collections.abc import Generator
from importlib.metadata import version
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, settings

from migrate.endpoints import process_settings
from tests import sample
from tests.e2e.program_server import end_server
from tests.open_connections import CountedConnection, count_connections

for name, examples in sample.EXAMPLES.items():
    # The same examples on every machine; only a nightly run looks for others each time.
    settings.register_profile(
        name,
        max_examples=examples,
        derandomize=name != "nightly",
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--quick",
        action="store_true",
        help="one case of each test of the long folders",
    )
    parser.addoption(
        "--exhaustive",
        action="store_true",
        help="every case of the exhaustive matrices, not only their samples",
    )
    parser.addoption(
        "--percent",
        type=int,
        default=100,
        help="with --exhaustive: only so many of the cases of each matrix, always the same ones",
    )


def pytest_report_header() -> str:
    versions = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    versions |= {name: version(name) for name in ("openai", "sqlite-utils", "azure-ai-projects")}
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def pytest_configure(config: pytest.Config) -> None:
    """Count every connection to SQLite. Reset Ctrl-C, which a background job of a shell ignores: the programs
    that tests start would inherit that. Load the settings of hypothesis, which are read when a test module is
    imported."""
    sample.RUN.quick = config.getoption("quick")
    sample.RUN.exhaustive = config.getoption("exhaustive")
    sample.RUN.percent = config.getoption("percent")
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE") or "dev")
    if "HYPOTHESIS_PROFILE" not in os.environ:
        settings.register_profile(
            "this-run", parent=settings.get_profile("dev"), max_examples=sample.examples()
        )
        settings.load_profile("this-run")
    let_garbage_go()
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    count_connections()


def let_garbage_go() -> None:
    """Commands of this process exclude nothing from garbage collection. The program does it once, when it
    connects. Here it would be done thousands of times, and whatever is no longer used would stay for ever."""
    vars(process_settings)["gc"] = SimpleNamespace(
        get_threshold=gc.get_threshold, set_threshold=gc.set_threshold, freeze=lambda: None
    )


def pytest_collection_finish() -> None:
    """All modules and tests stay: no later collection looks at them."""
    gc.collect()
    gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the cases that this run leaves out (`tests/sample.py`)."""
    kept = sample.chosen(items)
    if len(kept) < len(items):
        names = {item.nodeid for item in kept}
        config.hook.pytest_deselected(items=[item for item in items if item.nodeid not in names])
        items[:] = kept
    # The long modules first: at the end many short ones are left, which both processes share evenly.
    items.sort(key=lambda item: not item.nodeid.startswith((*sample.LONG, "tests/test_docs.py")))


def pytest_unconfigure() -> None:
    end_server()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """Fail a test that leaves a connection open. Otherwise the garbage collector closes it later, and newer
    Pythons report a warning in whatever test runs then."""
    before = set(CountedConnection.open_)
    sample.RUN.test = item
    done = yield
    left = [conn for conn in CountedConnection.open_ if conn not in before]
    told = ["".join(traceback.format_list(conn.opened_at)) for conn in left]
    for conn in left:
        conn.close()
    assert not told, f"{len(told)} connection(s) to SQLite were left open; opened at:\n{told[0]}"
    shared, CountedConnection.shared[:] = list(CountedConnection.shared), []
    assert not shared, f"threads used one connection {len(shared)} time(s), first at:\n{shared[0]}"
    return done
