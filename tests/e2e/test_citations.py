"""Citations that are moved to a project: one request shows whether it accepts them; no loss is silent."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from migrate.archive.database import Archive
from migrate.archive.journal import CITATIONS_DROPPED, CITATIONS_REFUSED, CITATIONS_TAKEN
from migrate.model.results.plan import TargetSettings
from migrate.stages.plan import target_settings
from tests.e2e.conftest import Launch
from tests.e2e.faults import HiddenBehind500, LostAnswer
from tests.e2e.fork_server import ForkServer, KillPoint
from tests.e2e.projects import file, moved, project, say, thread
from tests.e2e.running import World
from tests.e2e.small_estate import restore_state, saved_state
from tests.e2e.test_items_of_runs import CONVERSATION, message, there, write
from tests.sample import sample

Json = dict[str, Any]
FAULTS = {
    CITATIONS_TAKEN: "",
    CITATIONS_REFUSED: '[[fault]]\nwhat = "refuse-citations"\n',
    CITATIONS_DROPPED: '[[fault]]\nwhat = "drop-citations"\n',
}
NOT_TAKEN = (CITATIONS_REFUSED, CITATIONS_DROPPED)
THREADS = 6
# Size of the sample of requests at which the program is killed.
KILLS = 6


@dataclass
class CitingRequests:
    """Records requests with citations, and the number of concurrent requests with and without them."""

    paths: list[str] = field(default_factory=list)
    under_way: int = 0
    at_once: list[int] = field(default_factory=list)

    def __call__(self, app: Any) -> Any:
        async def wrapped(scope: Any, receive: Any, send: Any) -> None:
            messages = [await receive()]
            while messages[-1].get("more_body"):
                messages.append(await receive())
            rest = iter(messages)

            async def replay() -> Any:
                message = next(rest, None)
                return await receive() if message is None else message

            is_citing = b"_citation" in b"".join(m.get("body", b"") for m in messages)
            if is_citing:
                self.paths.append(scope["path"])
                self.under_way += 1
                self.at_once.append(self.under_way)
            try:
                await app(scope, replay, send)
            finally:
                self.under_way -= is_citing

        return wrapped


def citing(file_id: str) -> list[Json]:
    """The content of an answer that cites a file twice: a passage, and a path."""
    passage = {"type": "file_citation", "text": "[1]", "start_index": 0, "end_index": 3}
    path = {"type": "file_path", "text": "sandbox:/b", "start_index": 8, "end_index": 18}
    notes = [
        {**passage, "file_citation": {"file_id": file_id, "quote": "so"}},
        {**path, "file_path": {"file_id": file_id}},
    ]
    return [{"type": "text", "text": {"value": "[1] and sandbox:/b", "annotations": notes}}]


def furnish(world: World, threads: int = THREADS) -> str:
    """Add threads whose second message cites a file; returns its id."""
    notes = file(world.source, 1, "notes.md", b"remember")
    for number in range(1, threads + 1):
        talk = thread(world.source, number, ["where is it?"])
        say(world.source, talk, "", content=citing(notes))
        say(world.source, talk, f"thank you, {number}")
        say(world.source, talk, "", content=citing(notes))
    return notes


def faults_file(folder: Path, text: str) -> Path | None:
    if not text:
        return None
    path = folder / "faults.toml"
    path.write_text(text, encoding="utf-8")
    return path


def to_project(launch: Launch, folder: Path, faults: str = "", **others: Any) -> World:
    """Classic agents and a target project that treats citations in this way."""
    target = project("TARGET_KEY", faults=faults_file(folder, faults), **others.pop("target", {}))
    return launch(project("SOURCE_KEY"), target, types=("foundry-classic", "foundry"), **others)


def stored(world: World) -> list[list[list[Json]]]:
    """The annotations on the target: for each conversation, of each of its answers."""
    return [
        [row["content"][0]["annotations"] for row in table.values() if row["role"] == "assistant"]
        for table in world.target.estate.items.values()
    ]


def expected(world: World, notes: str) -> list[Json]:
    """The annotations of an answer that cites a file, as a project shows them."""
    (row,) = world("ids", world.db, notes).ok()
    return [
        {"type": "file_citation", "file_id": row["target_id"], "index": 0, "filename": "notes.md"},
        {"type": "file_path", "file_id": row["target_id"], "index": 8},
    ]


def answers_in_journal(world: World) -> list[str]:
    """The rows about citations in the journal, of all applies."""
    with Archive.open(Path(world.db)) as archive:
        rows = archive.conn.execute("SELECT written FROM journal WHERE action = 'citations' ORDER BY id")
        return [row[0] for row in rows.fetchall()]


def test_what_is_tried_is_in_the_assessment_and_in_the_plan(launch: Launch, tmp_path: Path) -> None:
    world = to_project(launch, tmp_path)
    furnish(world, 1)
    world.snapshot()
    for losses in (world("assess", world.db, "--to", "foundry").ok()["losses"], world.planned()["losses"]):
        rows = [row for row in losses if row["field"] == "content.text.annotations"]
        assert [row["grade"] for row in rows] == ["adapted"] * 2
        assert all("tried at apply" in row["reason"] and row["way_out"] for row in rows)


def test_a_plan_of_an_earlier_version_writes_none(
    launch: Launch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It reported all of them as lost, and that was reviewed."""

    def earlier_settings(**given: Any) -> TargetSettings:
        return TargetSettings(**{**given, "citations": False})

    monkeypatch.setattr(target_settings, "TargetSettings", earlier_settings)
    seen = CitingRequests()
    world = to_project(launch, tmp_path, wrap_target=seen)
    furnish(world, 2)
    world.snapshot()
    losses = world.planned()["losses"]
    assert {row["grade"] for row in losses if row["field"] == "content.text.annotations"} == {"lost"}
    assert world.apply().ok()["lost_citations"] == 0
    assert (seen.paths, answers_in_journal(world)) == ([], [])
    assert stored(world) == [[[], []]] * 2
    assert world("verify", world.plan).ok()["findings"] == []
    monkeypatch.undo()
    assert moved(world)["created"] == 0, "what arrived without them stays"


