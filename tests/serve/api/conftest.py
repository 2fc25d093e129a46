"""Four emulated estates, and one served archive of them."""

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
    of_thread = {"thread_id": LONG_THREAD, "created_at": 1_750_000_000, "assistant_id": "asst_x"}
    estate.threads[LONG_THREAD] = {"id": LONG_THREAD, "object": "thread", "created_at": 1, "metadata": {}}
    for run in ("run_a", "run_b"):
        state = {"status": "completed", "model": "gpt-4o", "instructions": "", "tools": []}
        estate.runs[LONG_THREAD][run] = {"id": run, "object": "thread.run", **of_thread, **state}
        for n in range(7):
            made = {"type": "message_creation", "message_creation": {"message_id": f"msg_{n:04}"}}
            step = {"id": f"step_{run}_{n}", "object": "thread.run.step", "run_id": run, "step_details": made}
            estate.run_steps[run][step["id"]] = {**step, **of_thread, "status": "completed", **state}
    for n in range(MESSAGES):
        text = {"type": "text", "text": {"value": f"Nummer {n} \u00fc \U0001f600", "annotations": []}}
        message = {"id": f"msg_{n:04}", "object": "thread.message", **of_thread, "role": "user"}
        run_id = ("run_a", "run_b", None)[n % 3]
        more = {"run_id": run_id, "content": [text], "attachments": [], "metadata": {}}
        estate.messages[LONG_THREAD][message["id"]] = {**message, **more}


@pytest.fixture(scope="module")
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
            # Like the real service, OpenAI keeps the bytes of uploads and returns the parsed text.
            given = options("SOURCE_KEY", state, name, list_threads="works")
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
