"""The sample of an exhaustive matrix: always the same, spread over every parameter, never empty."""

from __future__ import annotations

from itertools import pairwise, product
from types import SimpleNamespace
from typing import Any

import pytest

from tests import sample
from tests.sample import RUN, chosen, rotated, spread

pytestmark = pytest.mark.exhaustive()


@pytest.fixture(autouse=True)
def _sampled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RUN, "quick", False)
    monkeypatch.setattr(RUN, "exhaustive", False)
    monkeypatch.setattr(RUN, "percent", 100)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 8, 24, 50, 221])
@pytest.mark.parametrize("size", [1, 2, 8, 20])
def test_a_sample_has_its_size_and_both_ends(length: int, size: int) -> None:
    positions = spread(length, size)
    assert len(positions) == len(set(positions)) == min(length, size)
    assert positions == sorted(positions)
    assert length == 0 or positions[0] == 0
    assert length == 0 or size == 1 or positions[-1] == length - 1


def test_a_sample_without_a_case_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one case"):
        spread(10, 0)


@pytest.mark.parametrize("sizes", [(2, 30), (30, 2), (4, 25), (5, 4, 6), (3, 3, 3, 3)], ids=str)
def test_a_sample_meets_every_value_of_a_small_parameter(sizes: tuple[int, ...]) -> None:
    cases = list(product(*map(range, sizes)))
    rows = sample.sample(cases, 12)
    for place, size in enumerate(sizes):
        if size <= 6:
            assert {row[place] for row in rows} == set(range(size))


def test_no_stretch_of_a_matrix_is_left_out() -> None:
    positions = spread(200, 20)
    gaps = [right - left for left, right in pairwise(positions)]
    assert max(gaps) <= 20


def test_an_exhaustive_run_takes_every_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RUN, "exhaustive", True)
    assert sample.sample(range(100), 3) == list(range(100))


def test_a_loop_with_a_sample_needs_the_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    test = SimpleNamespace(nodeid="a.py::test_a", get_closest_marker=lambda _: None)
    monkeypatch.setattr(RUN, "test", test)
    with pytest.raises(ValueError, match="test_a lacks"):
        sample.sample(range(9), 3)


def item(name: str, *sizes: int) -> Any:
    """A collected test."""
    markers = {"exhaustive": SimpleNamespace(args=sizes)} if sizes else {}
    return SimpleNamespace(nodeid=name, get_closest_marker=markers.get)


def test_each_test_is_sampled_by_itself_and_others_stay() -> None:
    items = [item(f"a.py::test_a[{n}]", 3) for n in range(9)] + [item("b.py::test_b")]
    items += [item(f"c.py::test_c[{n}]") for n in range(9)] + [item("d.py::test_d[6]", 2)]
    kept = [one.nodeid for one in chosen(items)]
    assert kept == [one.nodeid for one in chosen(items)]
    assert sum(name.startswith("a.py") for name in kept) == 3
    assert kept[3:] == ["b.py::test_b", *(f"c.py::test_c[{n}]" for n in range(9)), "d.py::test_d[6]"]


def test_a_quick_run_has_one_case_of_each_long_test(monkeypatch: pytest.MonkeyPatch) -> None:
    items = [
        item(f"tests/e2e/test_{file}.py::test_a[{n}]", *sizes)
        for file, sizes in (("plain", ()), ("matrix", (3,)))
        for n in range(5)
    ]
    items += [
        item("tests/e2e/test_plain.py::test_b"),
        *(item(f"tests/model/test_c.py::test_c[{n}]") for n in "12"),
    ]
    assert len(chosen(items)) == 5 + 3 + 3
    monkeypatch.setattr(RUN, "quick", True)
    kept = [one.nodeid.partition("[")[0] for one in chosen(items)]
    assert kept == [
        "tests/e2e/test_plain.py::test_a",
        "tests/e2e/test_matrix.py::test_a",
        "tests/e2e/test_plain.py::test_b",
        *["tests/model/test_c.py::test_c"] * 2,
    ]
    assert [len(sample.sample(range(100), size)) for size in (1, 3, 20)] == [2, 2, 10]
    assert sample.examples() == 8
    slow = SimpleNamespace(nodeid="tests/e2e/test_d.py::test_d", get_closest_marker={"slow": True}.get)
    assert chosen([slow]) == []


def test_samples_of_many_files_meet_every_case() -> None:
    first = {rotated(range(13), f"tests/e2e/test_{n}.py::test_a")[0] for n in range(200)}
    assert first == set(range(13))
    one, other = (rotated(range(13), f"tests/e2e/test_1.py::test_{name}") for name in "ab")
    assert one == other
    assert sorted(one) == list(range(13))


def test_a_long_test_runs_only_in_an_exhaustive_run(monkeypatch: pytest.MonkeyPatch) -> None:
    marked = {"exhaustive_only": pytest.mark.exhaustive_only.mark}
    items = [
        SimpleNamespace(nodeid=f"a.py::{name}", get_closest_marker=markers.get)
        for name, markers in (("long", marked), ("short", {}))
    ]
    assert [item.nodeid for item in chosen(items)] == ["a.py::short"]
    monkeypatch.setattr(RUN, "exhaustive", True)
    assert chosen(items) == items


def test_a_part_of_each_matrix_is_never_less_than_its_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(RUN, "exhaustive", True)
    monkeypatch.setattr(RUN, "percent", 25)
    assert len(sample.sample(range(100), 3)) == 25
    assert len(sample.sample(range(100), 40)) == 40
    assert sample.sample(range(2), 1) == [0]
    assert sample.examples() == 25
