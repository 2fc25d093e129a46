"""Which cases of the parametrized tests run: few (`make test`), most (pytest by itself), or every one
(`make test-all`).

The cases of most tests are a few services or inputs. The cases of an exhaustive matrix are very many, such as
a kill at every write: a parametrized test sets the size of its sample with `@pytest.mark.exhaustive(8)`; a
loop inside a test sets it with `for at in sample(range(1, 40), 8)`, and the test has the marker too, with or
without a number: `--exhaustive` selects by it. A test that takes long as a whole, such as a run of the
benchmarks, has `@pytest.mark.exhaustive_only`. Hypothesis has its profiles (`EXAMPLES`).

| | pytest --quick | pytest | pytest --exhaustive |
|---|---|---|---|
| a test in a folder of `LONG` | one case | every case, a sample of a matrix | every case |
| any other test | every case, a sample of a matrix | the same | every case |
| a loop in a test | half of its sample | its sample | every case |

`--quick` leaves out tests with `@pytest.mark.slow`: a case of them takes longer than 1.5 seconds, or needs a
browser. The one case of the others is another one in each file, so that all files meet every service.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, gcd
from typing import Any, TypeVar
from zlib import crc32

T = TypeVar("T")

# Folders of tests whose modules take seconds; those of all others take less.
LONG = ("tests/e2e/", "tests/pages/", "tests/mcp/", "tests/fuzz/", "tests/cli/")
# Examples of each property test of hypothesis, by the options of the run; and in a nightly run.
EXAMPLES = {"quick": 8, "dev": 20, "ci": 100, "nightly": 1000}
# The distance from one case of the sample to the next one, as a part of the whole matrix. The fraction is not
# a simple one, so that the sample has values of every parameter, whatever the number of the inner values.
GOLDEN = 0.618


@dataclass
class Run:
    """The options of this test run."""

    quick: bool = False
    exhaustive: bool = False
    # Percentage of each matrix in an exhaustive run. It is never smaller than the sample.
    percent: int = 100
    # The running test, as pytest collected it.
    test: Any = None


RUN = Run()


def spread(length: int, size: int) -> list[int]:
    """`size` positions of `length`, always the same ones: the first, the last, and others in between."""
    if size < 1:
        raise ValueError("a sample has at least one case")
    if size >= length:
        return list(range(length))
    step = max(1, round(length * GOLDEN))
    while gcd(step, length) != 1:
        step += 1
    chosen = {0, length - 1} if size > 1 else {0}
    position = 0
    while len(chosen) < size:
        position = (position + step) % length
        chosen.add(position)
    return sorted(chosen)


def sample(cases: Iterable[T], size: int) -> list[T]:
    """All cases in an exhaustive run, half of the sample in a quick one, otherwise the sample."""
    if RUN.test and not RUN.test.get_closest_marker("exhaustive"):
        raise ValueError(f"{RUN.test.nodeid} lacks @pytest.mark.exhaustive(): make test-all would not run it")
    return draw_sample(cases, max(2, ceil(size / 2)) if RUN.quick else size)


def draw_sample(cases: Iterable[T], size: int) -> list[T]:
    """The same, without a check of the test's marker."""
    rows: Sequence[T] = list(cases)
    if RUN.exhaustive:
        size = max(size, ceil(len(rows) * RUN.percent / 100))
    return [rows[position] for position in spread(len(rows), size)]


def examples() -> int:
    """How many examples hypothesis tries of each property in this run."""
    if not RUN.exhaustive:
        return EXAMPLES["quick" if RUN.quick else "dev"]
    return max(EXAMPLES["dev"], EXAMPLES["ci"] * RUN.percent // 100)


def rotated(cases: Sequence[T], name: str) -> list[T]:
    """Rotate the cases by another number for each file, so that the samples of all files together cover every
    service. All tests of a file start with the same case, because they often share its fixture."""
    start = crc32(name.partition("::")[0].encode()) % len(cases)
    return [*cases[start:], *cases[:start]]


def sample_size(item: Any) -> int | None:
    """How many cases of a collected test run unless every one does; None where every one does in any run."""
    if RUN.quick and item.nodeid.startswith(LONG):
        return 1
    marker = item.get_closest_marker("exhaustive")
    return int(marker.args[0]) if marker and marker.args else None


def chosen(items: Sequence[Any]) -> list[Any]:
    """The collected tests of the sample. A test that was requested alone by its name stays: it is the only
    case."""
    cases: dict[str, list[Any]] = {}
    for item in items:
        size = sample_size(item)
        if size is not None:
            cases.setdefault(item.nodeid.partition("[")[0], []).append((item, size))
    kept = {
        id(row[0]) for name, rows in cases.items() for row in draw_sample(rotated(rows, name), rows[0][1])
    }
    left_out = {id(row[0]) for rows in cases.values() for row in rows} - kept
    return [
        item
        for item in items
        if id(item) not in left_out
        and (RUN.exhaustive or not item.get_closest_marker("exhaustive_only"))
        and not (RUN.quick and item.get_closest_marker("slow"))
    ]
