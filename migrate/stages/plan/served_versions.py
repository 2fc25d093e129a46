"""What a move changes for the users of an agent whose endpoint serves another version than the newest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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

AgentBody = Mapping[str, JSON]
# Field, grade, reason, and what the user can do.
VersionNote = tuple[str, Grade, str, str]


def agents_of(estate: Estate) -> Mapping[str, AgentBody]:
    """Name -> body of each agent, as the service returned it; empty for a service without versions."""
    if not estate.names_are_ids:
        return {}
    bodies = (body for _, body in estate.snapshot.bodies("assistant", ""))
    return {str(body.get("name") or body.get("id") or ""): body for body in bodies}


def source_version_notes(body: AgentBody, agent_version: str) -> Iterator[VersionNote]:
    """What a plan reports of an agent of the source. `agent_version`: which version is moved."""
    if served_older_versions(body):
        yield _moved_version_note(body, agent_version)
    if is_agent_disabled(body):
        reason = "it is disabled on the source and answers no requests; on the target it is not disabled"
        yield "state", "adapted", reason, "disable it on the target, if it should stay disabled"
    for name in endpoint_settings(body):
        reason = "it is set for the agent's own endpoint, and no version of an agent contains it"
        yield name, "lost", reason, "set it for the agent on the target; the archive has it"


def _moved_version_note(body: AgentBody, agent_version: str) -> VersionNote:
    newest, served = newest_version(body), traffic_shares(body)[0][0]
    versions = f"its users get {describe_traffic_shares(body)}; the newest is version {newest}"
    if agent_version != SERVED_VERSION:
        hint = "--agent-version served moves the one that users get"
        return "version", "adapted", f"{versions}, and the newest is moved", hint
    if served == newest or isinstance((body.get("versions") or {}).get(served), Mapping):
        hint = "--agent-version newest moves the newest"
        return "version", "adapted", f"{versions}; version {served} is moved", hint
    reason = f"{versions}; the archive has no definition of version {served}, so the newest is moved"
    return "version", "lost", reason, "take a new snapshot"


def target_version_notes(body: AgentBody, updated: bool) -> Iterator[VersionNote]:
    """What a plan reports of an agent of the target. `updated`: the plan adds a version."""
    newest = newest_version(body)
    reason = ""
    if served_older_versions(body):
        users = f"users of the target get {describe_traffic_shares(body)}"
        if newest not in dict(traffic_shares(body)):
            effect = "users do not get the version that is added" if updated else "the newest is compared"
            reason = f"{users}; the newest there is version {newest}: {effect}"
        elif updated:
            reason = f"{users}: rules by number do not serve the version that is added"
        else:
            reason = f"{users}: not one version alone"
    elif updated and _is_pinned(body):
        reason = (
            f"users of the target get version {newest}, by its number: the one that is added is not served"
        )
    if reason:
        yield "version", "adapted", reason, "change the version selection rules of the agent on the target"
    if is_agent_disabled(body):
        yield "state", "adapted", "it is disabled on the target and answers no requests", "enable it there"


def _is_pinned(body: AgentBody) -> bool:
    """Whether rules name the newest version by its number, so that a further one is not served."""
    selector = (body.get("agent_endpoint") or {}).get("version_selector") or {}
    rules = selector.get("version_selection_rules") or ()
    versions = {str(rule.get("agent_version") or "") for rule in rules if isinstance(rule, Mapping)}
    return bool(versions) and all(version and not version.startswith("@") for version in versions)


def version_notes(target: Estate, names: Iterable[str]) -> Iterator[str]:
    """What verify reports of agents: their users may get another version than the one that was compared."""
    bodies = agents_of(target)
    for name in names:
        for _, _, reason, _ in target_version_notes(bodies.get(name, {}), updated=False):
            yield f"assistant {name}: {reason}"
