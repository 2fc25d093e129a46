"""The benchmarks themselves: what they generate and declare, and that a run reports every result."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.__main__ import SCENES, main
from benchmarks.child import Cost
from benchmarks.estate import Estate, Shape, thread_id
from benchmarks.plot import svg_panels
from benchmarks.report import document, table
from benchmarks.results import Results
from benchmarks.service.generated_estate import GeneratedEstate
from benchmarks.service.list_pages import page_positions
from benchmarks.service.protocol import parts_of, route_of
from benchmarks.sizes import SIZES
from benchmarks.targets import TARGETS

ROOT = Path(__file__).parents[2]


def test_the_same_seed_gives_the_same_estate_and_another_seed_another() -> None:
    one, same, other = (list(Estate(Shape(40, 5, seed=seed)).messages(33)) for seed in (7, 7, 8))
    assert one == same
    assert [row["content"] for row in one] != [row["content"] for row in other]


def test_no_id_occurs_twice() -> None:
    estate = Estate(Shape(70, 3))
    ids = [row["id"] for number in range(70) for row in estate.messages(number)]
    assert len(set(ids)) == 210
    assert {row["thread_id"] for row in estate.messages(69)} == {thread_id(69)}


@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_hold_every_row_once_and_in_order(order: str) -> None:
    service, seen, after = GeneratedEstate(Estate(Shape(2, 250))), [], {}
    while True:
        query = {"limit": "100", "order": order, **after}
        page = json.loads(service.answer("GET", ["threads", thread_id(1), "messages"], query, b"") or b"")
        seen += [row["id"] for row in page["data"]]
        assert page["last_id"] == seen[-1]
        after = {"after": page["last_id"]}
        if not page["has_more"]:
            break
    assert len(seen) == 250
    assert seen == sorted(seen, reverse=order == "desc")


def test_a_page_is_the_twenty_newest_rows_by_default() -> None:
    assert page_positions({}, 30) == (range(29, 9, -1), True)


@pytest.mark.parametrize(
    ("path", "route"),
    [
        (f"/openai/threads/{thread_id(3)}/messages", "GET threads/ID/messages"),
        (f"/api/projects/demo/openai/v1/conversations/{thread_id(3)}/items", "GET conversations/ID/items"),
        ("/api/projects/demo/agents/some-name/versions", "GET agents/ID/versions"),
    ],
)
def test_requests_are_counted_by_their_route(path: str, route: str) -> None:
    assert parts_of(path)[0] in ("threads", "conversations", "agents")
    assert route_of("GET", path) == route


def test_every_target_has_a_source_and_no_key_occurs_twice() -> None:
    assert len({target.key for target in TARGETS}) == len(TARGETS)
    assert all(target.source and target.words and target.bound > 0 for target in TARGETS)


def test_a_value_without_a_row_is_refused_and_a_missed_one_is_reported() -> None:
    results = Results()
    results.put("snapshot_floor", 0.69)
    results.put("snapshot_peak", 150.0)
    assert results.missed() == ["snapshot_floor"]
    with pytest.raises(KeyError):
        results.put("speed", 1)


def test_a_picture_escapes_what_it_is_given() -> None:
    assert "<b>" not in svg_panels([1, 2], "<b>", (("<b>", [1, 2]),))


@pytest.mark.exhaustive_only
def test_a_tiny_run_measures_every_quick_target(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks", "--size", "tiny", "-o", str(tmp_path)]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    told = json.loads((tmp_path / "tiny.json").read_text())
    measured = {row["key"] for row in told["targets"] if row["value"] is not None}
    assert measured == {target.key for target in TARGETS if target.quick}
    assert run.returncode == (1 if told["missed"] else 0), run.stderr
    assert {"machine", "load", "own_peak", "facts", "points", "size"} <= told.keys()
    assert (tmp_path / "tiny.svg").read_text().startswith("<svg")
    assert told["unmeasured"] == []
    for row in told["targets"]:
        assert row["words"] in run.stdout
    for what in (
        "peers: 12 messages",
        "floor: the same pages",
        "snapshot",
        "apply, foundry",
        "verify, foundry",
    ):
        assert what in run.stdout
        cost = told["costs"][what]
        assert all(
            cost[key] > 0 for key in ("seconds", "cpu", "requests", "cpu_a_request", "peak", "received")
        )
    assert told["costs"]["snapshot"]["disk"] > told["costs"]["snapshot"]["received"] / 4


def test_a_target_that_was_not_measured_is_reported() -> None:
    results, took = Results(), {"seconds": 1.0, "cpu": 1.0}
    results.put("help_start", 1.1)
    told = document(SIZES["quick"], results, {"start": took})
    assert (told["missed"], told["unmeasured"]) == ([], ["ls_start"])
    assert [line for line in table(told).splitlines() if line.endswith("NOT MEASURED")] == [
        line for line in table(told).splitlines() if line.startswith("ls:")
    ]
    every = document(SIZES["full"], results, dict.fromkeys(SCENES, took))
    assert len(every["unmeasured"]) == len(TARGETS) - 1


def test_a_run_without_a_value_that_was_due_ends_with_one(monkeypatch: Any, tmp_path: Path) -> None:
    for name in SCENES:
        monkeypatch.setitem(SCENES, name, lambda size, results, folder: None)
    assert main(["--size", "quick", "-o", str(tmp_path)]) == 1
    assert main(["--size", "quick", "-o", str(tmp_path), "--only", "large_file"]) == 0


def test_every_row_of_targets_names_a_scene() -> None:
    assert {target.scene for target in TARGETS} == set(SCENES)


def test_the_largest_peak_of_a_command_is_used() -> None:
    results = Results()
    for peak in (7, 9, 8):
        results.cost("check", Cost(1.0, 1.0, peak, ""))
    assert results.costs["check"]["peak"] == 9