def test_citations_that_are_taken_name_the_new_file(launch: Launch, tmp_path: Path) -> None:
    world = to_project(launch, tmp_path)
    notes = furnish(world)
    applied = moved(world)
    assert (applied["notes"], applied["lost_citations"]) == ([], 0)
    assert stored(world) == [[expected(world, notes)] * 2] * THREADS
    assert answers_in_journal(world) == [CITATIONS_TAKEN]
    verified = world("verify", world.plan).ok()
    assert (verified["findings"], verified["notes"]) == ([], [])
    before = len(world.target.requests)
    assert moved(world)["created"] == 0
    assert world.writes(before) == []
    assert world("verify", world.plan).ok()["findings"] == []


@pytest.mark.parametrize("left", [0, 1])
def test_a_citation_that_is_gone_later_is_found_by_verify(launch: Launch, tmp_path: Path, left: int) -> None:
    world = to_project(launch, tmp_path)
    furnish(world)
    moved(world)
    items = next(iter(world.target.estate.items.values())).values()
    item = next(row for row in items if row["role"] == "assistant")
    del item["content"][0]["annotations"][left:]
    findings = world("verify", world.plan).ok(1)["findings"]
    assert len(findings) == 1
    assert "annotations" in findings[0]["path"]


@pytest.mark.parametrize("answer", NOT_TAKEN)
def test_citations_that_are_not_taken_are_sent_once_and_reported(
    launch: Launch, tmp_path: Path, answer: str
) -> None:
    seen = CitingRequests()
    world = to_project(launch, tmp_path, FAULTS[answer], wrap_target=seen, target={"latency": 0.005})
    furnish(world)
    applied = moved(world)
    assert len(seen.paths) == 1
    assert seen.paths[0].endswith("/items"), "it is alone in its request"
    assert stored(world) == [[[], []]] * THREADS
    assert applied["lost_citations"] == 4 * THREADS
    assert f"{4 * THREADS} citation(s) in {2 * THREADS} message(s) are not on the target" in str(
        applied["notes"]
    )
    assert answers_in_journal(world) == [answer]
    verified = world("verify", world.plan).ok()
    assert verified["findings"] == []
    assert "without their citations" in str(verified["notes"])
    before = len(world.target.requests)
    assert moved(world)["created"] == 0
    assert world.writes(before) == []
    assert world("verify", world.plan).ok()["findings"] == []
    assert len(seen.paths) == 1


