"""Four emulated estates, and one archive of them that is served."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from migrate.emulator import Emulator, Estate
from migrate.emulator.uploads import SavedContent
from tests.e2e.running import World, options, world
from tests.serve.api.readings import LONG_THREAD
from tests.serve.api.serving import ServedApi, serving_api

MESSAGES = 130


@dataclass(frozen=True)
class Sides:
    """The emulated services by their type, and the API over the archive of all of them."""

    services: dict[str, Emulator]
    served: ServedApi
    archive: Path


def add_long_thread(estate: Estate) -> None:
    """A thread of several pages, with two runs and their steps."""
    estate.threads[LONG_THREAD] = {
        "id": LONG_THREAD, "object": "thread", "created_at": 1_750_000_000, "metadata": {}, "tool_resources": {},
    }  # fmt: skip
    for run in ("run_a", "run_b"):
        estate.runs[LONG_THREAD][run] = {
            "id": run, "object": "thread.run", "created_at": 1_750_000_000, "thread_id": LONG_THREAD,
            "assistant_id": "asst_x", "status": "completed", "model": "gpt-4o", "instructions": "", "tools": [],
        }  # fmt: skip
        for n in range(7):
            step = f"step_{run}_{n}"
            estate.run_steps[run][step] = {
                "id": step, "object": "thread.run.step", "created_at": 1_750_000_000 + n, "run_id": run,
                "thread_id": LONG_THREAD, "assistant_id": "asst_x", "type": "message_creation",
                "status": "completed", "step_details": {
                    "type": "message_creation", "message_creation": {"message_id": f"msg_{n:04}"}
                },
            }  # fmt: skip
    for n in range(MESSAGES):
        message = f"msg_{n:04}"
        estate.messages[LONG_THREAD][message] = {
            "id": message, "object": "thread.message", "created_at": 1_750_000_000 + n // 3,
            "thread_id": LONG_THREAD, "role": "user" if n % 2 else "assistant", "assistant_id": None,
            "run_id": ("run_a", "run_b", None)[n % 3], "attachments": [], "metadata": {},
            "content": [{"type": "text", "text": {"value": f"Nummer {n} \u00fc \U0001f600", "annotations": []}}],
        }  # fmt: skip


@pytest.fixture(scope="session")
def sides(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sides]:
    folder = tmp_path_factory.mktemp("api")
    archive = folder / "estates.db"
    services: dict[str, Emulator] = {}
    with ExitStack() as stack:

        def snapshot(name: str, made: World, which: str) -> None:
            estate = made.source.estate
            for file_id in estate.files.keys() - estate.content.keys():
                path = folder / name / f"{len(estate.content)}.bytes"
                path.write_bytes(b"x" * estate.files[file_id]["bytes"])
                estate.content[file_id] = SavedContent(path)
            made("snapshot", which, "-o", str(archive)).ok()
            services[name] = made.source

        for name, state in (("azure-openai", "azure-v2"), ("openai", "openai-v2")):
            given = options("SOURCE_KEY", state, name, list_threads="works", downloads=True)
            (folder / name).mkdir()
            made = stack.enter_context(world(folder / name, given))
            add_long_thread(made.source.estate)
            snapshot(name, made, "source")
        for name, state in (("foundry-classic", "foundry-classic"), ("foundry", "foundry")):
            given = options("SOURCE_KEY", state, "foundry", downloads=True)
            (folder / name).mkdir()
            made = stack.enter_context(world(folder / name, given, given, types=(name, name)))
            if name == "foundry-classic":
                add_long_thread(made.source.estate)
            snapshot(name, made, "source")
        served = stack.enter_context(serving_api(archive))
        yield Sides(services, served, archive)
