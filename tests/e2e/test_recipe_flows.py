"""The commands of the recipes, taken from their pages, between emulated services."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from migrate.emulator import Emulator
from tests.e2e.projects import add, assistant, change, project
from tests.e2e.running import options
from tests.e2e.shell import Shell
from tests.recipes import step, under


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as held:
        yield held


def cloud(stack: ExitStack, state: str = "", service: str = "azure-openai", **others: object) -> Emulator:
    key = "SOURCE_KEY" if state else "TARGET_KEY"
    return stack.enter_context(Emulator(options(key, state, service, downloads=True, **others)))


def named(cloud: Emulator, name: str) -> str:
    return next(key for key, row in cloud.estate.assistants.items() if row["name"] == name)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture
def backup(stack: ExitStack, tmp_path: Path) -> tuple[Shell, Emulator]:
    """The folder of the backups, its scripts written as the page writes them."""
    prod = cloud(stack, "azure-v2")
    shell = Shell(tmp_path / "agents")
    shell.configure({"prod": ("azure-openai", prod)})
    for text in (
        *under("backup.md", "The script")[:1],
        under("backup.md", "How old is the last good one")[0],
    ):
        shell.ok(text.replace("./fresh.sh estate.db 30\n", ""))
    return shell, prod


RUN = under("backup.md", "The script")[1]
FRESH = "./fresh.sh estate.db 30"


def test_a_backup_is_read_checked_copied_and_private(backup: tuple[Shell, Emulator]) -> None:
    shell, _ = backup
    for _ in range(2):
        shell.ok(RUN)
    for path in (shell.folder / "estate.db", *(shell.folder / "copies").iterdir()):
        assert mode(path) == 0o600, path
    assert mode(shell.folder / "copies") == 0o700
    held = json.loads(shell.ok("assistants-migrate snapshots estate.db --json"))
    assert [row["state"] for row in held] == ["complete"], "one is kept of a day"
    (text,) = under("backup.md", "Keeping it private, and copying it right")
    out = shell.ok(text)
    assert "0 differences" in out
    assert len(list((shell.folder / "restored").iterdir())) > 10


def test_the_age_of_the_last_good_reading(backup: tuple[Shell, Emulator]) -> None:
    shell, _ = backup
    shell.ok(RUN)
    shell.ok(FRESH)
    (sql,) = under("backup.md", "How old is the last good one", "sql")
    with sqlite3.connect(shell.folder / "estate.db") as conn:
        ((_, _, hours),) = conn.execute(sql).fetchall()
        assert 0 <= hours < 1
        conn.execute("UPDATE snapshots SET finished_at = '2020-01-01T00:00:00+00:00'")
    conn.close()
    assert shell(FRESH).code == 1
    with sqlite3.connect(shell.folder / "estate.db") as conn:
        conn.execute("UPDATE snapshots SET state = 'partial'")
    conn.close()
    assert shell(FRESH).code == 1
    assert shell("./fresh.sh nothing.db 30").code != 0


def test_a_backup_that_cannot_read_leaves_what_is_there(backup: tuple[Shell, Emulator]) -> None:
    shell, prod = backup
    shell.ok(RUN)
    before = shell.read("estates.toml")
    copy = next((shell.folder / "copies").iterdir())
    kept = copy.read_bytes()
    shell.write("estates.toml", before.replace(prod.url, "http://127.0.0.1:1"))
    said = shell(RUN)
    assert said.code == 5
    assert "snapshot of prod ended with 5" in said.err
    assert copy.read_bytes() == kept
    shell.write("estates.toml", before)
    said = shell(f"flock estate.db.backup bash -c '{RUN.strip()}'")
    assert (said.code, "is still running" in said.err) == (4, True)


def test_a_damaged_archive_is_neither_thinned_out_nor_copied(backup: tuple[Shell, Emulator]) -> None:
    shell, _ = backup
    shell.ok(RUN)
    copy = next((shell.folder / "copies").iterdir())
    kept = copy.read_bytes()
    with sqlite3.connect(shell.folder / "estate.db") as conn:
        conn.execute("UPDATE chunks SET data = zeroblob(length(data))")
    conn.close()
    said = shell(RUN)
    assert said.code == 1
    assert "check of prod ended with 1" in said.err
    assert copy.read_bytes() == kept
    assert len(json.loads(shell.ok("assistants-migrate snapshots estate.db --json"))) == 2


def test_a_partial_snapshot_is_kept_and_reported(stack: ExitStack, backup: tuple[Shell, Emulator]) -> None:
    shell, _ = backup
    project = stack.enter_context(Emulator(options("SOURCE_KEY", "foundry", "foundry")))
    shell.configure({"prod": ("foundry", project)})
    said = shell(RUN)
    assert said.code == 3
    (copy,) = (shell.folder / "copies").iterdir()
    with closing(sqlite3.connect(copy)) as conn:
        assert conn.execute("SELECT state FROM snapshots").fetchall() == [("partial",)]


@pytest.fixture
def regions(stack: ExitStack, tmp_path: Path) -> tuple[Shell, dict[str, Emulator]]:
    clouds = {"east": cloud(stack, "azure-v2"), "west": cloud(stack), "north": cloud(stack)}
    shell = Shell(tmp_path / "regions")
    shell.configure({name: ("azure-openai", one) for name, one in clouds.items()})
    return shell, clouds


@pytest.mark.slow
def test_a_second_region_from_the_first_run_to_the_way_back(
    regions: tuple[Shell, dict[str, Emulator]],
) -> None:
    shell, clouds = regions
    east, west, north = clouds["east"].estate, clouds["west"].estate, clouds["north"].estate
    look, first = under("standby.md", "The first time")
    shell.ok(look)
    assert not west.assistants
    shell.ok(first)
    assert len(west.assistants) == len(east.assistants) > 0
    (schedule,) = under("standby.md", "On a schedule")
    shell.ok(schedule)

    edited = named(clouds["west"], "Product Support")
    west.assistants[edited] = {**west.assistants[edited], "instructions": "West."}
    said = shell("./standby.sh")
    assert said.code == 4
    assert "--on-conflict keep" in said.err
    keep, overwrite = under("standby.md", "When others changed the standby")
    shell.ok(keep)
    assert west.assistants[edited]["instructions"] == "West."
    assert shell("./standby.sh").code == 4
    shell.ok(overwrite)
    assert west.assistants[edited]["instructions"] != "West."

    del east.assistants[named(clouds["east"], "Order Desk")]
    shell.ok("./standby.sh")
    assert len(west.assistants) == len(east.assistants)

    west.assistants[edited] = {**west.assistants[edited], "instructions": "West."}
    compared, ids = under("standby.md", "The day")
    shell.ok(compared)
    assert "Product Support" in shell.read("standby.md")
    shell.ok(ids)
    rows = list(csv.DictReader(io.StringIO(shell.read("ids.csv"))))
    assert {row["target_id"] for row in rows if row["kind"] == "assistant"} >= set(west.assistants)
    assert "INSERT" in shell.read("ids.sql")

    (back,) = under("standby.md", "The way back")
    shell.ok(back)
    assert len(north.assistants) == len(west.assistants)
    assert "West." in {row["instructions"] for row in north.assistants.values()}


@pytest.mark.slow
def test_a_drill_leaves_nothing_behind(regions: tuple[Shell, dict[str, Emulator]]) -> None:
    shell, clouds = regions
    there, away = under("standby.md", "A drill")
    shell.ok(there)
    north = clouds["north"].estate
    assert len(north.threads) == len(clouds["east"].estate.threads) > 0
    assert shell.read("drill.csv").count("\n") > 50
    shell.ok(away)
    for table in (north.assistants, north.threads, north.vector_stores, north.files):
        assert not table


@pytest.mark.slow
def test_an_emptied_region_does_not_empty_the_standby(regions: tuple[Shell, dict[str, Emulator]]) -> None:
    shell, clouds = regions
    shell.ok(under("standby.md", "The first time")[1])
    held = len(clouds["west"].estate.assistants)
    clouds["east"].estate.assistants.clear()
    clouds["east"].estate.threads.clear()
    (schedule,) = under("standby.md", "On a schedule")
    said = shell(schedule)
    assert said.code == 4
    assert "max-delete" in said.err
    assert len(clouds["west"].estate.assistants) == held


@pytest.fixture
def stages(stack: ExitStack, tmp_path: Path) -> tuple[Shell, dict[str, Emulator]]:
    """Three projects; dev has two agents, and the page's own variables apply."""
    clouds = {
        name: stack.enter_context(Emulator(project(key, deployments=("support-main", "support-prod"))))
        for name, key in {"dev": "SOURCE_KEY", "test": "TARGET_KEY", "prod": "TARGET_KEY"}.items()
    }
    add(
        clouds["dev"],
        *(assistant(n, name, model="support-main") for n, name in ((1, "Clerk"), (2, "Gardener"))),
    )
    shell = Shell(tmp_path / "stages")
    shell.configure({name: ("foundry-classic", one) for name, one in clouds.items()})
    variables = under("promotion.md", "From dev to test to prod", "text")[1]
    shell.ok(under("promotion.md", "From dev into the repository")[0])
    shell.write("agents/variables.toml", variables)
    return shell, clouds


