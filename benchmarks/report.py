"""Results in; a table for people, one JSON document, and a picture of growth out."""

from __future__ import annotations

import os
import platform
import resource
from typing import Any

from benchmarks.child import UNIT
from benchmarks.plot import drawn
from benchmarks.results import MB, Results
from benchmarks.sizes import Size
from benchmarks.targets import TARGETS


def machine() -> str:
    """The machine in words that name nobody: cores, memory, Python."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        memory = 0.0
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def document(size: Size, results: Results, seconds: float) -> dict[str, Any]:
    """Everything, for another program."""
    rows = [
        {
            "key": target.key,
            "words": target.words,
            "value": results.values.get(target.key),
            "sign": target.sign,
            "bound": target.bound,
            "met": target.met(results.values[target.key]) if target.key in results.values else None,
            "source": target.source,
        }
        for target in TARGETS
    ]
    return {
        "size": size.name,
        "machine": machine(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "seconds": round(seconds, 1),
        "own_peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNIT,
        "targets": rows,
        "missed": results.missed(),
        "facts": results.facts,
        "points": results.points,
    }


def table(told: dict[str, Any]) -> str:
    """The table that is printed."""
    lines = [f"{told['machine']}; size {told['size']}; {told['seconds']:.0f} s", ""]
    lines.append(f"{'':62} {'measured':>10}  {'target':>9}")
    for row in told["targets"]:
        if row["value"] is None:
            lines.append(f"{row['words']:62} {'-':>10}  {row['sign']} {row['bound']:<7g} not measured")
        else:
            word = "" if row["met"] else "MISSED"
            lines.append(f"{row['words']:62} {row['value']:>10.3f}  {row['sign']} {row['bound']:<7g}{word}")
    for point in told["points"]:
        lines.append(
            f"{point['messages']:>10,} messages  {point['seconds']:7.1f} s  {point['peak'] / MB:6.0f} MB"
        )
    return "\n".join(lines) + "\n"


def picture(told: dict[str, Any]) -> str:
    """Time and peak memory against messages, as SVG."""
    points = told["points"]
    sizes = [point["messages"] / 1000 for point in points]
    return drawn(
        sizes,
        "thousand messages",
        (
            ("time of a snapshot, seconds", [point["seconds"] for point in points]),
            ("peak memory, MB", [point["peak"] / MB for point in points]),
        ),
    )
