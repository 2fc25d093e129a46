"""A small estate and a plan that can be applied any number of times, and interrupted at any request."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.e2e import estate_comparison, foundry_comparison
from tests.e2e.conftest import Launch
from tests.e2e.fork_server import ForkServer, KillPoint
from tests.e2e.projects import add, agent, assistant, change, file, project, say, store, thread
from tests.e2e.running import World, options
from tests.e2e.small_estate import furnish, restore_state, saved_state

Json = dict[str, Any]
# Lines of a comparison about objects that other users created on the target.
OBJECTS_OF_OTHERS = ("assistant: nobody's: ['theirs']", "thread: nobody's: ['conv_theirs']")


def write(method: str, path: str, query: str) -> bool:
    return method != "GET"


@dataclass
class Scenario:
    """A world with a plan that can be applied any number of times."""

    world: World
    moment: KillPoint
    spare: ForkServer
    losses: list[Json]
    # State of the target before the first move.
    empty: Json
    # State of the target before this plan.
    untouched: Json

    def __post_init__(self) -> None:
        self.before = self.keep()

    def keep(self) -> tuple[Json, bytes]:
        return saved_state(self.world.target.estate), Path(self.world.db).read_bytes()

    def restore(self, was: tuple[Json, bytes]) -> None:
        restore_state(self.world.target.estate, was[0])
        for left in self.world.folder.glob("estate.db?*"):
            left.unlink()
        Path(self.world.db).write_bytes(was[1])

    def undisturbed(self, *command: str) -> list[str]:
        """Run a command to its end; returns its writing requests."""
        self.moment.set(0)
        said = self.world(*command)
        assert said.code == 0, f"{said.out}\n{said.err}"
        return list(self.moment.asked)

    def killed(self, at: int, *command: str, done: bool = True, workers: int = 1) -> None:
        self.moment.set(at, done)
        config = ("--config", str(self.world.config), "--quiet")
        self.spare.killed(self.moment, *command, "--workers", str(workers), *config)
        self.moment.set(0)

    def arrived(self, counts: Json) -> Iterator[str]:
        """Everything that is wrong on the target, as texts."""
        said = self.world("apply", self.world.plan, "--yes", "--workers", "1")
        if said.code:
            yield f"apply exits {said.code}: {said.err.strip() or said.json['failed']}"
        if found := self.world("verify", self.world.plan, "--workers", "2").json["findings"]:
            yield f"verify finds {found[:3]}"
        if (now := dict(self.world.target.estate.counts())) != counts:
            yield f"counts: { ({k: (v, now[k]) for k, v in counts.items() if now[k] != v}) } (wanted, found)"
        ids = self.world("ids", self.world.db).ok()
        way = foundry_comparison if self.world.types[1] == "foundry" else estate_comparison
        found = way.differences(self.world, ids, self.losses)
        yield from (line for line in found if line not in OBJECTS_OF_OTHERS)


MakeScenario = Callable[..., Scenario]


@contextmanager
def scenario_maker(launch: Launch, folder: Path) -> Iterator[MakeScenario]:
    """Makes scenarios: the small estate planned for a service, or moved, changed and planned again."""

    def staged(
        target: str,
        changed: bool = False,
        prune: bool = True,
        furnished: Callable[[Any], object] | None = None,
        fault: Callable[[Any], Any] = lambda app: app,
    ) -> Scenario:
        moment = KillPoint(write)
        azure = target == "azure-openai"
        there = options("TARGET_KEY", list_threads="works") if azure else project("TARGET_KEY")
        source = options("SOURCE_KEY", list_threads="works", downloads=True)
        types = ("azure-openai", target)
        world = launch(source, there, wrap_target=lambda app: moment(fault(app)), types=types)
        add_objects_of_others(world)
        empty = untouched = saved_state(world.target.estate)
        if furnished:
            furnished(world.source)
        else:
            furnish(world.source, 25 if target == "foundry" else 35)
        if changed:
            add(world.source, assistant(3, "old"))
        world.snapshot()
        losses = world.planned()["losses"]
        if changed:
            world.apply().ok()
            Path(world.plan).rename(world.folder / "first.json")
            change_source(world)
            world.snapshot()
            untouched = saved_state(world.target.estate)
            losses = world.planned(*["--prune"] * prune)["losses"]
        spare = stack.enter_context(ForkServer(world.env, folder / "killed.log"))
        return Scenario(world, moment, spare, losses, empty, untouched)

    with ExitStack() as stack:
        yield staged


def add_objects_of_others(world: World) -> None:
    """Add objects of others to the target: a file, a store, an agent or assistant, a thread or
    conversation."""
    theirs = file(world.target, 9, "theirs.md", b"theirs")
    store(world.target, 9, "theirs", [theirs])
    if world.types[1] == "foundry":
        agent(world.target, "theirs")
        world.target.estate.conversations["conv_theirs"] = {
            "id": "conv_theirs",
            "object": "conversation",
            "created_at": 1,
            "metadata": {},
        }
    else:
        add(world.target, assistant(9, "theirs"))
        thread(world.target, 9, ["mine"])


def change_source(world: World) -> None:
    """Change the source: an update of each kind, further messages, one file and one assistant more, one
    assistant less."""
    reader, clerk, old = world.source.estate.assistants
    change(world.source, reader, instructions="Read aloud.")
    change(world.source, clerk, description="counts")
    del world.source.estate.assistants[old]
    add(world.source, assistant(4, "new"))
    (papers,) = world.source.estate.vector_stores
    world.source.estate.vector_stores[papers]["name"] = "old papers"
    more = file(world.source, 3, "more.md", b"more")
    world.source.estate.vector_store_files[papers][more] = {
        **next(iter(world.source.estate.vector_store_files[papers].values())),
        "id": more,
    }
    short, long = world.source.estate.threads
    world.source.estate.threads[short]["metadata"] = {"who": "Bob"}
    for talk, number in ((short, 2), (long, 3)):
        for n in range(number):
            say(world.source, talk, f"and another {n // 2}")
