"""Assistants with a model that retires, in every command that reports them, on a date set by the test."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from migrate.model import retirements
from tests.e2e.conftest import Launch
from tests.e2e.projects import add, agent, assistant
from tests.e2e.rounds import service
from tests.e2e.running import World

DAY = date(2026, 12, 1)


@pytest.fixture(autouse=True)
def day() -> Iterator[None]:
    with patch.object(retirements, "today", lambda: DAY):
        yield


def _world(launch: Launch, source: str, target: str, *assistants: Any) -> World:
    world = launch(service("SOURCE_KEY", source), service("TARGET_KEY", target), types=(source, target))
    add(world.source, *assistants)
    return world


def _rows(document: Any, key: str = "retiring") -> list[tuple[str, str, str, int, str]]:
    return [(r["name"], r["model"], r["ends_on"], r["days_left"], r["basis"]) for r in document[key]]


def _openai(launch: Launch) -> World:
    return _world(
        launch,
        "openai",
        "openai",
        assistant(1, "named", model="gpt-4o"),
        assistant(2, "dated", model="gpt-4o-2024-08-06"),
        assistant(3, "tuned", model="ft:gpt-4.1-2025-04-14:acme::x"),
        assistant(4, "early", model="o3"),
        assistant(5, "stays", model="gpt-6"),
        assistant(6, "asked", model="house-model"),
    )


OPENAI_ROWS = [
    ("early", "o3", "2026-12-11", 10, "announced"),
    ("tuned", "ft:gpt-4.1-2025-04-14:acme::x", "2027-01-14", 44, "announced"),
    ("named", "gpt-4o", "2027-01-14", 44, "announced"),
    ("dated", "gpt-4o-2024-08-06", "2027-01-14", 44, "base model"),
]


def test_every_command_lists_the_assistants_of_openai_whose_model_ends(launch: Launch) -> None:
    world = _openai(launch)
    assert _rows(world("doctor", "source").ok()) == OPENAI_ROWS
    assert _rows(world.snapshot()) == OPENAI_ROWS
    listed = world("ls", world.db, "--retiring").ok()
    assert _rows(listed) == OPENAI_ROWS
    assert (listed["day"], listed["unknown_models"], listed["unsaid"]) == ("2026-12-01", [], [])
    assert listed["retiring"][0]["remedy"] == 'in [models] of the config file: "o3" = "MODEL"'
    assert listed["retiring"][0]["read_on"] == "2026-11-30"
    assert _rows(world("assess", world.db, "--to", "openai").ok(0)) == OPENAI_ROWS
    assert _rows(world("assess", world.db, "--to", "openai").ok(0), "source_retiring") == OPENAI_ROWS
    assert _rows(world.planned()) == OPENAI_ROWS


def test_the_date_of_the_service_is_taken_before_the_table(launch: Launch) -> None:
    world = _openai(launch)
    world.source.estate.deployments = [
        {"name": "gpt-4o", "shutdown_date": "2027-02-01"},
        {"name": "o3", "shutdown_date": None},
        {"name": "house-model", "shutdown_date": "2026-12-02"},
        {"name": "gpt-6", "shutdown_date": "some day"},
    ]
    world.snapshot()
    assert len([r for r in world.source.requests if r.path.endswith("/models")]) == 1
    expected = [
        ("asked", "house-model", "2026-12-02", 1, "service"),
        OPENAI_ROWS[0],
        *OPENAI_ROWS[1:2],
        OPENAI_ROWS[3],
        ("named", "gpt-4o", "2027-02-01", 62, "service"),
    ]
    assert _rows(world("ls", world.db, "--retiring").ok()) == expected
    text = world.plain("ls", world.db, "--retiring")
    assert "service: according to the service, GET /v1/models" in text.out
    assert "whether it holds for this one is not stated" in text.out


def test_a_service_that_refuses_its_models_is_no_error(launch: Launch) -> None:
    world = _openai(launch)
    reply = "migrate.endpoints.openai_platform.OpenAIReader.shutdown_dates"
    from migrate.errors import RequestFailed

    with patch(reply, side_effect=RequestFailed("500")):
        assert _rows(world.snapshot()) == OPENAI_ROWS
        assert _rows(world("doctor", "source").ok()) == OPENAI_ROWS
        assert _rows(world.planned()) == OPENAI_ROWS


def test_within_narrows_the_list_and_an_empty_list_ends_with_0(launch: Launch) -> None:
    world = _openai(launch)
    world.snapshot()
    assert _rows(world("ls", world.db, "--retiring", "--within", "43d").ok()) == OPENAI_ROWS[:1]
    assert _rows(world("ls", world.db, "--retiring", "--within", "44").ok()) == OPENAI_ROWS
    assert _rows(world("ls", world.db, "--retiring", "--within", "0d").ok()) == []
    assert "nothing is known to end" in world.plain("ls", world.db, "--retiring", "--within", "0d").out


@pytest.mark.parametrize(
    "options",
    [
        ("--within", "90d"),
        ("--retiring", "--within", "soon"),
        ("--retiring", "--within", "-1d"),
        ("--retiring", "--within", "9" * 400),
        ("--retiring", "--orphans"),
        ("--retiring", "--kind", "file"),
    ],
)
def test_options_that_do_not_fit_are_refused(launch: Launch, options: tuple[str, ...]) -> None:
    world = _openai(launch)
    world.snapshot()
    world("ls", world.db, *options).error(2)


def test_a_list_of_assistants_that_was_not_read_is_reported(launch: Launch) -> None:
    world = _openai(launch)
    world.snapshot("--exclude", "assistant:*")
    assert "the list of assistants was not read" in world("ls", world.db, "--retiring").ok(3)["unsaid"][0]


def test_a_project_shows_the_model_behind_a_deployment(launch: Launch) -> None:
    world = _world(launch, "foundry", "foundry")
    world.source.estate.deployments = [
        {"name": "main", "modelName": "gpt-4.1", "modelVersion": "2025-04-14"},
        {"name": "gpt-4.1", "modelName": "gpt-4.1", "modelVersion": "2026-06-01"},
    ]
    for name, model in (("ends", "main"), ("stays", "gpt-4.1"), ("lost", "gone"), ("far", "gateway/gpt-4.1")):
        agent(world.source, name, model=model)
    snapshot = world.snapshot()
    assert _rows(snapshot) == [("ends", "main", "2027-04-14", 134, "announced")]
    assert snapshot["retiring"][0]["served_model"] == "gpt-4.1 2025-04-14"
    assert {r["model"]: r["reason"] for r in snapshot["unknown_models"]} == {
        "gone": "the project lists no deployment of this name",
        "gateway/gpt-4.1": "the service does not show which model is behind a deployment",
    }
    world.source.estate.deployments = []
    assert world("ls", world.db, "--retiring").ok()["retiring"] == snapshot["retiring"]


def test_a_deployment_that_cannot_be_seen_is_a_guess_or_unknown(launch: Launch) -> None:
    world = _world(
        launch,
        "azure-openai",
        "foundry-classic",
        assistant(1, "a", model="gpt-4.1"),
        assistant(2, "b", model="main"),
    )
    snapshot = world.snapshot()
    assert _rows(snapshot) == [("a", "gpt-4.1", "2027-04-14", 134, "guess")]
    assert [(r["model"], r["assistants"]) for r in snapshot["unknown_models"]] == [("main", 1)]
    text = world.plain("ls", world.db, "--retiring").out
    assert "guess: a guess by the deployment's name; its model cannot be seen" in text
    assert "not known when these models end: main (1 assistant)" in text
    plan = world.planned()
    assert _rows(plan) == [
        ("the service of Foundry classic agents", "", "2027-03-31", 120, "announced"),
        *_rows(snapshot),
    ]


def test_a_plan_shows_the_mapping_of_models_and_which_ends_soon(launch: Launch) -> None:
    world = _world(
        launch, "openai", "foundry", assistant(1, "a", model="house"), assistant(2, "b", model="o9")
    )
    deployments = [
        {"name": "main", "modelName": "gpt-4.1", "modelVersion": "2025-04-14"},
        {"name": "o9", "modelName": "o9", "modelVersion": "1"},
    ]
    world.target.estate.deployments = deployments
    world.snapshot()
    plan = world.planned("--models", "house=main")
    assert _rows(plan) == [("a", "main", "2027-04-14", 134, "announced")]
    assert plan["retiring"][0]["remedy"] == 'in [models] of the config file: "house" = "DEPLOYMENT"'
    said = world.plain("plan", world.db, "target", "-o", world.plan, "--models", "house=main")
    assert "on the target: main (gpt-4.1 2025-04-14) ends on 2027-04-14, in 134 days" in said.out
    assert "within 30 days" not in said.out
    with patch.object(retirements, "today", lambda: date(2027, 3, 15)):
        said = world.plain("plan", world.db, "target", "-o", world.plan, "--models", "house=main")
    assert said.code == 0, "a model that ends decides no exit code"
    assert "the target ends within 30 days for: main" in said.out
    world("apply", world.plan, "--yes").ok()
    world("verify", world.plan).ok()


FORMATS = ("text", "markdown", "html", "junit", "json")
# More than a list of names would show.
MANY = 7


@pytest.fixture
def many(launch: Launch) -> World:
    """Assistants whose models end on both sides, and a deployment whose model cannot be seen."""
    rows = [assistant(n, f"Bee {n}", model="gpt-4.1") for n in range(1, MANY + 1)]
    rows.append(assistant(99, "Owl", model="main"))
    world = _world(launch, "azure-openai", "foundry", *rows)
    world.target.estate.deployments = [
        {"name": "gpt-4.1", "modelName": "gpt-4.1", "modelVersion": "2025-04-14"},
        {"name": "main", "modelName": "o9", "modelVersion": "1"},
    ]
    world.snapshot()
    world.planned()
    world.apply().ok()
    return world


def _reports(world: World, *command: str) -> Iterator[tuple[str, str]]:
    for format_ in FORMATS:
        said = world.plain(*command, "--format", format_)
        assert said.code == 0, said.err
        yield format_, said.out.replace("&quot;", '"').replace("&#34;", '"')


@pytest.mark.parametrize("command", ["verify", "diff", "drill", "plan", "assess"])
def test_every_report_lists_every_assistant_in_every_format(many: World, command: str) -> None:
    """Assistant, model, date, days left and the line of [models]; unknown where the model cannot be seen."""
    arguments = {
        "verify": (many.plan,),
        "diff": (many.db, "target"),
        "drill": (many.db, "--to", "emulator", "--accept-loss", "all"),
        "plan": (many.db, "target", "-o", many.plan, "--accept-loss", "all"),
        "assess": (many.db, "--to", "target", "--accept-loss", "all"),
    }[command]
    for format_, text in _reports(many, command, *arguments):
        for number in range(1, MANY + 1):
            assert f"Bee {number}" in text, (format_, number)
        for part in ("gpt-4.1", "2027-04-14", "134"):
            assert part in text, (format_, part)
        line = '"gpt-4.1" = "DEPLOYMENT"'
        assert (line.replace('"', '\\"') if format_ == "json" else line) in text, format_
        if command not in ("verify", "plan"):  # the target shows the models behind its deployments
            assert "main" in text
            assert "does not show which model is behind a deployment" in text, format_


def test_diff_reports_the_side_and_verify_asks_the_target(many: World) -> None:
    found = many("diff", many.db, "target").ok()
    sides = {(row["side"], row["basis"]) for row in found["retiring"]}
    assert sides == {("left", "guess"), ("right", "announced")}
    assert [(row["side"], row["model"]) for row in found["unknown_models"]] == [("left", "main")]
    many.target.estate.deployments[0]["modelVersion"] = "2099-01-01"
    assert many("verify", many.plan).ok()["retiring"] == []
    assert many("diff", many.db, "target", "--kind", "file").ok()["retiring"] == []
    chosen = many("diff", many.db, "target", "--include", "assistant:Bee 2").ok()["retiring"]
    assert [row["name"] for row in chosen] == ["Bee 2"]


def test_two_snapshots_of_one_resource_are_reported_once_by_the_later_one(many: World) -> None:
    many.source.estate.assistants.popitem()
    many.snapshot()
    for left, right in ((f"{many.db}@1", f"{many.db}@2"), (f"{many.db}@2", f"{many.db}@1")):
        found = many("diff", left, right).ok(1)
        assert len(found["retiring"]) == MANY
        assert found["unknown_models"] == []
    assert {row["side"] for row in many("diff", "source", f"{many.db}@1").ok(1)["retiring"]} == {"left"}
    assert "on the" not in many.plain("diff", "source", f"{many.db}@1").out.partition("ends: ")[2]


def test_where_nothing_is_known_the_report_has_only_that(launch: Launch) -> None:
    world = _world(launch, "azure-openai", "azure-openai", assistant(1, "Owl", model="main"))
    world.snapshot()
    lines = world.plain("assess", world.db, "--to", "target").out.splitlines()
    head = lines.index("ends: not known")
    assert lines[head + 1].startswith(
        "  ? on the source: not known when these models end: main (1 assistant): "
    )


def test_a_long_list_is_cut_in_text_and_whole_in_a_file(launch: Launch, tmp_path: Path) -> None:
    rows = [assistant(n, f"Bee {n:03}", model="o3") for n in range(1, 51)]
    world = _world(launch, "openai", "openai", *rows)
    world.snapshot()
    said = world.plain("assess", world.db, "--to", "openai", "-o", str(tmp_path / "whole.txt"))
    assert "ends: 100" in said.out
    assert "and 60 more; all of them: --all" in said.out
    whole = (tmp_path / "whole.txt").read_text(encoding="utf-8")
    assert whole.count("o3 ends on 2026-12-11, in 10 days: assistant Bee") == 100


def test_a_service_that_refuses_its_models_is_no_error_for_verify_and_diff(many: World) -> None:
    from migrate.errors import RequestFailed

    with patch("migrate.endpoints.foundry.FoundryReader.deployments", side_effect=RequestFailed("500")):
        assert {row["basis"] for row in many("verify", many.plan).ok()["retiring"]} == {"guess"}
        found = many("diff", many.db, "target").ok()["retiring"]
        assert {(row["side"], row["basis"]) for row in found} == {("left", "guess"), ("right", "guess")}


def test_days_after_the_end_are_counted_too(launch: Launch) -> None:
    world = _openai(launch)
    world.snapshot()
    with patch.object(retirements, "today", lambda: date(2026, 12, 12)):
        row = world("ls", world.db, "--retiring").ok()["retiring"][0]
        assert (row["name"], row["days_left"]) == ("early", -1)
        assert "o3 ends on 2026-12-11, 1 day ago" in world.plain("doctor", "source").out


def test_shards_of_one_reading_keep_what_the_service_showed(launch: Launch) -> None:
    world = _world(launch, "openai", "openai", assistant(1, "asked", model="house-model"))
    world.source.estate.deployments = [{"name": "house-model", "shutdown_date": "2026-12-02"}]
    parts = [str(world.folder / f"part{number}.db") for number in (1, 2)]
    for number, part in enumerate(parts, 1):
        world("snapshot", "source", "-o", part, "--tag", "t", "--shard", f"{number}/2").ok()
    world("merge", *parts, "-o", world.db).ok()
    assert _rows(world("ls", world.db, "--retiring").ok()) == [
        ("asked", "house-model", "2026-12-02", 1, "service")
    ]


def test_a_selection_narrows_the_assistants(launch: Launch) -> None:
    world = _openai(launch)
    world.snapshot()
    chosen = ("--include", "assistant:named")
    assert _rows(world("ls", world.db, "--retiring", *chosen).ok()) == [OPENAI_ROWS[2]]
    assessed = world("assess", world.db, "--to", "openai", *chosen).ok()
    assert _rows(assessed) == _rows(assessed, "source_retiring") == [OPENAI_ROWS[2]]


def test_doctor_lists_every_assistant_too(many: World) -> None:
    lines = many.plain("doctor", "source").out.splitlines()
    for number in range(1, MANY + 1):
        (line,) = [line for line in lines if f"Bee {number} " in line]
        for part in ("gpt-4.1 ends on 2027-04-14, in 134 days", '"gpt-4.1" = "DEPLOYMENT"'):
            assert part in line
    assert any("not known when these models end: main (1 assistant)" in line for line in lines)


def test_a_note_that_names_some_assistants_says_where_the_others_are(many: World) -> None:
    assert "and 2 more (all: ls ARCHIVE --retiring)" in many.plain("snapshot", "source", "-o", many.db).out