def test_the_first_request_with_citations_is_alone_among_the_workers(launch: Launch, tmp_path: Path) -> None:
    seen = CitingRequests()
    world = to_project(launch, tmp_path, wrap_target=seen, target={"latency": 0.02})
    furnish(world)
    moved(world)
    assert len(seen.paths) > 2
    assert seen.at_once[:2] == [1, 1]
    assert max(seen.at_once) > 1, "the others are sent side by side"


@pytest.mark.parametrize("status", [413, 422])
def test_another_refusal_settles_nothing(launch: Launch, tmp_path: Path, status: int) -> None:
    """Only one message arrives without its citations; verify reports it."""
    fault = f'[[fault]]\nwhat = "error"\nstatus = {status}\nmethod = "POST"\npath = "*/items"\nnth = 1\n'
    world = to_project(launch, tmp_path, fault)
    notes = furnish(world, 2)
    world.snapshot()
    world.planned()
    applied = world("apply", world.plan, "--yes", "--workers", "1").ok()
    assert stored(world) == [[[], expected(world, notes)], [expected(world, notes)] * 2]
    assert answers_in_journal(world) == [CITATIONS_TAKEN]
    assert applied["lost_citations"] == 2
    assert len(world("verify", world.plan).ok(1)["findings"]) > 0


def test_a_message_that_is_refused_in_every_form_settles_nothing(launch: Launch, tmp_path: Path) -> None:
    fault = '[[fault]]\nwhat = "error"\nstatus = 400\nmethod = "POST"\npath = "*/items"\nnth = [1, 2]\n'
    world = to_project(launch, tmp_path, fault)
    notes = furnish(world, 2)
    world.snapshot()
    world.planned()
    applied = world("apply", world.plan, "--yes", "--workers", "1").ok(3)
    assert "message" in [row["kind"] for row in applied["failed"]]
    assert stored(world) == [[], [expected(world, notes)] * 2]
    assert answers_in_journal(world) == [CITATIONS_TAKEN]
    assert world("apply", world.plan, "--yes").ok()["failed"] == []
    assert stored(world) == [[expected(world, notes)] * 2] * 2
    assert world("verify", world.plan).ok()["findings"] == []


@pytest.mark.parametrize("answer", FAULTS)
@pytest.mark.parametrize("spoiler", [LostAnswer, HiddenBehind500])
def test_a_probe_whose_answer_is_lost_is_read_back(
    launch: Launch, tmp_path: Path, answer: str, spoiler: type[LostAnswer]
) -> None:
    lost = spoiler(lambda method, path, query: method == "POST" and path.endswith("/items"))
    world = to_project(launch, tmp_path, FAULTS[answer], wrap_target=lost)
    notes = furnish(world, 1)
    moved(world)
    assert lost.spoiled
    assert answers_in_journal(world) == [answer]
    assert stored(world) == [[[], []] if answer in NOT_TAKEN else [expected(world, notes)] * 2]
    assert world("verify", world.plan).ok()["findings"] == []


def test_a_cited_file_that_cannot_be_created_does_not_stop_the_thread(launch: Launch, tmp_path: Path) -> None:
    fault = '[[fault]]\nwhat = "error"\nstatus = 400\nmethod = "POST"\npath = "*/files"\n'
    world = to_project(launch, tmp_path, fault)
    furnish(world, 1)
    applied = moved(world, code=3)
    assert [row["kind"] for row in applied["failed"]] == ["file"]
    assert "arrives without its citations" in str(applied["notes"])
    assert stored(world) == [[[], []]]


