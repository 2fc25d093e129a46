"""A service that does not delete, whatever it answers: what stays is reported and not recorded as deleted."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.stages.apply import update
from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer
from tests.e2e.projects import add, assistant, change, file, project, say, store, thread
from tests.e2e.running import World, options
from tests.e2e.small_estate import saved_state, state_changes

Json = dict[str, Any]
ERROR = {"error": {"message": "No such request here.", "type": "invalid_request_error"}}
ANSWERS: dict[str, tuple[int, Any]] = {
    "404": (404, ERROR),
    "405": (405, ERROR),
    "410": (410, ERROR),
    "501": (501, ERROR),
    "400": (400, ERROR),
    "403": (403, ERROR),
    "500": (500, ERROR),
    "204": (204, b""),
    "deleted: false": (200, {"id": "x", "deleted": False}),
    "deleted: true, which is not so": (200, {"id": "x", "deleted": True}),
}
TYPES = ("azure-openai", "foundry-classic", "foundry")
FOREVER = 10**6


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the wait for a list that is not up to date."""
    monkeypatch.setattr(update, "DELETION_LOOK_DELAYS_S", (0.0, 0.0))


def deletions(method: str, path: str, query: str) -> bool:
    return method == "DELETE"


def arrived(launch: Launch, type_: str, fault: FixedAnswer) -> World:
    """A first plan created one object of each kind, a second one appended to the store and the thread and
    changed the assistant. The fault is not active before `first` is set to 1."""
    source = options("SOURCE_KEY", list_threads="works", downloads=True)
    target = options("TARGET_KEY", list_threads="works") if type_ == "azure-openai" else project("TARGET_KEY")
    world = launch(source, target, types=("azure-openai", type_), wrap_target=fault)
    notes = file(world.source, 1, "notes.md", b"remember")
    papers = store(world.source, 1, "papers", [notes])
    add(world.source, assistant(1, "reader"))
    talk = thread(world.source, 1, ["hello"])
    world.snapshot()
    world.planned()
    world.apply().ok()
    change(world.source, assistant(1, "reader")["id"], instructions="Read aloud.")
    more = file(world.source, 2, "more.md", b"more")
    rows = world.source.estate.vector_store_files[papers]
    rows[more] = {**rows[notes], "id": more}
    say(world.source, talk, "good morning")
    say(world.source, talk, "and good night")
    world.snapshot()
    second = str(world.folder / "second.json")
    world("plan", world.db, "target", "-o", second, "--accept-loss", "all").ok()
    world("apply", second, "--yes").ok()
    return world


def failing(status: int, body: Any) -> FixedAnswer:
    return FixedAnswer(deletions, first=FOREVER, last=FOREVER, status=status, body=body)


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("type_", TYPES)
def test_what_cannot_be_deleted_is_reported(launch: Launch, type_: str, answer: str) -> None:
    fault = failing(*ANSWERS[answer])
    world = arrived(launch, type_, fault)
    before = saved_state(world.target.estate)
    fault.first = 1
    second = str(world.folder / "second.json")
    back = world("rollback", second, "--yes").ok(3)
    named = sorted(failure["kind"] for failure in back["failed"])
    expected = ["file", "message", "message", "vector_store_file"]
    if type_ == "foundry":  # a version is rolled back by its deletion
        expected = ["assistant", *expected]
    assert named == expected
    assert back["removed"] == 0
    assert all("still there" in f["reason"] or "not as it was" in f["reason"] for f in back["failed"])
    if type_ == "foundry":
        assert state_changes(before, saved_state(world.target.estate)) == []
    fault.first = FOREVER
    if type_ == "foundry-classic":  # no route deletes its messages, here as on the real service
        again = world("rollback", second, "--yes").ok(3)
        assert [f["kind"] for f in again["failed"]] == ["message", "message"]
        return
    again = world("rollback", second, "--yes").ok()
    assert (again["removed"], again["gone"], again["failed"]) == (len(expected) - (type_ == "foundry"), 0, [])
    fault.first = 1
    first = world("rollback", world.plan, "--yes").ok(3)
    assert sorted(f["kind"] for f in first["failed"]) == ["assistant", "file", "thread", "vector_store"]
    fault.first = FOREVER
    assert world("rollback", world.plan, "--yes").ok()["removed"] == 4
    assert not any(dict(world.target.estate.counts()).values())


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("answer", ["404", "deleted: true, which is not so"])
@pytest.mark.parametrize("type_", ["azure-openai", "foundry"])
def test_a_service_that_shows_no_single_message_is_asked_for_its_list(
    launch: Launch, type_: str, answer: str
) -> None:
    def messages(method: str, path: str, query: str) -> bool:
        parts = path.rstrip("/").split("/")
        return len(parts) > 2 and parts[-2] in ("messages", "items") and method in ("GET", "DELETE")

    status, body = ANSWERS[answer]
    fault = FixedAnswer(messages, first=FOREVER, last=FOREVER, status=status, body=body)
    world = arrived(launch, type_, fault)
    fault.first = 1
    back = world("rollback", str(world.folder / "second.json"), "--yes").ok(3)
    assert [f["kind"] for f in back["failed"]] == ["message", "message"]


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("answer", ["404", "405", "500", "204", "deleted: true, which is not so"])
@pytest.mark.parametrize("type_", ["azure-openai", "foundry"])
def test_what_cannot_be_pruned_is_reported(launch: Launch, type_: str, answer: str) -> None:
    fault = failing(*ANSWERS[answer])
    world = arrived(launch, type_, fault)
    here = world.source.estate
    add(world.source, assistant(2, "stays"))
    for table in (here.assistants, here.threads, here.vector_stores):
        del table[next(iter(table))]
    fault.first = 1
    world.snapshot()
    world.planned("--prune", "--max-delete", "100%")
    before = dict(world.target.estate.counts())
    done = world.apply().ok(3)
    assert sorted(f["kind"] for f in done["failed"]) == ["assistant", "thread", "vector_store"]
    assert done["deleted"] == 0
    after = dict(world.target.estate.counts())
    assert [kind for kind, number in before.items() if after[kind] < number] == []
    fault.first = FOREVER
    assert world.apply().ok()["deleted"] == 3


def test_an_update_that_cannot_be_taken_back_is_reported(launch: Launch) -> None:
    """The same for a change: 404 for the request that restores it does not prove that it was restored."""
    fault = FixedAnswer(
        lambda method, path, query: method == "POST" and "/assistants/" in path,
        first=FOREVER, last=FOREVER, status=404, body=ERROR,
    )  # fmt: skip
    world = arrived(launch, "azure-openai", fault)
    fault.first = 1
    back = world("rollback", str(world.folder / "second.json"), "--yes").ok(3)
    assert [f["kind"] for f in back["failed"]] == ["assistant"]
    assert back["restored"] == 0
