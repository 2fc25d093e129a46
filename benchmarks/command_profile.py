"""Show where a command of the program spends its processor time: cProfile on every thread, added up.

`python -m benchmarks.command_profile OUT.txt snapshot ...` runs the command in this process. The clock is the
processor time of each thread, so waiting is not counted.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import threading
import time
from pathlib import Path
from typing import Any

MAX_FUNCTIONS_SHOWN = 45


def profile_command(arguments: list[str], out: Path) -> None:
    """Run a command and write its most expensive functions, by own time and by cumulative time."""
    profiles: list[cProfile.Profile] = []
    run = threading.Thread.run

    def profiled_run(thread: threading.Thread) -> None:
        profile = cProfile.Profile(time.thread_time)
        profiles.append(profile)
        profile.enable()
        try:
            run(thread)
        finally:
            profile.disable()

    threading.Thread.run = profiled_run  # type: ignore[method-assign, assignment]
    from migrate.cli import main

    sys.argv = ["assistants-migrate", *arguments]
    main_profile = cProfile.Profile(time.thread_time)
    profiles.append(main_profile)
    try:
        main_profile.runcall(main)
    except SystemExit:
        pass
    finally:
        main_profile.disable()
        threading.Thread.run = run  # type: ignore[method-assign]
    with out.open("w", encoding="utf-8") as stream:
        stats: Any = pstats.Stats(profiles[0], stream=stream)
        for profile in profiles[1:]:
            stats.add(profile)
        stream.write(_shares(stats.stats))
        stats.strip_dirs()
        for order in ("tottime", "cumulative"):
            stats.sort_stats(order).print_stats(MAX_FUNCTIONS_SHOWN)


def _shares(stats: dict[tuple[str, int, str], tuple[Any, ...]]) -> str:
    """The share of each part in the processor time, largest first. Built-in functions are parts of their
    own."""
    parts: dict[str, float] = {}
    for (file, _, name), (_, _, own_s, *_) in stats.items():
        part = _part(file, name)
        parts[part] = parts.get(part, 0.0) + own_s
    total = sum(parts.values())
    rows = sorted(parts.items(), key=lambda row: -row[1])
    return "".join(
        f"{own_s / total:6.1%}  {own_s:8.3f} s  {part}\n" for part, own_s in rows if own_s > total / 200
    )


def _part(file: str, name: str) -> str:
    places = Path(file).parts
    if "site-packages" in places:
        return places[places.index("site-packages") + 1]
    if "migrate" in places:
        return "/".join(places[places.index("migrate") :][:2])
    if file == "~":
        return next((part for word, part in BUILT_IN.items() if word in name), "Python's own types")
    return "Python's library and imports"


# A part of the name of a built-in function -> the part of the program it belongs to.
BUILT_IN = {
    "sqlite3": "SQLite",
    "zlib": "zlib",
    "pydantic_core": "JSON",
    "hashlib": "hashing",
    "HASH": "hashing",
    "_socket": "sockets",
    "select": "sockets",
    "lock": "locks",
    "marshal": "Python's library and imports",
    "_imp": "Python's library and imports",
}


if __name__ == "__main__":
    profile_command(sys.argv[2:], Path(sys.argv[1]))
