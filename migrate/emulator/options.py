"""Options of an emulated service. They are checked and cannot be changed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from migrate.emulator.faults.parser import read_faults

ServiceName = Literal["azure-openai", "openai", "foundry"]
ListThreads = Literal["works", "missing", "ignores-after"]

V1_SHAPES_VERSION = "2024-02-15-preview"  # the only version with file_ids, retrieval and no vector stores
DATED_VERSIONS = (
    V1_SHAPES_VERSION,
    *"2024-05-01-preview 2024-07-01-preview 2024-08-01-preview 2024-09-01-preview 2024-10-01-preview".split(),
    *"2024-12-01-preview 2025-01-01-preview 2025-02-01-preview 2025-03-01-preview 2025-04-01-preview".split(),
)

# Azure listed threads although no document describes it (reported 2024-11, 2025-01). OpenAI requires a
# session key. For classic agents the list is described, and it worked (recorded 2025-05).
LIST_THREADS: dict[ServiceName, ListThreads] = {
    "azure-openai": "works",
    "openai": "missing",
    "foundry": "works",
}


@dataclass(frozen=True)
class Options:
    """Which service is emulated, and how it behaves. Raises `ValueError` for values that are not valid."""

    service: ServiceName = "azure-openai"
    key: str = "emulator"
    host: str = "127.0.0.1"
    port: int = 0  # 0: any free port
    state: Path | None = None  # a folder of saved answers
    retired: bool = (
        False  # no assistants and threads; in a project no classic agents, files and stores included
    )
    dated_paths_retired: bool = False  # Azure: only /openai/v1 still exists
    list_threads: ListThreads | None = None  # None: as the service does
    downloads: bool | None = None  # whether uploaded files can be downloaded. None: as the service does
    ingestion_seconds: float = 0.05
    latency: float = 0.0  # seconds
    faults: Path | None = None  # a faults file: docs/emulator.md
    record: bool = False  # keep the requests
    api_versions: frozenset[str] = frozenset(DATED_VERSIONS)
    # The remaining options concern Foundry projects.
    minimal_lists: bool = False  # lists of classic agents as described: without `object` and `first_id`
    strict_definitions: bool = True  # refuse keys of an agent's definition that no document describes
    identical_is_noop: bool = True  # an identical version is not created again (recorded 2025-11)
    deployments: tuple[str, ...] = ("gpt-4.1", "gpt-4o", "gpt-4o-mini", "o4-mini")
    connections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.service not in get_args(ServiceName):
            raise ValueError(f"no such service: {self.service!r}; known: {', '.join(get_args(ServiceName))}")
        if not _is_loopback(self.host):
            raise ValueError(f"the emulator listens on loopback addresses only, not on {self.host!r}")
        if self.state is not None and not self.state.is_dir():
            raise ValueError(f"no folder of saved answers: {self.state}")
        if not self.key:
            raise ValueError("the emulator needs a key, as the service does")
        if self.faults is not None:
            read_faults(self.faults)  # so that an error in the file is reported before anything starts

    @property
    def threads_listing(self) -> ListThreads:
        """How a request for the list of threads is answered."""
        return self.list_threads or LIST_THREADS[self.service]


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
