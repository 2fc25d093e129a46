"""Answers about items of a conversation are lost, or apply is killed: nothing is missing or duplicated."""

from __future__ import annotations

import signal

import pytest

from migrate.stages.apply import create
from migrate.stages.apply import threads as sending
from tests.e2e.conftest import Launch
from tests.e2e.faults import (
    Fault,
    FixedAnswer,
    HiddenBehind500,
    LateRequest,
    LostAnswer,
    PartlyDone,
    PartlyRefused,
    RefusedText,
    is_create,
)
from tests.e2e.projects import moved, project, thread
from tests.e2e.running import World
from tests.e2e.test_conversations import counterpart, said, talking, texts
from tests.e2e.test_killed_apply import killed

ERROR = {"error": {"message": "The server had an error.", "type": "server_error"}}


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses before a lost answer is checked."""
    monkeypatch.setattr(create.create_once, "__defaults__", (0.01,))
    monkeypatch.setattr(sending, "FIRST_LOOK_DELAY_S", 0.005)


def any_post(method: str, path: str, query: str) -> bool:
    return method == "POST"


def arrived(made: World, *ids: str) -> None:
    """Every thread is one conversation, every message one item."""
    estate = made.target.estate
    assert len(estate.conversations) == len(ids)
    for id_ in ids:
        there = counterpart(made, id_)
        assert texts(made, there) == said(made, id_)
        rows = [r for r in made("ids", made.db).ok() if r["kind"] == "message"]
        assert {r["target_id"] for r in rows} >= set(estate.items[there])
    assert made("verify", made.plan).ok()["ok"] is True
    assert estate.forbidden_calls == []


@pytest.mark.exhaustive(4)
@pytest.mark.parametrize("nth", [1, 2, 4])
@pytest.mark.parametrize("how", [LostAnswer, HiddenBehind500, PartlyDone, PartlyRefused])
def test_identical_messages_survive_a_lost_answer(launch: Launch, how: type[Fault], nth: int) -> None:
    fault = how(is_create("/items"), first=nth, last=nth)
    made, (id_,) = talking(launch, ["ok"] * 97, wrap_target=fault)
    moved(made)
    assert fault.spoiled
    arrived(made, id_)


@pytest.mark.parametrize("how", [LostAnswer, HiddenBehind500])
def test_one_answer_after_the_other_is_lost(launch: Launch, how: type[Fault]) -> None:
    fault = how(is_create("/items"), last=10**6)
    made, ids = talking(launch, ["ok"] * 65, ["ok", "ok", "ok"], ["ok"] * 21, wrap_target=fault)
    moved(made)
    assert len(fault.spoiled) == 4
    arrived(made, *ids)


@pytest.mark.parametrize("how", [LostAnswer, HiddenBehind500])
def test_the_answer_to_a_conversations_making_is_lost(launch: Launch, how: type[Fault]) -> None:
    fault = how(is_create("/conversations"))
    made, ids = talking(launch, ["ok", "ok", "ok"], ["ok", "ok", "ok"], ["ok"] * 30, wrap_target=fault)
    moved(made)
    assert fault.spoiled
    arrived(made, *ids)


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("ending", ["/items", "/conversations"])
@pytest.mark.parametrize("status", [500, 429])
def test_a_request_that_never_arrived_is_sent_again(launch: Launch, ending: str, status: int) -> None:
    fault = FixedAnswer(is_create(ending), last=2, status=status, body=ERROR, headers={"retry-after-ms": "1"})
    made, ids = talking(launch, ["ok"] * 45, wrap_target=fault)
    moved(made)
    assert len(fault.spoiled) == 2
    arrived(made, *ids)


def test_a_service_that_stays_away_is_waited_for_by_the_next_apply(launch: Launch) -> None:
    fault = FixedAnswer(is_create("/items"), first=2, last=10**6, status=500, body=ERROR)
    made, ids = talking(launch, ["ok"] * 65, ["a", "b"], wrap_target=fault)
    answer = moved(made, code=3)
    assert ids[0] in [row["id"] for row in answer["failed"]]
    assert ids[1] not in [row["id"] for row in answer["failed"]]
    assert len(texts(made, counterpart(made, ids[0]))) == 40
    fault.last = 0
    assert made.apply().code == 0
    arrived(made, *ids)


@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("place", [0, 7, 19, 20, 33, 44])
def test_a_refused_item_is_reported_and_earlier_ones_arrive(launch: Launch, place: int) -> None:
    fault = RefusedText(any_post, last=10**6, word=b"forbidden")
    said_ = ["forbidden" if n == place else "ok" for n in range(45)]
    made, ids = talking(launch, said_, ["a"], wrap_target=fault)
    failed = {row["id"]: row["reason"] for row in moved(made, code=3)["failed"]}
    message = list(made.source.estate.messages[ids[0]])[place]
    assert failed.keys() == {message, ids[0]}
    assert "Not this one." in failed[message]
    assert "--exclude" in failed[ids[0]]
    assert len(texts(made, counterpart(made, ids[0]))) == place
    fault.last = 0
    assert made.apply().code == 0
    arrived(made, *ids)


@pytest.mark.exhaustive(2)
@pytest.mark.parametrize("looks", [0, 1])
@pytest.mark.parametrize("ending", ["/items", "/conversations"])
def test_a_gateway_gives_up_while_the_service_is_still_at_work(
    launch: Launch, monkeypatch: pytest.MonkeyPatch, ending: str, looks: int
) -> None:
    monkeypatch.setattr(create, "GATEWAY_LOOK_DELAYS_S", (0.01, 0.01, 0.01))
    monkeypatch.setattr(sending, "GATEWAY_LOOK_DELAYS_S", (0.01, 0.01, 0.01))
    fault = LateRequest(is_create(ending), looks=looks)
    made, ids = talking(launch, ["ok"] * 65, wrap_target=fault)
    moved(made)
    assert fault.spoiled
    assert not fault.waiting
    arrived(made, *ids)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "moments"),
    [(signal.SIGKILL, (2, 9)), (signal.SIGINT, (6,))],
    ids=["killed twice", "Ctrl-C"],
)
def test_an_apply_that_was_stopped_in_mid_conversation_goes_on(
    launch: Launch, how: signal.Signals, moments: tuple[int, ...]
) -> None:
    made, ids = talking(launch, ["ok"] * 97, ["yes"] * 61, target=project("TARGET_KEY", latency=0.1))
    ids.append(thread(made.source, 9, [f"{n}" for n in range(85)]))
    made.snapshot()
    made.planned()
    for moment in moments:
        assert killed(made, moment, how) == (-signal.SIGKILL if how is signal.SIGKILL else 3)
    assert sum(map(len, made.target.estate.items.values())) < 97 + 61 + 85, "it was stopped too late"
    assert made.apply().code == 0
    arrived(made, *ids)
