"""What a move changes for the users of an agent whose endpoint serves another version than the newest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from migrate.model import JSON
from migrate.model.loss import Grade
from migrate.model.served_version import (
    SERVED_VERSION,
    describe_traffic_shares,
    endpoint_settings,
    is_agent_disabled,
    newest_version,
    served_older_versions,
    traffic_shares,
)
from migrate.stages.estate import Estate

AgentBodies = Mapping[str, Mapping[str, JSON]]
"""Name of an agent -> its body as the service gave it."""
VersionNote = tuple[str, Grade, str, str]
"""Field, grade, reason, way out."""


def agents_of(estate: Estate) -> AgentBodies:
    """The agents of an estate whose service serves versions; empty for any other."""
    if not estate.names_are_ids:
        return {}
    rows = (body for _, body in estate.snapshot.bodies("assistant", ""))
    return {str(body.get("name") or body.get("id") or ""): body for body in rows}


def source_version_notes(body: Mapping[str, JSON], agent_version: str) -> Iterator[VersionNote]:
    """What is to be said of an agent of the source."""
    others = served_older_versions(body)
    if others:
        chosen = traffic_shares(body)[0][0]
        known = chosen == newest_version(body) or isinstance(
            (body.get("versions") or {}).get(chosen), Mapping
        )
        said = f"its users get {describe_traffic_shares(body)}; the newest is version {newest_version(body)}"
        if agent_version == SERVED_VERSION and not known:
            reason = f"{said}; the archive has no definition of version {chosen}, so the newest is moved"
            yield "version", "lost", reason, "take a new snapshot"
        elif agent_version == SERVED_VERSION:
            yield (
                "version",
                "adapted",
                f"{said}; version {chosen} is moved",
                "--agent-version newest moves the newest",
            )
        else:
            way_out = "--agent-version served moves the one that users get"
            yield "version", "adapted", f"{said}, and the newest is moved", way_out
    if is_agent_disabled(body):
        reason = "it is disabled on the source: nobody is answered there; on the target it is not disabled"
        yield "state", "adapted", reason, "disable it on the target, if it is to stay so"
    for name in endpoint_settings(body):
        reason = "it is set for the agent's own endpoint, and no version of an agent carries it"
        yield name, "lost", reason, "set it for the agent on the target; the archive has it"


def target_version_notes(body: Mapping[str, JSON], updated: bool) -> Iterator[VersionNote]:
    """The same of its counterpart that is there."""
    others = served_older_versions(body)
    if others and newest_version(body) not in dict(traffic_shares(body)):
        said = (
            f"users of the target get {describe_traffic_shares(body)}; "
            f"the newest there is version {newest_version(body)}"
        )
        what = (
            "the version that is added is served to nobody" if updated else "what is compared is the newest"
        )
        way_out = "change the version selection rules of the agent's endpoint on the target"
        yield "version", "adapted", f"{said}: {what}", way_out
    elif others:
        said = f"users of the target get {describe_traffic_shares(body)}"
        what = (
            "rules by number do not serve the version that is added" if updated else "not one version alone"
        )
        yield "version", "adapted", f"{said}: {what}", "look at the version selection rules on the target"
    elif updated and _is_pinned(body):
        said = f"users of the target get version {newest_version(body)}, by its number"
        reason = f"{said}: the one that is added is not served"
        yield "version", "adapted", reason, "change the version selection rules on the target"
    if is_agent_disabled(body):
        yield "state", "adapted", "it is disabled on the target: nobody is answered there", "enable it there"


def _is_pinned(body: Mapping[str, JSON]) -> bool:
    """Whether rules name the newest version by its number, so that a further one is not served."""
    selector = (body.get("agent_endpoint") or {}).get("version_selector") or {}
    rules = selector.get("version_selection_rules")
    said = {str(rule.get("agent_version") or "") for rule in rules or () if isinstance(rule, Mapping)}
    return bool(said) and all(number and not number.startswith("@") for number in said)


def version_notes(target: Estate, names: Iterator[str]) -> Iterator[str]:
    """What a proof of agents does not say: their users may get another version than the one compared."""
    bodies = agents_of(target)
    for name in names:
        for _, _, reason, _ in target_version_notes(bodies.get(name, {}), updated=False):
            yield f"assistant {name}: {reason}"
