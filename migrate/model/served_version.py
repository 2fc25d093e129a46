"""What users of an agent get: the versions its endpoint serves by its selection rules, and whether it is on.

An agent's endpoint names versions by number or as `@latest`, each with a share of the traffic (recorded
2026-04, type FixedRatio). A disabled agent rejects every request (the service's SDK: `state`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.model.entity import JSON

LATEST_ALIAS = "@latest"
# Which version of an agent is moved.
NEWEST_VERSION, SERVED_VERSION = "newest", "served"
AGENT_STATE_KEYS = ("state", "configuration_state", "status")
DISABLED_STATE = "disabled"


def _value_at(body: JSON, *keys: str) -> JSON:
    for key in keys:
        body = body.get(key) if isinstance(body, Mapping) else None
    return body


def newest_version(body: Mapping[str, JSON]) -> str:
    """The number of an agent's newest version, or ''."""
    return str(_value_at(body, "versions", "latest", "version") or "")


def traffic_shares(body: Mapping[str, JSON]) -> list[tuple[str, float]]:
    """The versions that are served, by number, with the percentage of each, the largest first. Empty where
    the service says nothing, which means the newest."""
    rules = _value_at(body, "agent_endpoint", "version_selector", "version_selection_rules")
    found: dict[str, float] = {}
    for rule in rules if isinstance(rules, list) else ():
        said = _value_at(rule, "agent_version")
        share = _value_at(rule, "traffic_percentage")
        number = newest_version(body) if said in (None, "", LATEST_ALIAS) else str(said)
        percent = float(share) if isinstance(share, (int, float)) and not isinstance(share, bool) else 100.0
        if percent > 0:
            found[number] = found.get(number, 0.0) + percent
    return sorted(found.items(), key=lambda pair: -pair[1])


def served_older_versions(body: Mapping[str, JSON]) -> list[str]:
    """The versions that are served and are not the newest one."""
    return [number for number, _ in traffic_shares(body) if number != newest_version(body)]


def is_agent_disabled(body: Mapping[str, JSON]) -> bool:
    """Whether an agent rejects every request."""
    return any(str(body.get(key) or "").lower() == DISABLED_STATE for key in AGENT_STATE_KEYS)


def endpoint_settings(body: Mapping[str, JSON]) -> list[str]:
    """What an owner set for an agent's endpoint beside its versions, by name: who may call it and how, where
    that is another than what every agent has (recorded 2026-04), and its card."""
    endpoint = body.get("agent_endpoint")
    held: Mapping[str, JSON] = endpoint if isinstance(endpoint, Mapping) else {}
    schemes, protocols = held.get("authorization_schemes"), held.get("protocols")
    ways = held.get("protocol_configuration")
    types = [_value_at(scheme, "type") for scheme in schemes] if isinstance(schemes, list) else []
    found = {
        "agent_endpoint.authorization_schemes": any(type_ != "Entra" for type_ in types),
        "agent_endpoint.protocols": bool(protocols) and protocols != ["responses"],
        "agent_endpoint.protocol_configuration": isinstance(ways, Mapping) and any(ways.values()),
        "agent_card": bool(body.get("agent_card")),
    }
    return [name for name, said in found.items() if said]


def describe_traffic_shares(body: Mapping[str, JSON]) -> str:
    """The served versions in words: `version 3`, or `version 3 (80 %), version 5 (20 %)`."""
    found = traffic_shares(body)
    if len(found) == 1:
        return f"version {found[0][0]}"
    return ", ".join(f"version {number} ({share:g} %)" for number, share in found)


def with_served_version(body: Mapping[str, JSON]) -> dict[str, Any]:
    """An agent with the version that most of its users get in the place of the newest one. The archive has
    its definition beside the newest; an agent of which it has not stays as it is."""
    versions = body.get("versions")
    for number, _ in traffic_shares(body)[:1]:
        found = _value_at(versions, number)
        if number != newest_version(body) and isinstance(found, Mapping):
            return {**body, "versions": {**(versions or {}), "latest": found}}
    return dict(body)


def served_version_remarks(body: Mapping[str, JSON]) -> list[str]:
    """What there is to say of an agent that does not serve just its newest version, or is off."""
    said = []
    if served_older_versions(body):
        said.append(
            f"users get {describe_traffic_shares(body)}; the newest is version {newest_version(body)}"
        )
    if is_agent_disabled(body):
        said.append("it is disabled: nobody is answered")
    return said
