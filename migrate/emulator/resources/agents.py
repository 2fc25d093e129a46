"""Agents and their versions. The name is the key, and an agent shows its latest version."""

from __future__ import annotations

import re
from uuid import uuid4

from migrate.emulator import pagination
from migrate.emulator.errors import invalid, missing
from migrate.emulator.router import Call
from migrate.emulator.schemas.agents import NAME
from migrate.emulator.state import Json, now

# First in an answer, in this order; the rest follows as it was sent (recorded 2026-03).
FIRST_KEYS = ("kind", "model", "instructions", "temperature", "top_p", "tools", "text", "structured_inputs")
IDENTITY = ("instance_identity", "blueprint", "blueprint_reference")
ENDPOINT: Json = {  # (recorded 2026-04, in the answer to GET; lists did not show it in 2026-06)
    "version_selector": {
        "version_selection_rules": [
            {"type": "FixedRatio", "agent_version": "@latest", "traffic_percentage": 100}
        ]
    },
    "protocols": ["responses"],
    "authorization_schemes": [{"type": "Entra", "isolation_key_source": {"kind": "Entra"}}],
}


def page(call: Call) -> Json:
    kind = call.query.get("kind")
    return pagination.page(
        call.estate.agents,
        call.query,
        keep=(lambda agent: _latest(agent)["definition"].get("kind") == kind) if kind else None,
        wrap=pagination.without_empty_ends,
    )


def read(call: Call, name: str) -> Json:
    agent = _find(call, name)
    endpoint = call.estate.agent_endpoints.get(name)
    return {**agent, "agent_endpoint": endpoint} if endpoint else agent


def delete(call: Call, name: str) -> Json:
    """The wording differs from that of reading (recorded 2026-04)."""
    estate = call.estate
    if name not in estate.agents:
        raise missing("Agent not found")
    del estate.agents[name]
    for kept in (estate.agent_versions, estate.agent_endpoints, estate.last_versions):
        kept.pop(name, None)
    return {"object": "agent.deleted", "name": name, "deleted": True}


# -------------------------------------------------------------------------------------------- versions


def versions(call: Call, name: str) -> Json:
    _find(call, name)
    return pagination.page(call.estate.agent_versions[name], call.query, wrap=pagination.without_empty_ends)


def version(call: Call, name: str, number: str) -> Json:
    found = call.estate.agent_versions.get(name)
    if found is None or f"{name}:{number}" not in found:
        raise missing(f"Agent {name} with version {number} not found")
    return found[f"{name}:{number}"]


def delete_version(call: Call, name: str, number: str) -> Json:
    """The agent goes with its last version (assumed)."""
    version(call, name, number)
    left = call.estate.agent_versions[name]
    del left[f"{name}:{number}"]
    if left:
        _show(call, left[left.order[-1].id])
    else:
        delete(call, name)
    return {"object": "agent.version.deleted", "name": name, "version": number, "deleted": True}


def create_version(call: Call, name: str) -> Json:
    """References and connections are not looked at (recorded 2026-02 to 2026-06)."""
    if not re.fullmatch(NAME, name):
        raise invalid(f"The agent name must match ^{NAME}$.", "/name")
    wanted = {
        "metadata": call.body.get("metadata") or {},
        "description": call.body.get("description") or "",
        "definition": _ordered(call.body["definition"]),
    }
    agent = call.estate.agents.get(name)
    if agent and call.options.identical_is_noop:
        latest = call.estate.agent_versions[name][_latest(agent)["id"]]
        if wanted == {key: latest.get(key) for key in wanted}:
            return latest
    made = _version(call, name, wanted)
    call.estate.agent_versions[name][made["id"]] = made
    _show(call, made)
    return made


# ---------------------------------------------------------------------------------------------- shapes


def _find(call: Call, name: str) -> Json:
    try:
        return call.estate.agents[name]
    except KeyError:
        raise missing(f"Agent {name} doesn't exist") from None


def _latest(agent: Json) -> Json:
    latest: Json = agent["versions"]["latest"]
    return latest


def _ordered(definition: Json) -> Json:
    ordered = {key: definition[key] for key in FIRST_KEYS if key in definition} | definition
    if isinstance(ordered.get("tools"), list):
        ordered["tools"] = [{"type": tool.get("type"), **tool} for tool in ordered["tools"]]
    return ordered


def _version(call: Call, name: str, wanted: Json) -> Json:
    """The shape of mid-2026 (recorded 2026-06); every version of an agent has the agent's identity."""
    known = call.estate.agent_versions[name]
    numbers = (int(each["version"]) for each in known.values() if each["version"].isdecimal())
    number = 1 + max(call.estate.last_versions.get(name, 0), *numbers, 0)
    call.estate.last_versions[name] = number
    before = known[known.order[-1].id] if known else {}
    identity = {key: before[key] for key in IDENTITY if key in before} or _identity(name)
    return {
        "metadata": wanted["metadata"],
        "object": "agent.version",
        "id": f"{name}:{number}",
        "name": name,
        "version": str(number),
        "description": wanted["description"],
        "created_at": now(),
        "definition": wanted["definition"],
        "status": "active",
        **identity,
        "agent_guid": before.get("agent_guid") or str(uuid4()),
    }


def _identity(name: str) -> Json:
    return {
        "instance_identity": {"principal_id": str(uuid4()), "client_id": str(uuid4())},
        "blueprint": {"principal_id": str(uuid4()), "client_id": str(uuid4())},
        "blueprint_reference": {
            "type": "ManagedAgentIdentityBlueprint",
            "blueprint_id": f"{name}-{uuid4().hex[:5]}",
        },
    }


def _show(call: Call, latest: Json) -> None:
    """Puts a version in front of its agent, without the guid (recorded 2026-04)."""
    name = latest["name"]
    shown = {"latest": {key: value for key, value in latest.items() if key != "agent_guid"}}
    agent = call.estate.agents.get(name)
    if agent is None:
        identity = {key: latest[key] for key in IDENTITY if key in latest}
        agent = {"object": "agent", "id": name, "name": name, "versions": shown, **identity}
        call.estate.agent_endpoints[name] = ENDPOINT
    call.estate.agents[name] = {**agent, "versions": shown}
