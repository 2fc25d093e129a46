"""What a rollback could not read is taken neither for missing nor for unchanged: it stops or reports it."""

from __future__ import annotations

from typing import Any

import pytest

from migrate.stages.apply import create
from tests.e2e.conftest import Launch
from tests.e2e.faults import FixedAnswer, LostAnswer, is_create
from tests.e2e.projects import project, say
from tests.e2e.running import World, options
from tests.e2e.small_estate import furnish

Json = dict[str, Any]
ERROR = {"error": {"message": "The server had an error.", "type": "server_error"}}
FOREVER = 10**6


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses before a lost answer is checked."""
    monkeypatch.setattr(create.create_once, "__defaults__", (0.01,))


def gets(part: str, ending: str) -> Any:
    return lambda method, path, query: method == "GET" and part in path and path.endswith(ending)


def arriving(launch: Launch, type_: str, fault: Any, unlisted: bool = False) -> World:
    """An estate with a plan for a target with `fault` in front of it. `unlisted`: it lists no threads."""
    source = options("SOURCE_KEY", list_threads="works", downloads=True)
    target = project("TARGET_KEY") if type_ == "foundry" else options("TARGET_KEY", list_threads="works")
    listing = FixedAnswer(
        gets("/conversations", "/conversations"), last=FOREVER * unlisted, status=404, body=ERROR
    )
    given = {"types": ("azure-openai", type_), "wrap_target": lambda app: fault(listing(app))}
    world = launch(source, target, **given)
    furnish(world.source)
    world.snapshot()
    world.planned()
    return world


def never(fits: Any, status: int = 403) -> FixedAnswer:
    """A fault that is not active before `first` is set to 1."""
    return FixedAnswer(fits, first=FOREVER, last=FOREVER, status=status, body=ERROR)


@pytest.mark.parametrize(
    ("type_", "part", "ending"),
    [("azure-openai", "/threads/", "/messages"), ("foundry", "/conversations/", "/items")],
)
def test_messages_that_cannot_be_read_are_not_taken_for_ours(
    launch: Launch, type_: str, part: str, ending: str
) -> None:
    """Others added messages; the page with them fails."""
    fault = never(gets(part, ending))
    world = arriving(launch, type_, fault)
    world.apply().ok()
    id_ = next(row["target_id"] for row in world("ids", world.db).ok() if row["kind"] == "thread")
    if type_ == "azure-openai":
        say(world.target, id_, "and one more thing")
    counts, asked = dict(world.target.estate.counts()), len(world.target.requests)
    fault.first = 1
    world("rollback", world.plan, "--yes").error(3, "could not be read", "try again")
    assert (world.writes(asked), dict(world.target.estate.counts())) == ([], counts)
    fault.first = FOREVER
    if type_ == "azure-openai":
        world("rollback", world.plan, "--yes").error(4, id_)
    else:
        assert world("rollback", world.plan, "--yes").ok()["gone"] == 0


def test_a_list_of_threads_that_fails_is_no_empty_list(launch: Launch) -> None:
    fault = FixedAnswer(
        lambda method, path, query: method == "GET" and path.endswith("/threads") and "limit=100" in query,
        first=FOREVER, last=FOREVER, status=403, body=ERROR,
    )  # fmt: skip
    world = arriving(launch, "azure-openai", fault)
    world.apply().ok()
    asked = len(world.target.requests)
    fault.first = 1
    world("rollback", world.plan, "--yes").error(3, "could not be read completely")
    assert world.writes(asked) == []
    fault.first = FOREVER
    assert world("rollback", world.plan, "--yes").ok()["gone"] == 0
    assert not world.target.estate.threads


def test_a_conversation_that_does_not_answer_is_not_gone(launch: Launch) -> None:
    def one(method: str, path: str, query: str) -> bool:
        return method == "GET" and "/conversations/conv_" in path and "/items" not in path

    fault = never(one)
    world = arriving(launch, "foundry", fault, unlisted=True)
    world.apply().ok()
    fault.first = 1
    answer = world("rollback", world.plan, "--yes").ok(3)
    assert {row["kind"] for row in answer["failed"]} == {"thread"}
    assert (len(answer["failed"]), answer["gone"]) == (2, 0)
    assert len(world.target.estate.conversations) == 2
    fault.first = FOREVER
    answer = world("rollback", world.plan, "--yes").ok()
    assert (answer["removed"], answer["gone"]) == (2, 0)
    assert not world.target.estate.conversations


def test_what_became_of_a_lost_request_must_be_seen(launch: Launch) -> None:
    """The answer to the creation of a store was lost, and the list that would show it fails."""
    lost = LostAnswer(is_create("/vector_stores"), last=FOREVER)
    hidden = never(lambda method, path, query: method == "GET" and "order=desc" in query)
    world = arriving(launch, "azure-openai", lambda app: hidden(lost(app)))
    hidden.first = 1
    assert world.apply().code == 3
    lost.last = 0
    assert len(world.target.estate.vector_stores) == 1
    world("rollback", world.plan, "--yes").error(3, "vector_store", "same rollback again")
    hidden.first = FOREVER
    world("rollback", world.plan, "--yes").ok()
    assert not world.target.estate.vector_stores


@pytest.mark.slow
def test_a_thread_whose_creation_was_lost_is_reported_where_it_cannot_be_checked(launch: Launch) -> None:
    lost = LostAnswer(is_create("/conversations"), last=FOREVER)
    world = arriving(launch, "foundry", lost, unlisted=True)
    assert world.apply().code == 3
    lost.last = 0
    answer = world("rollback", world.plan, "--yes").ok()
    assert any("thread" in note and "duplicate" in note for note in answer["notes"])


def test_a_plan_is_not_made_while_a_conversation_does_not_answer(launch: Launch) -> None:
    """On a project that does not list them: what was not read would be created a second time."""
    fault = never(lambda method, path, query: method == "GET" and "/conversations/conv_" in path)
    world = arriving(launch, "foundry", fault, unlisted=True)
    world.apply().ok()
    again = ("plan", world.db, "target", "-o", str(world.folder / "again.json"), "--accept-loss", "all")
    fault.first = 1
    world(*again).error(3, "thread conv_", "could not be read", "try again")
    fault.first = FOREVER
    assert world(*again).ok()["actions"]["create"] == 0
