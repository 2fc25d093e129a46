"""SIGKILL at every request of a snapshot: the same command continues and reads nothing again."""

from __future__ import annotations

import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.conftest import Launch
from tests.e2e.fork_server import ForkServer, KillPoint
from tests.e2e.projects import project
from tests.e2e.running import World, options
from tests.e2e.small_estate import furnish, furnish_new
from tests.sample import sample

# Maximum page size of the source, so that a small estate has many pages.
PAGE = 10


def everything(method: str, path: str, query: str) -> bool:
    return True


def in_small_pages(app: Any) -> Any:
    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        query = scope["query_string"].replace(b"limit=100", b"limit=%d" % PAGE)
        await app({**scope, "query_string": query}, receive, send)

    return wrapped


class Source:
    """An estate of every kind, with a kill point in front of it."""

    def __init__(self, world: World, moment: KillPoint, spare: ForkServer) -> None:
        self.world, self.moment, self.spare = world, moment, spare

    def read(self) -> list[str]:
        """Take or continue the snapshot; returns the requests."""
        self.moment.set(0)
        answer = self.world.snapshot("--workers", "1")
        assert answer["state"] == "complete"
        return list(self.moment.asked)

    def killed(self, at: int) -> list[str]:
        """The requests that were answered before the kill."""
        Path(self.world.db).unlink(missing_ok=True)
        self.moment.set(at)
        command = ("snapshot", "source", "-o", self.world.db, "--workers", "1")
        config = ("--config", str(self.world.config), "--quiet")
        self.spare.killed(self.moment, *command, *config, first=lambda: written(self.world))
        answered = list(self.moment.answered)
        self.moment.set(0)
        return answered

    def held(self) -> tuple[str, list[Any]]:
        """The content of the archive: the fingerprint of the snapshot, and every listing with its hash."""
        with closing(sqlite3.connect(self.world.db)) as conn:
            ((digest, state),) = conn.execute("SELECT digest, state FROM snapshots").fetchall()
            assert state == "complete"
            files = conn.execute("SELECT file_id, sha FROM contents JOIN blobs ON blobs.id = blob_id")
            return digest, sorted(files.fetchall())


def written(world: World) -> None:
    """Wait until the archive has what arrived: the fetching thread is blocked, the writing thread is not."""
    before = b""
    while True:
        time.sleep(0.03)
        logs = sorted(world.folder.glob("estate.db*"))
        now = b"".join(log.read_bytes() for log in logs if log.exists())
        if now == before:
            return
        before = now


@pytest.fixture(params=["azure-openai", "foundry-classic", "foundry"])
def source(request: pytest.FixtureRequest, launch: Launch, tmp_path: Path) -> Iterator[Source]:
    moment = KillPoint(everything)
    service = "azure-openai" if request.param == "azure-openai" else "foundry"
    here = options("SOURCE_KEY", list_threads="works", downloads=True)
    if service == "foundry":
        here = project("SOURCE_KEY")
    types = (request.param, service)
    world = launch(
        here,
        replace(here, key="secret-of-the-target"),
        types=types,
        wrap_source=lambda app: moment(in_small_pages(app)),
    )
    (furnish_new if request.param == "foundry" else furnish)(world.source)
    with ForkServer(world.env, tmp_path / "killed.log") as spare:
        yield Source(world, moment, spare)


def pages(asked: list[str]) -> Counter[str]:
    """Match pages of listings, and files; neither probes of routes, nor checks whether a server obeys
    `order`, nor single objects."""
    wanted = (a for a in asked if "order=desc" not in a)
    return Counter(a for a in wanted if "limit=100" in a or a.partition("?")[0].endswith("/content"))


@pytest.mark.exhaustive
def test_a_snapshot_killed_at_any_request_goes_on(source: Source) -> None:
    whole = source.read()
    wanted = source.held()
    assert len(pages(whole)) >= 10, whole
    assert sum("after=" in asked for asked in whole) >= 1
    wrong = []
    for at in sample(range(1, len(whole) + 1), 6):
        asked, first = whole[at - 1], source.killed(at)
        again = source.read()
        if source.held() != wanted:
            wrong.append(f"{at} {asked}: the archive holds something else")
        # Steps are read again, run by run; so is the page whose order was being checked.
        twice = pages(first) & pages(again)
        proved = asked.replace("order=desc", "order=asc")
        # Each agent of a page is read at its own address before the page is stored.
        looked = "/agents?" if "/agents/" in asked else "/steps?"
        spared = (proved, *(a for a in twice if "/steps?" in a or looked in a))
        # Items have no time: their pages wait until the newest item was requested.
        spared += tuple(a for a in twice if "/items?" in a and a.split("?")[0] == asked.split("?")[0])
        others = (a for a in twice if a not in spared and a.partition("&include")[0] != proved)
        wrong += [f"{at} {asked}: {a} is asked for again" for a in others]
    assert not wrong, "\n".join(wrong)
    assert source.world("check", source.world.db).ok()["ok"] is True
    assert source.world("diff", source.world.db, "source").ok()["differences"] == 0
