"""What every test run says about itself, and the fixtures all tests share."""

from __future__ import annotations

import platform
import signal
import sqlite3
from importlib.metadata import version


def pytest_report_header() -> str:
    versions = {"Python": platform.python_version(), "SQLite": sqlite3.sqlite_version}
    versions |= {name: version(name) for name in ("openai", "sqlite-utils", "azure-ai-projects")}
    return ", ".join(f"{name} {number}" for name, number in versions.items())


def pytest_configure() -> None:
    """A background job of a shell ignores Ctrl-C; the programs that tests start must not inherit that."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