def names(cloud: Emulator) -> set[str]:
    return {row["name"] for row in cloud.estate.assistants.values()}


@pytest.mark.slow
def test_a_change_goes_from_dev_to_test_to_prod(stages: tuple[Shell, dict[str, Emulator]]) -> None:
    shell, clouds = stages
    (to_test,) = under("promotion.md", "To test")
    plan, apply = under("promotion.md", "To prod")
    (export,) = under("promotion.md", "From dev into the repository")
    for text in (to_test, plan, apply):
        shell.ok(text)
    assert names(clouds["test"]) == {"test-Clerk", "test-Gardener"}
    assert names(clouds["prod"]) == {"Clerk", "Gardener"}
    assert {row["model"] for row in clouds["prod"].estate.assistants.values()} == {"support-prod"}
    assert "<html" in shell.read("state/prod.html")

    change(clouds["dev"], f"asst_{1:024}", instructions="You are number one.")
    shell.ok(export)
    for text in (to_test, plan):
        shell.ok(text)
    assert "Clerk" in shell.read("state/prod.md")
    assert "one" in shell.read("state/change.md")
    assert "Gardener" not in shell.read("state/change.md")
    held = clouds["prod"].estate.assistants
    clerk = named(clouds["prod"], "Clerk")
    assert held[clerk]["instructions"] == "You are number 1."
    shell.ok(apply)
    assert held[clerk]["instructions"] == "You are number one."
    assert len(held) == 2