@pytest.mark.parametrize(
    "faults", ["", '[[fault]]\nwhat = "refuse-unseen-forms"\n'], ids=["taken", "refused"]
)
def test_between_projects_they_go_with_other_forms_that_were_never_seen(
    launch: Launch, tmp_path: Path, faults: str
) -> None:
    target = project("TARGET_KEY", faults=faults_file(tmp_path, faults))
    world = launch(project("SOURCE_KEY"), target, types=("foundry", "foundry"))
    row = {"id": CONVERSATION, "object": "conversation", "created_at": 1, "metadata": {}}
    world.source.estate.conversations[CONVERSATION] = row
    notes = file(world.source, 1, "notes.md", b"remember")
    answer = {**message("It says so.", "assistant"), "phase": "final_answer"}
    answer["content"][0]["annotations"] = [
        {"type": "file_citation", "file_id": notes, "index": 3, "filename": "notes.md"}
    ]
    write(world, message("Where?"), answer, message("And?"), answer)
    assert moved(world)["failed"] == []
    rows = [item for item in there(world) if item["role"] == "assistant"]
    (new,) = world("ids", world.db, notes).ok()
    cited = {**answer["content"][0]["annotations"][0], "file_id": new["target_id"]}
    wanted = ([], None) if faults else ([cited], "final_answer")
    assert [(item["content"][0]["annotations"], item.get("phase")) for item in rows] == [wanted] * 2
    assert answers_in_journal(world) == [CITATIONS_REFUSED if faults else CITATIONS_TAKEN]
    assert world("verify", world.plan).ok()["findings"] == []
    first = Path(world.plan).read_bytes()
    assert moved(world)["created"] == 0
    Path(world.plan).write_bytes(first)
    world("rollback", world.plan, "--yes").ok()
    assert world.target.estate.counts()["conversation"] == 0


@pytest.mark.slow
@pytest.mark.exhaustive(3)
@pytest.mark.parametrize("answer", FAULTS)
def test_an_apply_that_is_killed_keeps_the_answer(launch: Launch, tmp_path: Path, answer: str) -> None:
    moment, seen = KillPoint(lambda method, path, query: method != "GET"), CitingRequests()
    world = to_project(launch, tmp_path, FAULTS[answer], wrap_target=lambda app: seen(moment(app)))
    notes = furnish(world, 2)
    world.snapshot()
    world.planned()
    before, archive = saved_state(world.target.estate), Path(world.db).read_bytes()
    command = ("apply", world.plan, "--yes", "--workers", "1")
    moment.set(0)
    world(*command).ok()
    wanted, asked = stored(world), list(moment.asked)
    assert wanted == [[[], []] if answer in NOT_TAKEN else [expected(world, notes)] * 2] * 2
    with ForkServer(world.env, tmp_path / "killed.log") as spare:
        for at, done in sample(
            [(at, done) for at in range(1, len(asked) + 1) for done in (True, False)], KILLS
        ):
            restore_state(world.target.estate, before)
            for left in world.folder.glob("estate.db?*"):
                left.unlink()
            Path(world.db).write_bytes(archive)
            moment.set(at, done)
            spare.killed(moment, *command, "--config", str(world.config), "--quiet")
            moment.set(0)
            settled, sent = answers_in_journal(world), len(seen.paths)
            applied = world(*command).ok()
            assert applied["failed"] == [], (at, done)
            counts = [[len(row) for row in rows] for rows in stored(world)]
            assert counts == [[0 if answer in NOT_TAKEN else 2] * 2] * 2, (at, done)
            assert world.target.estate.counts()["item"] == 8, (at, done)
            assert answers_in_journal(world) == [answer], (at, done)
            assert world("verify", world.plan).ok()["findings"] == [], (at, done)
            if settled and answer in NOT_TAKEN:
                assert len(seen.paths) == sent, "what is settled is not tried again"


@pytest.mark.parametrize("answer", FAULTS)
def test_a_rollback_takes_back_what_was_written_with_citations(
    launch: Launch, tmp_path: Path, answer: str
) -> None:
    world = to_project(launch, tmp_path, FAULTS[answer])
    furnish(world)
    before = saved_state(world.target.estate)
    moved(world)
    world("rollback", world.plan, "--yes").ok()
    assert saved_state(world.target.estate)["conversations"] == before["conversations"] == {}
    assert world("check", world.db).ok()["ok"] is True
