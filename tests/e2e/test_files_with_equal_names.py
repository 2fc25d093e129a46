"""Files of the same name and size after the archive was lost: none is taken for another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from migrate.emulator.uploads import Upload
from tests.e2e.conftest import Launch
from tests.e2e.directories import write
from tests.e2e.faults import FixedAnswer
from tests.e2e.projects import add, assistant, file, project, store
from tests.e2e.running import World, options

Json = dict[str, Any]
ROUTES = {"azure-openai": ("azure-openai", "azure-openai"), "foundry": ("foundry-classic", "foundry")}
SEARCH = {"type": "file_search"}
CODE = {"type": "code_interpreter"}
given = pytest.mark.parametrize("gives", [True, False], ids=["bytes come back", "bytes stay there"])
GIVES, KEEPS = True, False


@pytest.fixture(params=ROUTES)
def route(request: pytest.FixtureRequest) -> tuple[str, str]:
    return ROUTES[request.param]


def world(launch: Launch, route: tuple[str, str], gives: bool, **wraps: Any) -> World:
    source = options("SOURCE_KEY", downloads=True) if route[0] == "azure-openai" else project("SOURCE_KEY")
    azure = route[1] == "azure-openai"
    target = options("TARGET_KEY", downloads=gives) if azure else project("TARGET_KEY", downloads=gives)
    return launch(source, target, types=route, **wraps)


def notes(made: World, *contents: bytes) -> list[str]:
    """Files of one name, on the source."""
    return [file(made.source, number, "notes.md", data) for number, data in enumerate(contents, 1)]


def searched(made: World, number: int, files: list[str]) -> str:
    """A store with these files, and an assistant that searches it."""
    id_ = store(made.source, number, f"papers {number}", files)
    held = {"file_search": {"vector_store_ids": [id_]}}
    add(made.source, assistant(number, f"reader {number}", tools=[SEARCH], tool_resources=held))
    return id_


def move(made: World) -> Json:
    made.snapshot()
    made.planned()
    done: Json = made.apply().ok()
    return done


def lose_archive(made: World) -> None:
    for path in (Path(made.db), Path(made.plan)):
        path.unlink()


def exchange_files(made: World, *ids: str) -> None:
    """Exchange two files of the target, as if they had been uploaded in the other order."""
    held, (one, other) = made.target.estate.content, ids or list(made.target.estate.files)
    held[one], held[other] = held[other], held[one]


def counterparts(made: World) -> dict[str, str]:
    return {r["source_id"]: r["target_id"] for r in made("ids", made.db).ok() if r["kind"] == "file"}


def holds_its_bytes(made: World) -> bool:
    """Whether each file of the source has a counterpart with its own bytes."""
    here, there = made.source.estate.content, made.target.estate.content
    pairs = counterparts(made)
    assert pairs.keys() == set(made.source.estate.files)
    assert len(set(pairs.values())) == len(pairs)
    return all(here[old].read() == there[new].read() for old, new in pairs.items())


def read_back(made: World, asked: int = 0) -> list[str]:
    """Files of the target whose bytes were asked for."""
    paths = [r.path for r in made.target.requests[asked:] if r.path.endswith("/content")]
    return [path.split("/")[-2] for path in paths]


def ambiguous_losses(plan: Json) -> list[str]:
    return [row["id"] for row in plan["losses"] if "none is used" in row["reason"]]


def test_their_bytes_distinguish_them_where_they_can_be_downloaded(
    launch: Launch, route: tuple[str, str]
) -> None:
    made = world(launch, route, GIVES)
    ours = notes(made, b"leaf", b"tree")
    searched(made, 1, [*ours, file(made.source, 9, "other.md", b"stem")])
    move(made)
    alike = [id_ for id_, row in made.target.estate.files.items() if row["filename"] == "notes.md"]
    exchange_files(made, *alike)
    lose_archive(made)
    asked = len(made.target.requests)
    made.snapshot()
    plan = made.planned()
    assert made.writes(asked) == [], "a plan reads"
    assert sorted(read_back(made, asked)) == sorted(alike), "the bytes of no other file are read"
    assert plan["actions"]["create"] == 0
    told = {row["id"]: row["reason"] for row in plan["losses"] if "recognised" in row["reason"]}
    assert {id_ for id_, reason in told.items() if reason.endswith("name and bytes")} == set(ours)
    made.apply().ok()
    assert holds_its_bytes(made)
    assert made("verify", made.plan).ok()["findings"] == []


def test_none_is_taken_for_another_where_the_service_keeps_them(
    launch: Launch, route: tuple[str, str]
) -> None:
    made = world(launch, route, KEEPS)
    ours = notes(made, b"leaf", b"tree")
    searched(made, 1, ours)
    move(made)
    exchange_files(made)
    lose_archive(made)
    made.snapshot()
    plan = made.planned()
    assert sorted(ambiguous_losses(plan)) == sorted(ours)
    made.apply().ok()
    assert holds_its_bytes(made)
    assert len(made.target.estate.files) == 4
    made.snapshot()
    again = made.planned()
    assert (again["actions"]["create"], ambiguous_losses(again)) == (0, [])


@given
def test_the_only_store_with_it_identifies_it(launch: Launch, route: tuple[str, str], gives: bool) -> None:
    made = world(launch, route, gives)
    one, other = notes(made, b"leaf", b"tree")
    searched(made, 1, [other])
    searched(made, 2, [one])
    move(made)
    lose_archive(made)
    made.snapshot()
    plan = made.planned()
    assert (plan["actions"]["create"], ambiguous_losses(plan)) == (0, [])
    made.apply().ok()
    assert holds_its_bytes(made)


def test_its_attributes_in_a_store_identify_it(launch: Launch) -> None:
    made = world(launch, ROUTES["azure-openai"], KEEPS)
    ours = notes(made, b"leaf", b"tree")
    papers = searched(made, 1, ours)
    rows = made.source.estate.vector_store_files[papers]
    for year, id_ in enumerate(ours, 2024):
        rows[id_] = {**rows[id_], "attributes": {"year": year}}
    move(made)
    there = made.target.estate
    exchange_files(made)
    (held,) = there.vector_store_files.values()
    one, two = list(there.files)
    held[one], held[two] = (
        {**held[one], "attributes": held[two]["attributes"]},
        {**held[two], "attributes": held[one]["attributes"]},
    )
    lose_archive(made)
    made.snapshot()
    plan = made.planned()
    assert (plan["actions"]["create"], ambiguous_losses(plan)) == (0, [])
    made.apply().ok()
    assert holds_its_bytes(made)


@given
def test_files_of_the_same_bytes_are_not_made_again(
    launch: Launch, route: tuple[str, str], gives: bool
) -> None:
    """Either can be used for the other one."""
    made = world(launch, route, gives)
    searched(made, 1, notes(made, b"leaf", b"leaf"))
    move(made)
    lose_archive(made)
    made.snapshot()
    assert made.planned()["actions"]["create"] == 0
    made.apply().ok()
    assert holds_its_bytes(made)


def test_a_file_of_others_is_not_taken_for_ours(launch: Launch, route: tuple[str, str]) -> None:
    """One on the source, and two on the target, of which one has other bytes."""
    made = world(launch, route, GIVES)
    ours = notes(made, b"leaf")
    searched(made, 1, [])
    move(made)
    (there,) = made.target.estate.files
    theirs = file(made.target, 8, "notes.md", b"tree")
    lose_archive(made)
    made.snapshot()
    assert made.planned()["actions"]["create"] == 0
    made.apply().ok()
    assert counterparts(made) == {ours[0]: there}
    assert made.target.estate.content[theirs].read() == b"tree"


def test_one_whose_bytes_changed_there_is_made_again(launch: Launch, route: tuple[str, str]) -> None:
    """Its place is no proof if its bytes differ."""
    made = world(launch, route, GIVES)
    one, other = notes(made, b"leaf", b"tree")
    searched(made, 1, [other])
    searched(made, 2, [one])
    move(made)
    changed = Upload()
    changed.write(b"else")
    held, there = made.target.estate.content, counterparts(made)[one]
    held[there].close()
    held[there] = changed
    lose_archive(made)
    made.snapshot()
    plan = made.planned()
    made.apply().ok()
    assert [row["id"] for row in plan["losses"] if "name and bytes" in row["reason"]] == [other]
    assert holds_its_bytes(made)


@pytest.mark.slow
def test_while_the_service_does_not_answer_no_plan_is_made(launch: Launch) -> None:
    silent = FixedAnswer(
        lambda method, path, query: path.endswith("/content"),
        last=10**6,
        body={"error": {"message": "busy"}},
        headers={"retry-after-ms": "1"},
    )
    made = world(launch, ROUTES["azure-openai"], GIVES, wrap_target=silent)
    searched(made, 1, notes(made, b"leaf", b"tree"))
    move(made)
    lose_archive(made)
    made.snapshot()
    made("plan", made.db, "target", "-o", made.plan).error(3, "only their bytes distinguish them")


def test_with_the_journal_no_bytes_are_read(launch: Launch, route: tuple[str, str]) -> None:
    """What was added since is new, however many files of others have the same name."""
    made = world(launch, route, GIVES)
    searched(made, 1, notes(made, b"leaf", b"tree"))
    move(made)
    file(made.source, 7, "notes.md", b"stem")
    file(made.target, 8, "notes.md", b"stem")
    file(made.target, 9, "notes.md", b"root")
    made.snapshot()
    asked = len(made.target.requests)
    plan = made.planned()
    assert (plan["actions"]["create"], ambiguous_losses(plan), read_back(made, asked)) == (1, [], [])


def test_with_an_older_archive_only_those_in_the_same_stores_are_read(
    launch: Launch, route: tuple[str, str]
) -> None:
    """Its journal has some of the moved files; a file in no store is new."""
    made = world(launch, route, GIVES)
    searched(made, 1, [])
    move(made)
    older = Path(made.db).read_bytes()
    ours = notes(made, b"leaf", b"tree")
    searched(made, 2, ours)
    move(made)
    there = list(made.target.estate.files)
    exchange_files(made)
    Path(made.db).write_bytes(older)
    new = file(made.source, 7, "notes.md", b"stem")
    file(made.target, 8, "notes.md", b"stem")
    made.snapshot()
    asked = len(made.target.requests)
    plan = made.planned()
    assert sorted(read_back(made, asked)) == sorted(there)
    assert (plan["actions"]["create"], ambiguous_losses(plan)) == (1, [])
    made.apply().ok()
    assert holds_its_bytes(made)
    assert len(made.target.estate.files) == 4, f"{new} was made"


def directory(made: World) -> str:
    """Two files of one name and size in a directory, one for file search, one for code interpreter."""
    return write(
        made.folder / "agents",
        {
            "assistants/reader.md": "---\nname: reader\nmodel: gpt-4o\ntools:\n  - type: code_interpreter\n"
            "tool_resources:\n  code_interpreter:\n    file_ids: [one, two]\n---\n\nRead.\n",
            "files.yaml": "one:\n  name: notes.md\n  path: docs/one.md\ntwo:\n  name: notes.md\n"
            "  path: docs/two.md\n",
            "docs/one.md": "leaf",
            "docs/two.md": "tree",
        },
    )


@given
def test_files_of_a_directory_are_distinguished_too(launch: Launch, gives: bool) -> None:
    made = world(launch, ROUTES["azure-openai"], gives)
    folder = directory(made)
    made("plan", folder, "target", "-o", made.plan).ok()
    made.apply().ok()
    exchange_files(made)
    for path in (made.plan, str(Path(made.plan).with_suffix(".db"))):
        Path(path).unlink()
    asked = len(made.target.requests)
    plan = made("plan", folder, "target", "-o", made.plan).ok()
    assert made.writes(asked) == []
    assert (plan["actions"]["create"], ambiguous_losses(plan)) == ((0, []) if gives else (2, ["one", "two"]))
    made.apply().ok()
    rows = made("ids", str(Path(made.plan).with_suffix(".db"))).ok()
    held = {
        r["source_id"]: made.target.estate.content[r["target_id"]].read() for r in rows if r["kind"] == "file"
    }
    assert held == {"one": b"leaf", "two": b"tree"}
