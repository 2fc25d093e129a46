"""The routes of the bundled estates, and the whole flow of commands along one of them, with every answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from migrate.emulator import Options
from tests.e2e import estate_comparison, foundry_comparison
from tests.e2e.common_form import NEWER_TYPE, count_objects
from tests.e2e.running import PROJECTS, World, options, world

Json = dict[str, Any]
DEPLOYMENTS = ("gpt-4o", "gpt-4o-2024-08-06", "gpt-4o-mini", "gpt-4.1", "o3-mini", "garden-reasoning")
CONNECTIONS = (
    "web-search herb-pages seed-search stock-key plant-register shared-folders sales-model browser-workspace "
    "night-watch"
).split()
MODELS = {"gpt-4-1106-preview": "gpt-4o"}
# Connections that have another name on the target, as the config file maps them.
CONNECTION_NAMES = {"sales-model-2024": "sales-model"}


@dataclass(frozen=True)
class Route:
    """A bundled estate as a service of one type, and its target. `shared`: both are services of one
    project."""

    state: str
    source: str
    target: str
    shared: bool = False

    def ends(self) -> tuple[Options, Options]:
        """Options of both services; the same ones twice if it is one service."""
        one = options("SOURCE_KEY", self.state, **_service(self.source))
        return one, one if self.shared else options("TARGET_KEY", **_service(self.target))

    @property
    def old_to_old(self) -> bool:
        return NEWER_TYPE not in (self.source, self.target)


ROUTES = {
    "azure-azure": Route("azure-v2", "azure-openai", "azure-openai"),
    "openai-openai": Route("openai-v2", "openai", "openai"),
    "azure-openai": Route("azure-v2", "azure-openai", "openai"),
    "openai-azure": Route("openai-v2", "openai", "azure-openai"),
    "classic-foundry": Route("foundry-classic", "foundry-classic", "foundry"),
    "classic-foundry, same project": Route("foundry-classic", "foundry-classic", "foundry", shared=True),
    "azure-foundry": Route("azure-v2", "azure-openai", "foundry"),
    "openai-foundry": Route("openai-v2", "openai", "foundry"),
    "foundry-foundry": Route("foundry", "foundry", "foundry"),
    "classic-classic": Route("foundry-classic", "foundry-classic", "foundry-classic"),
    "azure-classic": Route("azure-v2", "azure-openai", "foundry-classic"),
    "foundry-azure": Route("foundry", "foundry", "azure-openai"),
    "foundry-classic": Route("foundry", "foundry", "foundry-classic"),
}


def _service(type_: str) -> Json:
    """Options of an emulated service that lists threads, allows downloads, and has the models and connections
    that the estates use."""
    service = "foundry" if type_ in PROJECTS else type_
    return {
        "service": service,
        "list_threads": "works",
        "downloads": True,
        "deployments": DEPLOYMENTS,
        "connections": tuple(CONNECTIONS),
    }


@dataclass
class Flow:
    """One flow from snapshot to verify. All answers are stored for the tests."""

    world: World
    route: Route
    answers: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)

    def run(self, name: str, *arguments: str) -> None:
        said = self.world(*arguments)
        assert "Traceback" not in said.err, said.err
        self.codes[name] = said.code
        self.answers[name] = said.json if said.out.strip() else said.err

    @property
    def losses(self) -> list[Json]:
        losses: list[Json] = self.answers["plan"]["losses"]
        return losses

    @property
    def planned(self) -> Mapping[str, int]:
        """Number of actions in the plan, by type."""
        actions: Mapping[str, int] = self.answers["plan"]["actions"]
        return actions

    @property
    def object_counts(self) -> dict[str, int]:
        """Number of objects of the source, by kind."""
        return count_objects(self.world.here, self.route.source)

    @property
    def without_bytes(self) -> set[str]:
        """Files of the source whose bytes its service does not have."""
        estate = self.world.here
        return estate.files.keys() - estate.content.keys()

    def refused(self) -> set[str]:
        return estate_comparison.refused_files(self.world)

    def differences(self) -> list[str]:
        ids, losses = self.answers["ids"], self.losses
        if self.route.old_to_old:
            return list(estate_comparison.differences(self.world, ids, losses, CONNECTION_NAMES))
        return list(foundry_comparison.differences(self.world, ids, losses, MODELS, CONNECTION_NAMES))


@contextmanager
def flow(route: Route, folder: Path) -> Iterator[Flow]:
    """Run all commands of a move in their order."""
    source, target = route.ends()
    with world(folder, source, target, types=(route.source, route.target)) as made:
        made.configure(models=MODELS, connections=CONNECTION_NAMES)
        done = Flow(made, route)
        db, plan = made.db, made.plan
        done.run("snapshot", "snapshot", "source", "-o", db)
        done.run("itself", "diff", db, "source")
        done.run("before", "diff", db, "target")
        done.run("strict", "plan", db, "target", "-o", plan)
        done.run("plan", "plan", db, "target", "-o", plan, "--accept-loss", "all")
        done.run("apply", "apply", plan, "--yes")
        done.run("verify", "verify", plan)
        done.run("again", "apply", plan, "--yes")
        done.run("replan", "plan", db, "target", "-o", str(made.folder / "again.json"))
        done.run("after", "diff", db, "target")
        done.run("ids", "ids", db)
        yield done
