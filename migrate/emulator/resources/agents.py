"""Agents and their versions. An agent is addressed by its name and shows its latest version."""

from __future__ import annotations

import re
from uuid import uuid4

from migrate.emulator import pagination
from migrate.emulator.errors import agent_not_found, invalid_payload
from migrate.emulator.router import Call
from migrate.emulator.schemas.agents import NAME_PATTERN
from migrate.emulator.state import Json, Table, now

# The first keys of a definition in an answer; the others follow in the order of the body (recorded 2026-03).
FIRST_KEYS = ("kind", "model", "instructions", "temperature", "top_p", "tools", "text", "structured_inputs")
IDENTITY_KEYS = ("instance_identity", "blueprint", "blueprint_reference")
DEFAULT_ENDPOINT: Json = {  # (recorded 2026-04 when an agent is read; lists did not show it in 2026-06)
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
        wrap=pagination.agent_list_envelope,
    )


def read(call: Call, name: str) -> Json:
    agent = _find(call, name)
    endpoint = call.estate.agent_endpoints.get(name)
    return {**agent, "agent_endpoint": endpoint} if endpoint else agent


def delete(call: Call, name: str) -> Json:
    """The text for a missing agent is another one than when it is read (recorded 2026-04)."""
    estate = call.estate
    estate.agents.require(name, agent_not_found("Agent not found"))
    del estate.agents[name]
    for table in (estate.agent_versions, estate.agent_endpoints, estate.last_versions):
        table.pop(name, None)
    return {"object": "agent.deleted", "name": name, "deleted": True}


# -------------------------------------------------------------------------------------------- versions


def list_versions(call: Call, name: str) -> Json:
    _find(call, name)
    versions = call.estate.agent_versions[name]
    return pagination.page(versions, call.query, wrap=pagination.agent_list_envelope)


def read_version(call: Call, name: str, number: str) -> Json:
    version = call.estate.agent_versions.get(name, Table()).get(f"{name}:{number}")
    if version is None:
        raise agent_not_found(f"Agent {name} with version {number} not found")
    return version


def delete_version(call: Call, name: str, number: str) -> Json:
    """Deleting the last version deletes the agent (assumed)."""
    read_version(call, name, number)
    versions = call.estate.agent_versions[name]
    del versions[f"{name}:{number}"]
    if versions:
        _set_latest(call, versions.newest())
    else:
        delete(call, name)
    return {"object": "agent.version.deleted", "name": name, "version": number, "deleted": True}


def create_version(call: Call, name: str) -> Json:
    """References and connections are not checked (recorded 2026-02 to 2026-06)."""
    if not re.fullmatch(NAME_PATTERN, name):
        raise invalid_payload(f"The agent name must match ^{NAME_PATTERN}$.", "/name")
    content = {
        "metadata": call.body.get("metadata") or {},
        "description": call.body.get("description") or "",
        "definition": _stored_definition(call.body["definition"]),
    }
    agent = call.estate.agents.get(name)
    if agent and call.options.identical_is_noop:
        latest = call.estate.agent_versions[name][_latest(agent)["id"]]
        if content == {key: latest.get(key) for key in content}:
            return latest
    version = _new_version(call, name, content)
    call.estate.agent_versions[name][version["id"]] = version
    _set_latest(call, version)
    return version


def _find(call: Call, name: str) -> Json:
    return call.estate.agents.require(name, agent_not_found(f"Agent {name} doesn't exist"))


def _latest(agent: Json) -> Json:
    latest: Json = agent["versions"]["latest"]
    return latest


def _stored_definition(definition: Json) -> Json:
    stored = {key: definition[key] for key in FIRST_KEYS if key in definition} | definition
    if isinstance(stored.get("tools"), list):
        stored["tools"] = [{"type": tool.get("type"), **tool} for tool in stored["tools"]]
    return stored


def _new_version(call: Call, name: str, content: Json) -> Json:
    """The shape of mid-2026 (recorded 2026-06). All versions of an agent have the same identity."""
    versions = call.estate.agent_versions[name]
    numbers = (int(each["version"]) for each in versions.values() if each["version"].isdecimal())
    number = 1 + max(call.estate.last_versions.get(name, 0), *numbers, 0)
    call.estate.last_versions[name] = number
    previous = versions.newest() if versions else {}
    identity = {key: previous[key] for key in IDENTITY_KEYS if key in previous} or _new_identity(name)
    return {
        "metadata": content["metadata"],
        "object": "agent.version",
        "id": f"{name}:{number}",
        "name": name,
        "version": str(number),
        "description": content["description"],
        "created_at": now(),
        "definition": content["definition"],
        "status": "active",
        **identity,
        "agent_guid": previous.get("agent_guid") or str(uuid4()),
    }


def _new_identity(name: str) -> Json:
    return {
        "instance_identity": {"principal_id": str(uuid4()), "client_id": str(uuid4())},
        "blueprint": {"principal_id": str(uuid4()), "client_id": str(uuid4())},
        "blueprint_reference": {
            "type": "ManagedAgentIdentityBlueprint",
            "blueprint_id": f"{name}-{uuid4().hex[:5]}",
        },
    }


def shown_version(version: Json) -> Json:
    """A version as its agent shows it, without the guid (recorded 2026-04)."""
    return {key: value for key, value in version.items() if key != "agent_guid"}


def _set_latest(call: Call, version: Json) -> None:
    name = version["name"]
    versions = {"latest": shown_version(version)}
    agent = call.estate.agents.get(name)
    if agent is None:
        identity = {key: version[key] for key in IDENTITY_KEYS if key in version}
        agent = {"object": "agent", "id": name, "name": name, "versions": versions, **identity}
        call.estate.agent_endpoints[name] = DEFAULT_ENDPOINT
    call.estate.agents[name] = {**agent, "versions": versions}
