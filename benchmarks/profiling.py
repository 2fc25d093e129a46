"""A command of the program in, where its processor time went out: cProfile on every thread, joined.

`python -m benchmarks.profiling OUT.txt snapshot ...` runs the command in this process. The clock is the
processor time of each thread, so waiting costs nothing and what is listed adds up to work.
"""

from __future__ import annotations

import cProfile
import pstats
import sys
import threading
import time
from pathlib import Path
from typing import Any

MOST = 45


def profiled(arguments: list[str], out: Path) -> None:
    """Run a command and write its most costly functions, by their own time and by all below them."""
    profiles: list[cProfile.Profile] = []
    run = threading.Thread.run

    def watched(thread: threading.Thread) -> None:
        profile = cProfile.Profile(time.thread_time)
        profiles.append(profile)
        profile.enable()
        try:
            run(thread)
        finally:
            profile.disable()

    threading.Thread.run = watched  # type: ignore[method-assign, assignment]
    from migrate.cli import main

    sys.argv = ["assistants-migrate", *arguments]
    mine = cProfile.Profile(time.thread_time)
    profiles.append(mine)
    try:
        mine.runcall(main)
    except SystemExit:
        pass
    finally:
        mine.disable()
        threading.Thread.run = run  # type: ignore[method-assign]
    with out.open("w", encoding="utf-8") as stream:
        stats: Any = pstats.Stats(profiles[0], stream=stream)
        for other in profiles[1:]:
            stats.add(other)
        stream.write(_shares(stats.stats))
        stats.strip_dirs()
        for order in ("tottime", "cumulative"):
            stats.sort_stats(order).print_stats(MOST)


def _shares(stats: dict[tuple[str, int, str], tuple[Any, ...]]) -> str:
    """How much of the processor time each part took, the largest first. What is built in counts alone."""
    parts: dict[str, float] = {}
    for (file, _, name), (_, _, own, *_) in stats.items():
        part = _part(file, name)
        parts[part] = parts.get(part, 0.0) + own
    total = sum(parts.values())
    rows = sorted(parts.items(), key=lambda row: -row[1])
    return "".join(f"{own / total:6.1%}  {own:8.3f} s  {part}\n" for part, own in rows if own > total / 200)


def _part(file: str, name: str) -> str:
    places = Path(file).parts
    if "site-packages" in places:
        return places[places.index("site-packages") + 1]
    if "migrate" in places:
        return "/".join(places[places.index("migrate") :][:2])
    if file == "~":
        return next((part for word, part in BUILT_IN.items() if word in name), "Python's own types")
    return "Python's library and imports"


# A word in the name of something built in -> the part that it is.
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
    profiled(sys.argv[2:], Path(sys.argv[1]))
