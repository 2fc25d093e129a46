"""What every test run says about itself, and the fixtures all tests share."""

from __future__ import annotations

import platform
import signal
import sqlite3
import traceback
from collections.abc import Generator
from importlib.metadata import version

import pytest

from tests.open_connections import Counted, count_connections


def pytest_report_header() -> str:
    versions = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    versions |= {name: version(name) for name in ("openai", "sqlite-utils", "azure-ai-projects")}
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def pytest_configure() -> None:
    """Every connection to SQLite is counted. A background job of a shell ignores Ctrl-C; the programs that
    tests start must not inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    count_connections()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None, object, object]:
    """A test that passes has closed every connection that was opened in it: who opens one closes it, on every
    path. Else the garbage collector does so later, and newer Pythons blame whatever test runs then."""
    before = set(Counted.open_)
    done = yield
    left = [conn for conn in Counted.open_ if conn not in before]
    told = ["".join(traceback.format_list(conn.opened_at)) for conn in left]
    for conn in left:
        conn.close()
    assert not told, f"{len(told)} connection(s) to SQLite were left open; opened at:\n{told[0]}"
    return done