@pytest.mark.slow
def test_what_was_approved_is_what_is_applied(stages: tuple[Shell, dict[str, Emulator]]) -> None:
    shell, clouds = stages
    for text in (*under("promotion.md", "To test"), *under("promotion.md", "To prod")):
        shell.ok(text)
    change(clouds["dev"], f"asst_{1:024}", instructions="You are number one.")
    shell.ok(under("promotion.md", "From dev into the repository")[0])
    plan, apply = under("promotion.md", "To prod")
    shell.ok(plan)
    change(clouds["prod"], named(clouds["prod"], "Clerk"), instructions="Somebody else's.")
    assert shell(apply).code == 4
    assert (
        clouds["prod"].estate.assistants[named(clouds["prod"], "Clerk")]["instructions"] == "Somebody else's."
    )


def test_the_jobs_of_the_promotion_stop_at_the_first_failure(
    stages: tuple[Shell, dict[str, Emulator]],
) -> None:
    shell, clouds = stages
    summary = shell.write("summary.md", "")
    shell.ok(step("promotion.md", "Promote"))
    shell.ok(step("promotion.md", "Plan"), GITHUB_STEP_SUMMARY=str(summary))
    assert "Clerk" in summary.read_text()
    assert not clouds["prod"].estate.assistants
    # An artifact is uploaded and downloaded without file modes, to the same folder.
    kept = {path: path.read_bytes() for path in (shell.folder / "state").iterdir()}
    for path, content in kept.items():
        path.unlink()
        path.write_bytes(content)
    shell.ok(step("promotion.md", "Apply what was approved"))
    assert names(clouds["prod"]) == {"Clerk", "Gardener"}
    before = len(clouds["test"].requests)
    shell.write("agents/assistants/Paid.md", "---\nname: Paid\nmodle: gpt-4o\n---\n\nPay.\n")
    said = shell(step("promotion.md", "Promote"))
    assert said.code == 2
    assert "did you mean model?" in shell.ok(step("promotion.md", "Show what went wrong"))
    assert not [r for r in clouds["test"].requests[before:] if r.method != "GET"]


def test_agents_are_handed_over_and_audited(stack: ExitStack, tmp_path: Path) -> None:
    prod = stack.enter_context(Emulator(options("SOURCE_KEY", "foundry", "foundry")))
    shell = Shell(tmp_path / "handed")
    shell.configure({"prod": ("foundry", prod)})
    (over,) = under("terraform.md", "Handing over")
    shell.ok(over)
    assert shell.read("terraform/agents.tf").count("import {") == len(prod.estate.agents)
    audit, later = under("terraform.md", "Auditing drift afterwards")
    shell.ok(audit)
    agent = prod.estate.agents["web-researcher"]
    agent["versions"]["latest"]["definition"]["instructions"] = "Invent it."
    said = shell(audit)
    assert said.code == 1
    assert "web-researcher" in shell.read("drift.md")
    assert "web-researcher" in shell.ok(later)
    history = shell("assistants-migrate history estate.db web-researcher")
    assert "instructions" in history.out


def test_the_drill_of_every_month(stack: ExitStack, tmp_path: Path) -> None:
    prod, place = cloud(stack, "azure-v2"), cloud(stack)
    shell = Shell(tmp_path / "agents")
    shell.configure({"prod": ("azure-openai", prod), "scratch": ("azure-openai", place)})
    shell.ok("assistants-migrate snapshot prod -o estate.db")
    (written, run) = under("drill.md", "The script")
    shell.ok(written)
    assert shell("./drill.sh estate.db scratch drills").code == 4, "it is not marked"
    config = shell.read("estates.toml")
    shell.write("estates.toml", config.replace("[estates.scratch]\n", "[estates.scratch]\nscratch = true\n"))
    shell.ok(run)
    assert not any(place.estate.counts().values())
    assert not list(shell.folder.glob("estate.db?*"))
    (report,) = (shell.folder / "drills").glob("*.json")
    found = json.loads(report.read_text(encoding="utf-8"))
    assert (found["ok"], found["emulated"], found["left_behind"]) == (True, True, [])
    assert mode(report) == 0o600
    assert list((shell.folder / "drills").glob("*.html"))
    add(place, assistant(1, "somebody's"))
    said = shell("./drill.sh estate.db scratch drills")
    assert (said.code, "ended with 4" in said.err) == (4, True)
