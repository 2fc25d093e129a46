"""Listing of messages from an archive by `serve`, compared with the emulated service that holds the same.

The emulated service has everything in memory. `serve` reads the thread from the archive when it is listed
first, and keeps what was read last: both times are measured.
"""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from benchmarks.child import SECRET, program, run, started
from benchmarks.estate import Estate, Shape, thread_id
from benchmarks.results import Results, median
from benchmarks.scenes.large_file import EMULATOR
from benchmarks.sizes import Size

WALKS = 3


def measure(size: Size, results: Results, folder: Path) -> None:
    """Read one thread from both in turn, as often as the size says; the ratio of the medians counts."""
    state, archive = folder / "listed", folder / "listed.db"
    _write_state(state, size.listed_messages)
    with started(*EMULATOR, str(state)) as emulated:
        program("snapshot", f"azure-openai+{emulated}", "-o", str(archive))
        with started("-m", "migrate", "serve", str(archive), "--port", "0") as address:
            (key,) = parse_qs(urlsplit(address).query)["key"]
            first = _page_seconds(address, key, 1)
            pairs = [
                (_page_seconds(emulated, SECRET), _page_seconds(address, key)) for _ in range(3 * size.rounds)
            ]
    live, archived = (median(values) for values in zip(*pairs, strict=True))
    results.put("api_listing", live / archived)
    results.facts["api"] = {
        "messages": size.listed_messages,
        "emulator_page_ms": round(live * 1000, 3),
        "archive_page_ms": round(archived * 1000, 3),
        "archive_page_first_time_ms": round(first * 1000, 3),
    }


def _write_state(folder: Path, messages: int) -> None:
    """The thread as a folder of saved answers, for the emulator."""
    folder.mkdir()
    estate = Estate(Shape(1, messages))
    rows = {"threads": [json.loads(estate.thread(0))], "messages": list(estate.messages(0))}
    for name, data in rows.items():
        document = {"object": "list", "data": data, "has_more": False}
        (folder / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")


def _page_seconds(url: str, key: str, walks: int = WALKS) -> float:
    cost = run("-m", "benchmarks.listing_client", url, key, thread_id(0), str(walks))
    seconds: float = cost.json["seconds"]
    return seconds
