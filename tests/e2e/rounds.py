"""The same move several times: a small estate with every kind, its routes, and the check that a further round
changes nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

from migrate.emulator import Emulator, Options
from tests.e2e.projects import EPOCH, agent, assistant, file, say, store, thread
from tests.e2e.running import ENTRY, PROJECTS, World, options, world
from tests.e2e.small_estate import FULL, converse

Json = dict[str, Any]
TYPES = ("azure-openai", "openai", "foundry-classic", "foundry")
SEARCH, CODE = {"type": "file_search"}, {"type": "code_interpreter"}
FUNCTION = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather.",
        "strict": True,
        "parameters": {"type": "object", "properties": {}, "additionalProperties": False},
    },
}


@dataclass(frozen=True)
class Route:
    """From one type of service to another. `shared`: both are APIs of one project. `sync`: rounds are made
    by sync, else by snapshot, plan, apply and verify."""

    source: str
    target: str
    shared: bool = False
    sync: bool = False
    copy_files: bool = False

    @property
    def id(self) -> str:
        """For the list of tests."""
        words = [f"{self.source} to {self.target}", "one project" if self.shared else "two places"]
        words += ["sync"] if self.sync else []
        return ", ".join(words + (["--copy-files"] if self.copy_files else []))

    def ends(self) -> tuple[Options, Options]:
        """Options of both services; the same ones twice if it is one service."""
        one = service("SOURCE_KEY", self.source)
        return one, one if self.shared else service("TARGET_KEY", self.target)


def service(key: str, type_: str) -> Options:
    """Options of an emulated service of a type that lists threads and allows downloads."""
    service = "foundry" if type_ in PROJECTS else type_
    others: Json = {"deployments": ("gpt-4o", "gpt-4.1")} if service == "foundry" else {}
    return options(key, service=service, list_threads="works", downloads=True, **others)


def _routes() -> Iterator[Route]:
    """Every ordered pair of two resources, and pairs within one project with all options."""
    for number, (source, target) in enumerate(product(TYPES, TYPES)):
        yield Route(source, target, sync=bool((number + number // 4) % 2))
    for pair, sync, copy in product((PROJECTS, PROJECTS[::-1]), (False, True), (False, True)):
        yield Route(*pair, shared=True, sync=sync, copy_files=copy)


ROUTES = tuple(_routes())


def furnish(cloud: Emulator, type_: str) -> None:
    """Add an object of every kind, none of which is blocked."""
    if type_ == "foundry":
        _furnish_new(cloud)
    else:
        _furnish_old(cloud, type_)


def _files(cloud: Emulator) -> tuple[str, ...]:
    rows = (("notes.md", "assistants"), ("guide.md", "assistants"), ("sales.csv", "assistants"),
            ("chart.png", "assistants_output"), ("photo.png", "vision"), ("twin.md", "assistants"),
            ("twin.md", "assistants"))  # fmt: skip
    ids = []
    for number, (name, purpose) in enumerate(rows, 1):
        id_ = file(cloud, number, name, b"%010d" % number)
        cloud.estate.files[id_]["purpose"] = purpose
        ids.append(id_)
    return tuple(ids)


def _furnish_old(cloud: Emulator, type_: str) -> None:
    notes, guide, sales, chart, photo, *twins = _files(cloud)
    papers = store(cloud, 1, "papers", [notes, guide, *twins], metadata={"shelf": "3"})
    dead = store(cloud, 2, "dead", [notes], status="expired")
    own = store(cloud, 3, None, [guide])
    if type_ != "foundry-classic":
        cloud.estate.vector_store_files[papers][notes]["attributes"] = {"year": 2020}
    held = {"file_search": {"vector_store_ids": [papers]}}
    code = {"code_interpreter": {"file_ids": [sales]}}
    rows = [
        assistant(1, "reader", tools=[SEARCH], tool_resources=held, metadata={"team": "a"}),
        assistant(2, "clerk", tools=[CODE, FUNCTION], tool_resources=code, metadata=FULL, temperature=0.5),
        assistant(3, None, instructions="", description="Nobody."),
        assistant(4, "clerk", tools=[], top_p=0.5),
    ]
    if type_ == "foundry-classic":
        link = {
            "type": "connected_agent",
            "connected_agent": {"id": rows[0]["id"], "name": "reader", "description": "Reads."},
        }
        rows.append(assistant(5, "chief", tools=[link]))
    for row in rows:
        cloud.estate.assistants[row["id"]] = row
    talk = thread(
        cloud,
        1,
        ["hello", "good morning"],
        metadata={"who": "Ada"},
        tool_resources={**code, "file_search": {"vector_store_ids": [own]}},
    )
    say(cloud, talk, "look at this", attachments=[{"file_id": sales, "tools": [CODE]}], metadata={"n": "1"})
    note = {
        "type": "file_citation",
        "text": "[1]",
        "start_index": 0,
        "end_index": 3,
        "file_citation": {"file_id": notes},
    }
    say(
        cloud,
        talk,
        "",
        content=[
            {"type": "text", "text": {"value": "[1] says so", "annotations": [note]}},
            {"type": "image_file", "image_file": {"file_id": chart, "detail": "auto"}},
        ],
    )
    say(
        cloud,
        talk,
        "",
        content=[
            {"type": "text", "text": {"value": "this?", "annotations": []}},
            {"type": "image_file", "image_file": {"file_id": photo, "detail": "low"}},
        ],
    )
    thread(cloud, 2, [f"number {n // 3}" for n in range(40)], metadata=FULL)
    thread(cloud, 3, [])
    thread(cloud, 4, ["and this"], tool_resources={"file_search": {"vector_store_ids": [dead]}})
    _run(cloud, talk)


def _run(cloud: Emulator, thread_id: str) -> None:
    run = {
        "id": "run_000000000000000000000001", "object": "thread.run", "created_at": EPOCH + 1,
        "thread_id": thread_id, "assistant_id": next(iter(cloud.estate.assistants)), "status": "completed",
        "model": "gpt-4o", "instructions": "", "tools": [], "metadata": {},
    }  # fmt: skip
    cloud.estate.runs[thread_id][run["id"]] = run


def _furnish_new(cloud: Emulator) -> None:
    notes, guide, sales, _, photo, *twins = _files(cloud)
    papers = store(cloud, 1, "papers", [notes, guide, *twins], metadata={"shelf": "3"})
    store(cloud, 2, "dead", [notes], status="expired")
    agent(cloud, "reader", tools=[{"type": "file_search", "vector_store_ids": [papers]}])
    agent(
        cloud,
        "clerk",
        temperature=0.5,
        tools=[
            {"type": "code_interpreter", "container": {"type": "auto", "file_ids": [sales]}},
            {"type": "function", **FUNCTION["function"]},
        ],
    )
    agent(cloud, "plain", instructions=None)
    cloud.estate.agents["plain"]["versions"]["latest"]["metadata"] = dict(FULL)
    converse(cloud, 1, ["hello", "good morning"])
    other = converse(cloud, 2, [f"number {n // 3}" for n in range(41)])
    cloud.estate.conversations[other]["metadata"] = {**FULL}
    picture = converse(cloud, 3, ["look"])
    items = list(cloud.estate.items[picture].values())
    items[0]["content"].append({"type": "input_image", "file_id": photo, "detail": "low"})
    converse(cloud, 4, [])


@contextmanager
def chain(folder: Path, first: str) -> Iterator[World]:
    """An estate `first`, and a project with its two generations, `old` and `new`."""
    with Emulator(service("SOURCE_KEY", first)) as one, Emulator(service("TARGET_KEY", "foundry")) as other:
        made = World(folder, one, other, (first, "foundry"))
        furnish(one, first)
        places = {
            "first": (first, one.url, "SOURCE_KEY"),
            "old": ("foundry-classic", other.url, "TARGET_KEY"),
            "new": ("foundry", other.url, "TARGET_KEY"),
        }
        texts = []
        for name, (type_, url, variable) in places.items():
            auth = "token" if type_ in PROJECTS else "key"
            texts.append(
                ENTRY.format(name=name, type=type_, url=url, version="", auth=auth, variable=variable)
            )
        made.config.write_text("\n".join(texts), encoding="utf-8")
        yield made


def move(made: World, source: str, target: str, *more: str) -> Json:
    """Snapshot, plan, apply and verify with one archive; returns the plan after checking all results."""
    number = made("snapshot", source, "-o", made.db).ok()["snapshot"]
    plan = str(made.folder / f"plan{number}.json")
    planned: Json = made(
        "plan", f"{made.db}@{number}", target, "-o", plan, "--accept-loss", "all", *more
    ).ok()
    applied = made("apply", plan, "--yes")
    assert applied.code == 0, applied.json["failed"]
    verified = made("verify", plan)
    assert verified.code == 0, verified.json["findings"]
    return planned


def run(route: Route, folder: Path, rounds: int = 4) -> list[str]:
    """Everything that is wrong with the rounds, as texts."""
    source, target = route.ends()
    wrong: list[str] = []
    with world(folder, source, target, types=(route.source, route.target)) as made:
        furnish(made.source, route.source)
        made.begin()
        for number in range(1, rounds + 1):
            before = len(made.target.requests)
            wrong += [f"round {number}: {line}" for line in _round(made, route, number)]
            if number > 1 and (asked := made.writes(before)):
                wrong.append(f"round {number} wrote {asked[:5]} ({len(asked)})")
    return wrong


def _round(made: World, route: Route, number: int) -> Iterator[str]:
    more = ["--accept-loss", "all"] if number == 1 else []  # later, all losses are known
    more += ["--copy-files"] if route.copy_files else []
    if route.sync:
        said = made("sync", "source", "target", "-o", made.db, *more)
        if not said.out.strip():
            yield f"sync ended with {said.code}: {said.err}"
            return
        done = said.json
        yield from _judged("sync", said.code, done["plan"], done["verify"], number)
        return
    made.snapshot()
    plan = str(made.folder / f"plan{number}.json")
    planned = made("plan", made.db, "target", "-o", plan, *more)
    applied = made("apply", plan, "--yes")
    verified = made("verify", plan)
    for name, said in (("plan", planned), ("apply", applied), ("verify", verified)):
        if not said.out.strip():
            yield f"{name} ended with {said.code}: {said.err}"
            return
    if planned.code:
        yield f"plan ended with {planned.code}"
    if applied.code:
        yield f"apply ended with {applied.code}: {applied.json['failed']}"
    yield from _judged("verify", verified.code, planned.json, verified.json, number)


def _judged(name: str, code: int, plan: Json, verified: Json | None, number: int) -> Iterator[str]:
    if code:
        yield f"{name} ended with {code}"
    if plan["actions"]["blocked"]:
        rows = [
            f"{r['kind']} {r['id']} {r['field']}: {r['reason']}"
            for r in plan["losses"]
            if r["grade"] == "blocked"
        ]
        yield f"blocked: {rows}"
    if number > 1:
        changed = {k: v for k, v in plan["actions"].items() if v and k not in ("skip", "adopt")}
        if changed:
            yield f"the plan would {changed}"
        # A row about all objects of a kind may appear only in round two: shared copies.
        losses = [row for row in plan["losses"] if row["id"] != "*" or number > 2]
        if repeated := [row for row in losses if not row["known"]]:
            yield f"{len(repeated)} losses are repeated, the first is {repeated[0]}"
    for finding in (verified or {}).get("findings", []):
        yield f"finding {finding}"
