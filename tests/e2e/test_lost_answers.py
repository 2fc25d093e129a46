"""A creating request is carried out and its answer is lost: nothing is created twice, nothing is missing."""

from __future__ import annotations

import time

import pytest

from migrate.stages.apply import create
from tests.e2e.conftest import Launch
from tests.e2e.estate_comparison import differences, refused_files
from tests.e2e.faults import Fault, FixedAnswer, HiddenBehind500, LostAnswer, Match, is_create
from tests.e2e.running import World, options

LISTINGS = ["/files", "/vector_stores", "/file_batches", "/assistants", "/threads", "/messages"]


def arrived_once(world: World, code: int = 0) -> None:
    """Check that the target has exactly the content of the source, and that verify agrees."""
    here, there = dict(world.source.estate.counts()), dict(world.target.estate.counts())
    for kind in ("run", "run_step"):
        here.pop(kind), there.pop(kind)
    assert there == here
    ids = world("ids", world.db).ok()
    losses = world("plan", world.db, "target", "-o", str(world.folder / "after.json"), "--accept-loss", "all")
    assert list(differences(world, ids, losses.ok()["losses"])) == []
    verified = world("verify", world.plan).json
    assert {f["source_id"] for f in verified["findings"]} == refused_files(world), verified["findings"]


def with_fault(launch: Launch, fault: Fault, state: str = "openai-v2", service: str = "openai") -> World:
    source = options("SOURCE_KEY", state, service, list_threads="works", downloads=True)
    target = options("TARGET_KEY", service=service, list_threads="works", downloads=True)
    world = launch(source, target, wrap_target=fault)
    world.snapshot()
    world.planned()
    return world


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pause before a lost answer is checked."""
    monkeypatch.setattr(create.create_once, "__defaults__", (0.01,))


@pytest.mark.exhaustive(6)
@pytest.mark.parametrize("kind", LISTINGS)
@pytest.mark.parametrize(("how", "nth"), [(LostAnswer, 1), (LostAnswer, 2), (HiddenBehind500, 2)])
def test_a_lost_answer(launch: Launch, how: type[Fault], kind: str, nth: int) -> None:
    fault = how(is_create(kind), first=nth, last=nth)
    # Only the larger estate has a thread that needs two requests, and files for two batches.
    big = kind in ("/messages", "/file_batches")
    world = with_fault(launch, fault, *(("azure-v2", "azure-openai") if big else ()))
    said = world.apply()
    assert fault.spoiled, f"there is no POST number {nth} of {kind} in this flow"
    assert said.code in (0, 3), said.err
    assert "Traceback" not in said.err
    arrived_once(world)


@pytest.mark.slow
@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("kind", LISTINGS[:5])
def test_answers_lost_until_apply_gives_up_are_found_by_the_next_apply(launch: Launch, kind: str) -> None:
    fault = FixedAnswer(is_create(kind), last=10**6, status=500, body={"error": {"message": "down"}})
    world = with_fault(launch, fault)
    assert world.apply().ok(3)["failed"]
    fault.last = 0
    again = world.apply()
    assert again.code == 0, again.out
    arrived_once(world)


def test_a_missing_listing_of_threads_is_reported_when_an_answer_is_lost(launch: Launch) -> None:
    fault = LostAnswer(is_create("/threads"))
    source = options("SOURCE_KEY", "openai-v2", "openai", list_threads="works", downloads=True)
    world = launch(source, options("TARGET_KEY", service="openai", downloads=True), wrap_target=fault)
    world.snapshot()
    world.planned()
    answer = world.apply().ok()
    assert any("duplicate" in note for note in answer["notes"])
    assert len(world.target.estate.threads) == len(world.source.estate.threads) + 1


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize(
    ("fits", "first"),
    [
        (lambda method, path, query: True, 12),
        (is_create("/assistants"), 1),
        (is_create("/files"), 2),
        (is_create("/threads"), 1),
    ],
    ids=["reading", "assistants", "files", "threads"],
)
def test_too_many_requests_are_waited_for(launch: Launch, fits: Match, first: int) -> None:
    busy = {"error": {"message": "Too many requests", "code": "429"}}
    fault = FixedAnswer(
        fits, first=first, last=first + 4, status=429, body=busy, headers={"retry-after-ms": "50"}
    )
    world = with_fault(launch, fault)
    started = time.monotonic()
    assert world.apply().code == 0
    assert len(fault.spoiled) == 5
    assert time.monotonic() - started >= 0.05
    arrived_once(world)


@pytest.mark.parametrize("status", [400, 403])
def test_a_refused_object_is_reported_and_the_rest_arrives(launch: Launch, status: int) -> None:
    refusal = {"error": {"message": "Not this one.", "code": "no"}}
    world = with_fault(launch, FixedAnswer(is_create("/assistants"), status=status, body=refusal))
    answer = world.apply().ok(3)
    assert [f["kind"] for f in answer["failed"]] == ["assistant"]
    assert "Not this one." in answer["failed"][0]["reason"]
    assert len(world.target.estate.assistants) == len(world.source.estate.assistants) - 1
    assert world.apply().code == 0
    arrived_once(world)
