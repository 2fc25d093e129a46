"""A judge of a restore: the estate is what it was but for ids, and what was not lost was not touched."""

from __future__ import annotations

import json
from typing import Any

from tests.e2e.running import World
from tests.e2e.test_restore import TABLES, held

Json = dict[str, Any]
# Table, parent and id of an object.
Key = tuple[str, str, str]

# What a service sets in an object by itself.
SERVER_KEYS = {
    *("id", "created_at", "usage_bytes", "last_active_at", "file_counts", "expires_at", "status"),
    *("thread_id", "vector_store_id", "conversation_id", "version", "run_id", "assistant_id", "last_error"),
    *("completed_at", "incomplete_at", "incomplete_details", "object", "versions"),
}


def owned(body: Json, ids: dict[str, str]) -> Json:
    """The fields that the user set: with old ids instead of new ones, and without the stamp."""
    text = json.dumps(body, sort_keys=True)
    for old, new in ids.items():
        text = text.replace(f'"{new}"', f'"{old}"')
    found = {key: value for key, value in json.loads(text).items() if key not in SERVER_KEYS}
    metadata = found.get("metadata") or {}
    found["metadata"] = {k: v for k, v in metadata.items() if not k.startswith("migrated_from")}
    if "versions" in body:
        definition = body["versions"]["latest"]["definition"]
        found = {"name": body["name"], "definition": owned(definition, ids)}
    return {key: value for key, value in found.items() if not is_empty(value)}


def is_empty(value: Any) -> bool:
    """Whether a value is empty in any spelling: null, an empty text, or empty containers."""
    if isinstance(value, dict):
        return all(map(is_empty, value.values()))
    return value is None or value in ("", [])


def rows_of(rows: Json, table: str, parent: str, ids: dict[str, str]) -> list[Json]:
    """The objects below one parent, in order."""
    return [owned(body, ids) for key, body in rows.items() if key[:2] == (table, parent)]


def lose(made: World, type_: str) -> dict[str, str]:
    """Delete one file, the store that has it, the agent that uses it, and a thread: table -> id."""
    estate = made.target.estate
    store = next(iter(estate.vector_stores))
    file = next(iter(estate.vector_store_files[store]))
    lost = {"vector_stores": store, "files": file}
    del estate.vector_stores[store], estate.vector_store_files[store], estate.files[file]
    for rows in estate.vector_store_files.values():
        if file in rows:
            del rows[file]
    if type_ == "foundry":
        lost |= {"agents": "clerk", "conversations": next(iter(estate.conversations))}
        del estate.agents["clerk"], estate.agent_versions["clerk"]
        del estate.conversations[lost["conversations"]], estate.items[lost["conversations"]]
    else:
        lost |= {"assistants": list(estate.assistants)[1], "threads": list(estate.threads)[1]}
        del estate.assistants[lost["assistants"]]
        del estate.threads[lost["threads"]], estate.messages[lost["threads"]]
    return lost


def assert_restored(
    made: World, was: Json, lost: dict[str, str], before: Json, asked: int, result: Json
) -> None:
    """`was`: every body before the loss. `lost`: table -> id. `before`: every body before the restore, and
    `asked`: how many requests there were until then."""
    assert (result["findings"], result["failed"]) == ([], [])
    ids = {row["source_id"]: row["target_id"] for row in result["ids"]}
    assert set(ids) == {lost[table] for table in lost if table != "agents"}
    after = held(made)
    _assert_untouched(made, before, after, asked, result, ids)
    for table, old in lost.items():
        new = ids.get(old, old)
        assert owned(after[table, "", new], ids) == owned(was[table, "", old], {}), table
        for inner in ("messages", "items"):
            assert rows_of(after, inner, new, ids) == rows_of(was, inner, old, {}), table
    for table in TABLES:  # nothing is lost, and nothing is there twice
        assert {ids.get(key[2], key[2]) for key in was if key[0] == table} == {
            key[2] for key in after if key[0] == table
        }, table
    for store in [key[2] for key in was if key[0] == "vector_stores"]:
        rows = {ids.get(key[2], key[2]) for key in was if key[:2] == ("vector_store_files", store)}
        new = ids.get(store, store)
        assert rows == {key[2] for key in after if key[:2] == ("vector_store_files", new)}, store
    contents, file = made.target.estate.content, lost["files"]
    assert contents[ids[file]].read() == contents[file].read()
    _assert_re_pointed(made, lost["vector_stores"], ids)


def _assert_untouched(
    made: World, before: Json, after: Json, asked: int, result: Json, ids: dict[str, str]
) -> None:
    """What was there is what it was, byte for byte, and no request but GET went to it. Of an object that is
    re-pointed, only the reference changed; a store that got a file back has one more."""
    re_pointed = {row["id"] for row in result["relinked"]}
    refilled = set(result["stores_refilled"])
    for key, body in before.items():
        if named := _names_of(key) & re_pointed:
            assert owned(after[key], ids) == owned(body, {}), (key, named)
        elif not _names_of(key) & refilled:
            assert after[key] == body, key
    for line in made.writes(asked):
        if not any(id_ in line for id_ in ids.values()):
            touched = [key for key in before if f"/{key[2]}" in line]
            assert not [key for key in touched if not _names_of(key) & (re_pointed | refilled)], line


def _assert_re_pointed(made: World, store: str, ids: dict[str, str]) -> None:
    """References to a lost store point to the restored one."""
    estate = made.target.estate
    rows = [row for table in TABLES for row in getattr(estate, table).values()]
    texts = [json.dumps({**row, "metadata": _without_stamp(row)}) for row in rows]
    assert not [text for text in texts if store in text]
    assert any(ids[store] in text for text in texts)


def _without_stamp(row: Json) -> Json:
    return {k: v for k, v in (row.get("metadata") or {}).items() if k != "migrated_from"}


def _names_of(key: Key) -> set[str]:
    """The ids under which the parts of an object are known: a version of an agent has its name."""
    return {key[1], key[2], key[2].partition(":")[0]}
