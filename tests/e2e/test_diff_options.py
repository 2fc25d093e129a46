"""`diff` in daily use: rules, filters, baselines, and what it reads for them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate.emulator import Emulator
from tests.e2e.conftest import Launch
from tests.e2e.projects import add, agent, assistant
from tests.e2e.running import World, options


def first(table: dict[str, Any]) -> str:
    return next(iter(table))


def edit(cloud: Emulator, **fields: Any) -> str:
    """Change the first assistant; returns its id."""
    id_ = first(cloud.estate.assistants)
    cloud.estate.assistants[id_] = {**cloud.estate.assistants[id_], **fields}
    return id_


def paths(found: Any) -> set[tuple[str, str]]:
    return {(change["kind"], path) for change in found["changes"] for path in change["paths"]}


def test_ignored_differences_are_counted_and_decide_the_exit_code(small: World) -> None:
    small.snapshot()
    old = small.source.estate.assistants[first(small.source.estate.assistants)]["metadata"]
    edit(small.source, model="another", metadata={**old, "owner": "Ada"})
    rules = small.folder / "ignore.toml"
    rules.write_text("[[ignore]]\nkind = 'assistant'\npath = 'model'\nreason = 'in review'\n")
    found = small("diff", small.db, "source", "--ignore", str(rules)).ok(1)
    assert paths(found) == {("assistant", "metadata.owner")}
    assert [(row["count"], row["reason"]) for row in found["ignored"]] == [(1, "in review")]
    rules.write_text(rules.read_text() + "[[ignore]]\npath = 'metadata.*'\nreason = 'labels'\n")
    found = small("diff", small.db, "source", "--ignore", str(rules)).ok(0)
    assert found["differences"] == 0
    assert [row["count"] for row in found["ignored"]] == [1, 1]
    rules.write_text("[[ignore]]\nreason = 'was in review'\nexpires = 2020-01-01\n")
    found = small("diff", small.db, "source", "--ignore", str(rules)).ok(1)
    assert found["expired_rules"] == ["ignore.toml, rule 1 expired on 2020-01-01: was in review"]
    small("diff", small.db, "source", "--ignore", str(small.folder / "none")).error(2, "none")


def test_only_some_objects_are_compared(small: World) -> None:
    small.snapshot()
    id_ = edit(small.source, name="renamed", model="another")
    here_all = len(small.source.estate.assistants)
    here = small("diff", small.db, "source", "--include", f"assistant:{id_}").ok(1)
    assert paths(here) == {("assistant", "model"), ("assistant", "name")}
    assert here["compared"]["assistant"] == 1
    by_new_name = small("diff", small.db, "source", "--include", "assistant:ren*").ok(1)
    assert by_new_name["differences"] == 1
    for name in ("renamed", id_):
        others = small("diff", small.db, "source", "--exclude", f"assistant:{name}").ok(0)
        assert others["compared"]["assistant"] == here_all - 1
    both = small("diff", small.db, "source", "--include", "assistant:none*").ok(1)
    assert both["compared"]["assistant"] == 0
    assert both["differences"] == 0
    assert both["unmatched"] == ["assistant:none*"]
    small("diff", small.db, "source", "--include", "agent:x").error(2, "agent")
    small("diff", small.db, "source", "--kind", "agent").error(2, "agent")


def test_messages_of_threads_that_are_left_out_are_not_compared(small: World) -> None:
    small.snapshot()
    thread = next(id_ for id_, messages in small.source.estate.messages.items() if messages)
    messages = small.source.estate.messages[thread]
    said = messages[first(messages)]
    text = {"type": "text", "text": {"value": "quite another", "annotations": []}}
    messages[said["id"]] = {**said, "content": [text]}
    assert small("diff", small.db, "source").ok(1)["differences"] == 1
    assert small("diff", small.db, "source", "--exclude", f"thread:{thread}").ok(0)["differences"] == 0


@pytest.mark.parametrize(
    ("kind", "unread"),
    [
        ("assistant", {"threads", "messages"}),
        ("file", {"threads", "assistants"}),
        ("message", {"assistants"}),
    ],
)
def test_what_is_not_compared_is_not_read(small: World, kind: str, unread: set[str]) -> None:
    small.snapshot()
    before = len(small.source.requests)
    small("diff", small.db, "source", "--kind", kind).ok(0)
    asked = [r.path for r in small.source.requests[before:] if r.query != "limit=1"]
    listed = {word for path in asked for word in path.split("/")}
    probes = {word for word in unread if sum(word in path for path in asked) <= 1}
    assert probes == unread, listed


def test_since_shows_only_what_moved(small: World) -> None:
    """A known difference of the target is left out; what changed in the source since then is not."""
    small.snapshot("--tag", "before")
    small.planned(), small.apply().ok()
    one, *_, id_ = small.source.estate.assistants
    name = small.source.estate.assistants[one]["name"]
    target = next(key for key, row in small.target.estate.assistants.items() if row["name"] == name)
    small.target.estate.assistants[target] = {**small.target.estate.assistants[target], "model": "deviant"}
    small.source.estate.assistants[id_] = {**small.source.estate.assistants[id_], "instructions": "New."}
    small.snapshot()
    every = small("diff", small.db, "target").ok(1)
    assert {c["left_id"] for c in every["changes"] if c["kind"] == "assistant"} >= {id_}
    assert ("assistant", "model") in paths(every)
    since = small("diff", small.db, "target", "--since", "before").ok(1)
    assert paths(since) == {("assistant", "instructions")}
    assert [line for line in since["left_out"] if "snapshot 1" in line]
    assert small("diff", small.db, "target", "--since", f"{small.db}@1").ok(1)["changes"] == since["changes"]
    small("diff", small.db, "target", "--since", "none").error(2, "none")
    small("diff", "source", "target", "--since", "1").error(2, "archive")


def test_a_baseline_of_another_place_is_refused(small: World) -> None:
    small.snapshot()
    other = str(small.folder / "other.db")
    small("snapshot", "target", "-o", other).ok()
    small("diff", small.db, "source", "--since", f"{other}@1").error(2, "neither side")


def test_a_given_journal_pairs_two_live_estates(small: World) -> None:
    small.snapshot()
    small.planned(), small.apply().ok()
    for id_, body in small.target.estate.assistants.items():
        small.target.estate.assistants[id_] = {**body, "metadata": {}, "name": f"other {id_}", "model": id_}
    guessed = small("diff", "source", "target", "--kind", "assistant").ok(1)
    assert {change["action"] for change in guessed["changes"]} == {"added", "removed"}
    known = small("diff", "source", "target", "--kind", "assistant", "--journal", small.db).ok(1)
    assert {(change["action"], change["paired_by"]) for change in known["changes"]} == {
        ("changed", "journal")
    }


def test_when_a_difference_arose_is_reported_as_far_as_snapshots_show(small: World) -> None:
    started = [small.snapshot() and small("snapshots", small.db).ok()[-1]["started_at"]]
    edit(small.source, model="second")
    small.snapshot()
    small.snapshot()
    started += [row["started_at"] for row in small("snapshots", small.db).ok()[1:]]
    (change,) = small("diff", f"{small.db}@1", small.db).ok(1)["changes"]
    assert change["since"] == started[1]
    edit(small.source, model="third")
    (change,) = small("diff", small.db, "source").ok(1)["changes"]
    assert change["since"] == f"{started[2]} or later"


def test_mapped_models_are_no_drift_between_two_places_and_drift_in_one(small: World) -> None:
    small.snapshot()
    old = small.source.estate.assistants[first(small.source.estate.assistants)]["model"]
    small.configure(models={old: "gpt-new"})
    small("plan", small.db, "target", "-o", small.plan, "--accept-loss", "all").ok()
    small.apply().ok()
    found = small("diff", small.db, "target", "--kind", "assistant").ok(0)
    assert [row["reason"] for row in found["ignored"]] == ["[models] of the config file"]
    edit(small.source, model="gpt-new")
    assert paths(small("diff", small.db, "source").ok(1)) == {("assistant", "model")}


def test_an_assistant_and_an_agent_are_one_by_name(launch: Launch) -> None:
    """Across generations and without a journal they are paired by name, which is reported."""
    world = launch(options("SOURCE_KEY"), options("TARGET_KEY", service="foundry"))
    same = {"instructions": "Add up.", "model": "gpt-4o"}
    alike = {"description": "not ours", "metadata": {"owner": "somebody else"}, **same}
    add(world.source, assistant(1, "Ledger Check", **alike), assistant(2, "Clerk", **alike))
    agent(world.target, "ledger-check", **same)
    agent(world.target, "Clerk", **{**same, "instructions": "Add it up."})
    found = world("diff", "source", "target", "--kind", "assistant").ok(1)
    told = [(c["name"], c["paired_by"], c["guessed"], c["paths"]) for c in found["changes"]]
    assert told == [("Clerk", "name", True, ["instructions"])]
    assert [row["reason"] for row in found["ignored"]] == ["names spelled as addresses"]
    assert "(paired by guess: name)" in world.plain("diff", "source", "target", "--kind", "assistant").out


def test_a_deleted_thread_is_reported_where_threads_are_not_listed(launch: Launch) -> None:
    """Ids come from the archive. An id that cannot be read is a gap, not a difference."""
    world = launch(options("SOURCE_KEY", "openai-v2", "openai", downloads=True))
    threads = world.folder / "threads.txt"
    threads.write_text("\n".join(world.source.estate.threads))
    world("snapshot", "source", "-o", world.db, "--threads", str(threads)).ok(0)
    assert world("diff", world.db, "source").ok(0)["compared"]["thread"] == len(world.source.estate.threads)
    gone = first(world.source.estate.threads)
    del world.source.estate.threads[gone]
    found = world("diff", world.db, "source").ok(1)
    assert [(c["kind"], c["left_id"], c["action"]) for c in found["changes"]] == [("thread", gone, "removed")]


def test_a_report_never_takes_the_place_of_an_archive(small: World) -> None:
    small.snapshot()
    small("diff", small.db, "source", "-o", small.db).error(4, "archive")
    assert Path(small.db).read_bytes().startswith(b"SQLite format 3")


@pytest.mark.parametrize("kind", ["thread", "message", "run"])
def test_a_kind_that_a_directory_cannot_hold_is_an_error(small: World, kind: str) -> None:
    folder = str(small.folder / "agents")
    small("export", "source", folder).ok()
    small("diff", folder, "source", "--kind", kind).error(2, f"--kind {kind}", "config directory")


def test_runs_of_a_live_estate_are_not_a_comparison_of_nothing(small: World) -> None:
    small.snapshot()
    small("diff", small.db, "source", "--kind", "run").error(2, "--kind run", "live")
    small.snapshot()
    assert small("diff", f"{small.db}@1", small.db, "--kind", "run").ok()["compared"].keys() == {"run"}
