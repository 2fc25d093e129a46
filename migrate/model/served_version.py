"""The versions that the endpoint of an agent serves by its selection rules, and whether the agent is enabled.

An agent's endpoint names versions by number or as `@latest`, each with a share of the traffic (recorded
2026-04, type FixedRatio). A disabled agent rejects every request (the service's SDK: `state`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from migrate.model.entity import JSON
from migrate.model.json_paths import value_at

LATEST_ALIAS = "@latest"
# Which version of an agent is read: the newest, or the one that most users get.
NEWEST_VERSION, SERVED_VERSION = "newest", "served"
AGENT_STATE_KEYS = ("state", "configuration_state", "status")
DISABLED_STATE = "disabled"


def newest_form(body: Mapping[str, JSON]) -> Mapping[str, JSON]:
    """The newest version of an agent; the body itself where it contains none."""
    latest = value_at(body, "versions", "latest")
    return latest if isinstance(latest, dict) else body


def newest_version(body: Mapping[str, JSON]) -> str:
    """The number of an agent's newest version, or ''."""
    return str(value_at(body, "versions", "latest", "version") or "")


def traffic_shares(body: Mapping[str, JSON]) -> list[tuple[str, float]]:
    """(number, percentage) of the versions that are served, the largest share first. Empty where there are no
    rules: then the newest version is served."""
    rules = value_at(body, "agent_endpoint", "version_selector", "version_selection_rules")
    shares: dict[str, float] = {}
    for rule in rules if isinstance(rules, list) else ():
        version = value_at(rule, "agent_version")
        share = value_at(rule, "traffic_percentage")
        number = newest_version(body) if version in (None, "", LATEST_ALIAS) else str(version)
        percent = float(share) if isinstance(share, (int, float)) and not isinstance(share, bool) else 100.0
        if percent > 0:
            shares[number] = shares.get(number, 0.0) + percent
    return sorted(shares.items(), key=lambda pair: -pair[1])


def served_older_versions(body: Mapping[str, JSON]) -> list[str]:
    """The versions that are served and are not the newest."""
    return [number for number, _ in traffic_shares(body) if number != newest_version(body)]


def is_agent_disabled(body: Mapping[str, JSON]) -> bool:
    """Whether an agent rejects every request."""
    return any(str(body.get(key) or "").lower() == DISABLED_STATE for key in AGENT_STATE_KEYS)


def endpoint_settings(body: Mapping[str, JSON]) -> list[str]:
    """The names of the settings that the owner of an agent changed at its endpoint, other than versions: who
    may call it and how, where it differs from the default (recorded 2026-04), and its card."""
    schemes = value_at(body, "agent_endpoint", "authorization_schemes")
    protocols = value_at(body, "agent_endpoint", "protocols")
    configuration = value_at(body, "agent_endpoint", "protocol_configuration")
    types = [value_at(scheme, "type") for scheme in schemes] if isinstance(schemes, list) else []
    changed = {
        "agent_endpoint.authorization_schemes": any(type_ != "Entra" for type_ in types),
        "agent_endpoint.protocols": bool(protocols) and protocols != ["responses"],
        "agent_endpoint.protocol_configuration": isinstance(configuration, Mapping)
        and any(configuration.values()),
        "agent_card": bool(body.get("agent_card")),
    }
    return [name for name, is_changed in changed.items() if is_changed]


def describe_traffic_shares(body: Mapping[str, JSON]) -> str:
    """The served versions in words: `version 3`, or `version 3 (80 %), version 5 (20 %)`."""
    shares = traffic_shares(body)
    if len(shares) == 1:
        return f"version {shares[0][0]}"
    return ", ".join(f"version {number} ({share:g} %)" for number, share in shares)


def with_served_version(body: Mapping[str, JSON]) -> dict[str, Any]:
    """An agent with the version that most of its users get instead of the newest. The archive has both where
    they differ; an agent of which it has only the newest stays as it is."""
    versions = body.get("versions")
    for number, _ in traffic_shares(body)[:1]:
        version = value_at(versions, number)
        if number != newest_version(body) and isinstance(version, Mapping):
            return {**body, "versions": {**(versions or {}), "latest": version}}
    return dict(body)


def served_version_remarks(body: Mapping[str, JSON]) -> list[str]:
    """Remarks on an agent that serves other versions than the newest, or is disabled."""
    remarks = []
    if served_older_versions(body):
        remarks.append(
            f"users get {describe_traffic_shares(body)}; the newest is version {newest_version(body)}"
        )
    if is_agent_disabled(body):
        remarks.append("it is disabled: it rejects every request")
    return remarks
