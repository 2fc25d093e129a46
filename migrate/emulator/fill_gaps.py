"""An estate with gaps comes in; every object in it can be reached when this is done.

Children whose parent nobody saved get the least parent that makes them reachable.
"""

from __future__ import annotations

from migrate.emulator.state import Estate, Json


def adopt(estate: Estate) -> None:
    _steps(estate)
    for thread_id in [*estate.messages, *estate.runs]:
        if thread_id not in estate.threads:
            children = [*estate.messages[thread_id].values(), *estate.runs[thread_id].values()]
            estate.threads[thread_id] = _thread(thread_id, children)
    for store_id, entries in estate.vector_store_files.items():
        if store_id not in estate.vector_stores:
            estate.vector_stores[store_id] = _store(store_id, list(entries.values()))
    for conversation_id in estate.items:
        if conversation_id not in estate.conversations:
            estate.conversations[conversation_id] = _conversation(conversation_id)
    _versions(estate)


def _steps(estate: Estate) -> None:
    for run_id, steps in estate.run_steps.items():
        first = next(iter(steps.values()))
        runs = estate.runs[first["thread_id"]]
        if run_id not in runs:
            runs[run_id] = _run(run_id, first)


def _versions(estate: Estate) -> None:
    """An agent shows its latest version; whoever saved agents only has saved that one too."""
    for name, agent in estate.agents.items():
        latest = agent["versions"]["latest"]
        if latest["id"] not in estate.agent_versions[name]:
            estate.agent_versions[name][latest["id"]] = latest
    for name, versions in estate.agent_versions.items():
        if name not in estate.agents:
            latest = versions[versions.order[-1].id]
            shown = {key: value for key, value in latest.items() if key != "agent_guid"}
            agent = {"object": "agent", "id": name, "name": name, "versions": {"latest": shown}}
            estate.agents[name] = agent


def _first_second(children: list[Json]) -> int:
    return min((int(child.get("created_at") or 0) for child in children), default=0)


def _thread(thread_id: str, children: list[Json]) -> Json:
    created = _first_second(children)
    return {"id": thread_id, "object": "thread", "created_at": created, "metadata": {}, "tool_resources": {}}


def _conversation(conversation_id: str) -> Json:
    return {"id": conversation_id, "object": "conversation", "created_at": 0, "metadata": {}}


def _run(run_id: str, step: Json) -> Json:
    return {
        "id": run_id,
        "object": "thread.run",
        "created_at": _first_second([step]),
        "assistant_id": step.get("assistant_id"),
        "thread_id": step["thread_id"],
        "status": "completed",
    }


def _store(store_id: str, entries: list[Json]) -> Json:
    created = _first_second(entries)
    states = [entry.get("status") for entry in entries]
    counts = {state: states.count(state) for state in ("in_progress", "completed", "failed", "cancelled")}
    return {
        "id": store_id,
        "object": "vector_store",
        "name": None,
        "status": "completed",
        "usage_bytes": sum(entry.get("usage_bytes") or 0 for entry in entries),
        "created_at": created,
        "file_counts": {**counts, "total": len(entries)},
        "metadata": {},
        "expires_after": None,
        "expires_at": None,
        "last_active_at": created,
    }
