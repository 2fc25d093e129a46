"""Names in a moved object that lead back to where it came from, or to something that only lay there."""

from __future__ import annotations

from collections.abc import Iterator

from migrate.model import Entity
from migrate.model.estate_location import EstateLocation
from migrate.model.json_paths import iter_texts
from migrate.model.local_names import DEPLOYMENT_LABEL, iter_local_names, toolbox_addresses
from migrate.model.results.plan import TargetSettings
from migrate.stages.plan.old_ids import WHERE

MAX_REFERENCES_SHOWN = 80
"""Characters of a name in a line of the plan."""

ReferenceNote = tuple[str, str, str]
"""Field, reason, way out."""


def source_references(
    fitted: Entity, decided: TargetSettings, source: EstateLocation | None
) -> Iterator[ReferenceNote]:
    """What of an object, as it will be on the target, only the place it came from knows. `source` is None
    where the target is that very place."""
    if source is None:
        return
    told: set[tuple[str, str]] = set()
    for path, what, name in iter_local_names(fitted.fields) if fitted.kind == "assistant" else ():
        if what == DEPLOYMENT_LABEL and name in (decided.deployments or ()):
            continue
        field = path.partition("[")[0].partition(".")[0]
        if (field, name) not in told:
            told.add((field, name))
            reason = f"names {what} {_short(name)}, which lies on the source; the target may have none of it"
            yield field, f"{path} {reason}", "make it there under this name, or change the agent"
    for url, box in toolbox_addresses(fitted.fields) if fitted.kind == "assistant" else ():
        if not source.named_in(url):  # told as the source's own place below
            reason = f"tools[].server_url names the toolbox {_short(box)} of a project; no toolbox is moved"
            yield "tools", reason, "see that the target may use it there, or make it in the target"
    for field in WHERE.get(fitted.kind, ()):
        for place, text in iter_texts(fitted.fields.get(field), (field,)):
            found = source.named_in(text)
            if found and (field, found) not in told:
                told.add((field, found))
                reason = f"{'.'.join(place)} names the source's own place, {_short(found)}"
                yield field, reason, "it arrives as it is and leads back there: change it by hand"


def _short(name: str) -> str:
    return name if len(name) <= MAX_REFERENCES_SHOWN else f"{name[:MAX_REFERENCES_SHOWN]}..."
