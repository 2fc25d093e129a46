"""Options of an emulated service, checked and unchangeable."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from migrate.emulator.faults.parser import read

ServiceName = Literal["azure-openai", "openai", "foundry"]
ListThreads = Literal["works", "missing", "ignores-after"]

OLD_VERSION = "2024-02-15-preview"  # the only one in v1 shapes: file_ids, retrieval, no vector stores
DATED_VERSIONS = (
    OLD_VERSION,
    "2024-05-01-preview",
    "2024-07-01-preview",
    "2024-08-01-preview",
    "2024-09-01-preview",
    "2024-10-01-preview",
    "2024-12-01-preview",
    "2025-01-01-preview",
    "2025-02-01-preview",
    "2025-03-01-preview",
    "2025-04-01-preview",
)

# Azure listed threads, though no document says so (reported 2024-11, 2025-01); OpenAI wants a session key.
# Classic agents list them by their description, and did (recorded 2025-05).
LISTS_THREADS: dict[ServiceName, ListThreads] = {
    "azure-openai": "works",
    "openai": "missing",
    "foundry": "works",
}


@dataclass(frozen=True)
class Options:
    """One service, and how it behaves today."""

    service: ServiceName = "azure-openai"
    key: str = "emulator"
    host: str = "127.0.0.1"
    port: int = 0  # 0: any free one
    state: Path | None = None  # a folder of saved answers to begin with
    retired: bool = False  # assistants and threads are gone, or all of classic agents; the rest lives
    dated_gone: bool = False  # Azure: nothing but /openai/v1 is left
    list_threads: ListThreads | None = None  # None: as the service does
    downloads: bool | None = None  # may uploaded files be downloaded? None: as the service does
    ingestion_seconds: float = 0.05
    latency: float = 0.0
    faults: Path | None = None  # a file of declared rows: which requests are spoiled, and how
    record: bool = False
    api_versions: frozenset[str] = frozenset(DATED_VERSIONS)
    # The rest is about projects of Foundry.
    bare_lists: bool = False  # classic lists as described: no `object`, no `first_id`
    strict_definitions: bool = True  # refuse what no document knows in an agent's definition
    identical_is_noop: bool = True  # the same version posted again is answered, not made (recorded 2025-11)
    deployments: tuple[str, ...] = ("gpt-4.1", "gpt-4o", "gpt-4o-mini", "o4-mini")
    connections: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.service not in get_args(ServiceName):
            raise ValueError(f"no such service: {self.service!r}; known: {', '.join(get_args(ServiceName))}")
        if not is_loopback(self.host):
            raise ValueError(f"the emulator listens on loopback addresses only, not on {self.host!r}")
        if self.state is not None and not self.state.is_dir():
            raise ValueError(f"no folder of saved answers: {self.state}")
        if not self.key:
            raise ValueError("the emulator needs a key, as the service does")
        if self.faults is not None:
            read(self.faults)  # a wrong file is told before anything starts

    @property
    def threads_listing(self) -> ListThreads:
        return self.list_threads or LISTS_THREADS[self.service]


def is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
