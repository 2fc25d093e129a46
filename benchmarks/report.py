"""The results as a text table, as one JSON document, and as a chart of growth."""

from __future__ import annotations

import os
import platform
import resource
from collections.abc import Iterator
from typing import Any

from benchmarks.child import MAXRSS_UNIT_BYTES
from benchmarks.plot import svg_panels
from benchmarks.results import MB, Results
from benchmarks.sizes import Size
from benchmarks.targets import BY_KEY, TARGETS, expected


def machine() -> str:
    """Cores, memory and Python version of the machine; nothing that identifies it."""
    try:
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        memory = 0.0
    return f"{os.cpu_count()} cores, {memory:.0f} GiB, Python {platform.python_version()}"


def document(size: Size, results: Results, scenes: dict[str, dict[str, float]]) -> dict[str, Any]:
    """All results as JSON data. `scenes`: the scenes that ran, with the time and processor time of each."""
    expected_keys = {target.key for target in expected(scenes, size.full)}
    rows = [
        {
            "key": target.key,
            "words": target.words,
            "value": results.values.get(target.key),
            "sign": target.sign,
            "bound": target.bound,
            "met": target.met(results.values[target.key]) if target.key in results.values else None,
            "expected": target.key in expected_keys,
            "source": target.source,
        }
        for target in TARGETS
    ]
    return {
        "size": size.name,
        "machine": machine(),
        "load": [round(load, 2) for load in os.getloadavg()],
        "seconds": round(sum(row["seconds"] for row in scenes.values()), 1),
        "cpu": round(sum(row["cpu"] for row in scenes.values()), 1),
        "scenes": scenes,
        "own_peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT_BYTES,
        "targets": rows,
        "missed": results.missed(),
        "unmeasured": [key for key in BY_KEY if key in expected_keys and key not in results.values],
        "costs": results.costs,
        "facts": results.facts,
        "points": results.points,
    }


def table(report: dict[str, Any]) -> str:
    """The tables that are printed: targets, what each command cost, growth."""
    times = f"{report['seconds']:.0f} s, {report['cpu']:.0f} s of processor"
    head = f"{report['machine']}; size {report['size']}; {times}"
    return "\n".join([head, "", *_targets(report), "", *_costs(report), "", *_points(report)]).rstrip() + "\n"


def _targets(report: dict[str, Any]) -> Iterator[str]:
    yield f"{'':62} {'measured':>10}  target"
    for row in report["targets"]:
        bound = f"{row['sign']} {row['bound']:<7g}"
        if row["value"] is None:
            word = "NOT MEASURED" if row["expected"] else "not part of this run"
            yield f"{row['words']:62} {'-':>10}  {bound} {word}"
        else:
            word = "" if row["met"] else "MISSED"
            yield f"{row['words']:62} {row['value']:>10.3f}  {bound} {word}".rstrip()


# Columns of the table of costs: heading, width, format, factor, key. A value that was not measured is a dash.
COLUMNS = (
    ("seconds", 9, "{:.2f}", 1.0, "seconds"),
    ("CPU s", 8, "{:.2f}", 1.0, "cpu"),
    ("requests", 9, "{:,.0f}", 1.0, "requests"),
    ("CPU ms each", 12, "{:.2f}", 1_000.0, "cpu_a_request"),
    ("peak MB", 8, "{:.0f}", 1 / MB, "peak"),
    ("received MB", 12, "{:.1f}", 1 / MB, "received"),
    ("on disk MB", 11, "{:.1f}", 1 / MB, "disk"),
)


def _costs(report: dict[str, Any]) -> Iterator[str]:
    if report["costs"]:
        yield f"{'':44}" + "".join(f"{title:>{width}}" for title, width, *_ in COLUMNS)
    for command, cost in report["costs"].items():
        cells = (
            f"{form.format(cost[key] * factor) if cost[key] else '-':>{width}}"
            for _, width, form, factor, key in COLUMNS
        )
        yield f"{command:44}" + "".join(cells)


def _points(report: dict[str, Any]) -> Iterator[str]:
    for point in report["points"]:
        yield (
            f"{point['messages']:>10,} messages: snapshot {point['seconds']:.1f} s, "
            f"{point['peak'] / MB:.0f} MB of memory, {point['disk'] / MB:.0f} MB on disk"
        )


def growth_chart(report: dict[str, Any]) -> str:
    """Time and peak memory against messages, as SVG."""
    points = report["points"]
    sizes = [point["messages"] / 1000 for point in points]
    return svg_panels(
        sizes,
        "thousand messages",
        (
            ("time of a snapshot, seconds", [point["seconds"] for point in points]),
            ("peak memory, MB", [point["peak"] / MB for point in points]),
        ),
    )
