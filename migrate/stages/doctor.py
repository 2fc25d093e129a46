"""Check what works on an endpoint, and say what to do where something does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.errors import RequestFailed
from migrate.model import JSON
from migrate.stages.progress import Progress

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader


@dataclass(frozen=True)
class Symptom:
    """One thing looked at. `state`: works, gone, denied, failed, unknown."""

    what: str
    state: str
    detail: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """Everything looked at; `retired` when assistants are gone while files answer."""

    type: str
    url: str
    api_version: str
    retired: bool
    symptoms: list[Symptom]
    notes: tuple[str, ...]

    @property
    def whole(self) -> bool:
        """Whether everything can be read whose absence is not the service's own way."""
        return all(s.state == "works" for s in self.symptoms if s.what in ESSENTIAL_ROUTES)


ESSENTIAL_ROUTES = ("assistants", "files", "vector stores")
ROUTE_NAMES = {
    "assistant": "assistants",
    "thread": "listing of threads",
    "file": "files",
    "vector_store": "vector stores",
}


def diagnose(reader: Reader, progress: Progress | None = None) -> Diagnosis:
    """Ask each route for one row. Raises `ServiceUnreachable` or `SignInFailed` when nothing answers."""
    (progress or Progress()).say(f"asking {reader.url}")
    probe = reader.probe()
    symptoms = [Symptom("sign-in", "works")]
    for kind, name in ROUTE_NAMES.items():
        state = probe.routes.get(kind, "failed")
        symptoms.append(Symptom(name, state, probe.reasons.get(kind, "")))
    symptoms += _list_names("deployments", reader.deployments)
    if reader.type.startswith("foundry"):
        symptoms += _list_names("connections", reader.connections)
    notes = list(probe.notes)
    if probe.routes.get("thread") in ("gone", "denied") and not probe.retired:
        notes.append("threads are not listed here: give their ids to snapshot with --threads FILE")
    if probe.retired:
        notes.append(
            "assistants and threads are retired here, or the API version does not know them; "
            "files and vector stores live: snapshot reads them, and plan moves those of an archive here"
        )
    return Diagnosis(reader.type, reader.url, probe.api_version, probe.retired, symptoms, tuple(notes))


def _list_names(what: str, ask: Callable[[], Mapping[str, Mapping[str, JSON]] | None]) -> list[Symptom]:
    """What a project has of something, by name."""
    try:
        rows = ask()
    except RequestFailed as failed:
        return [Symptom(what, "failed", str(failed))]
    if rows is None:
        return [Symptom(what, "unknown", f"this service has no listing of {what} that we may read")]
    names = sorted(str(row.get("name") or name) for name, row in rows.items())
    return [Symptom(what, "works", ", ".join(names) or "none")]
