"""Check what works on an endpoint, and what to do where something does not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from migrate.codecs import CODECS
from migrate.errors import RequestFailed
from migrate.model import JSON, retirements
from migrate.model.results.query import Diagnosis, Symptom
from migrate.model.results.retirements import Retiring
from migrate.stages.progress import Progress
from migrate.stages.retirements import find_retiring, named_model, read_served_models

if TYPE_CHECKING:
    from migrate.endpoints.interface import Reader


ROUTE_NAMES = {
    "assistant": "assistants",
    "thread": "listing of threads",
    "file": "files",
    "vector_store": "vector stores",
}


def diagnose(reader: Reader, progress: Progress) -> Diagnosis:
    """Ask each route for one row. Raises `ServiceUnreachable` or `SignInFailed` when nothing answers."""
    progress.say(f"asking {reader.url}")
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
    retiring = None
    if probe.routes.get("assistant") == "works":
        try:
            retiring = _find_retiring(reader)
        except RequestFailed as failed:
            notes.append(f"assistants could not be listed, so it is not known whose model ends: {failed}")
    return Diagnosis(
        reader.type, reader.url, probe.api_version, probe.retired, symptoms, tuple(notes), retiring
    )


def _find_retiring(reader: Reader) -> Retiring:
    """What ends in the estate. Lists its assistants, page by page. Raises `RequestFailed`."""
    decode = CODECS[reader.type].decode
    models = [
        named_model(decode("assistant", body, "", None)[0])
        for page in reader.pages("assistant")
        for body in page.bodies
    ]
    return find_retiring(reader.type, models, read_served_models(reader), retirements.today())


def _list_names(what: str, ask: Callable[[], Mapping[str, Mapping[str, JSON]] | None]) -> list[Symptom]:
    """The deployments or connections of a project, by name."""
    try:
        rows = ask()
    except RequestFailed as failed:
        return [Symptom(what, "failed", str(failed))]
    if rows is None:
        return [Symptom(what, "unknown", f"this service has no listing of {what} that can be read")]
    names = sorted(str(row.get("name") or name) for name, row in rows.items())
    return [Symptom(what, "works", ", ".join(names) or "none")]
