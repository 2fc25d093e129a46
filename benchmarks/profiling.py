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

    threading.Thread.run = watched  # type: ignore[method-assign]
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
        stats.strip_dirs()
        for order in ("tottime", "cumulative"):
            stats.sort_stats(order).print_stats(MOST)


if __name__ == "__main__":
    profiled(sys.argv[2:], Path(sys.argv[1]))
