"""The estates in fixtures/ are complete: references resolve, bytes exist, every special case is present."""

from __future__ import annotations

import json
import re
import struct
import unicodedata
import zlib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "fixtures"
NAMES = ("azure-v1", "azure-v2", "openai-v2", "foundry-classic", "foundry")
PREFIXES = {
    "agent": "",  # names that users chose
    "conversation": "conv_",
    "assistant": "asst_",
    "thread": "thread_",
    "thread.message": "msg_",
    "thread.run": "run_",
    "thread.run.step": "step_",
    "vector_store": "vs_",
}

# References to objects that were deleted before the snapshot, or are not listed: (estate, kind, id).
DANGLING = {
    ("azure-v2", "assistant", "asst_V8FWXgLdFSkIPBou9IUnod1H"),  # its thread still exists
    ("azure-v2", "file", "assistant-2e85JZ1JZozgsfkW99ddvy"),  # cited in that thread
    ("foundry-classic", "assistant", "asst_EplyPR8dVtVpRxqd4np0GMdE"),  # a colleague deleted since
    ("foundry-classic", "thread", "thread_beUpmgUF5MhWqMGANCwrZPzO"),  # where a colleague was asked
    ("foundry-classic", "run", "run_fVURpzpiNZ9koYDkPnJINN6G"),  # the colleague's answer
}
# The only file that is listed without bytes: (estate, id).
NO_BYTES = {("foundry-classic", "assistant-hF7R9TRN8BlqxLNjdLGeSP")}  # visitor-log.txt
# These are listed as {"value": [...]}, not in a list envelope.
VALUES = {"deployments.json", "connections.json"}


class Estate:
    """One saved estate: the rows of every list, by its file."""

    def __init__(self, name: str) -> None:
        self.name, self.root = name, ROOT / name
        self.lists = {p.relative_to(self.root).as_posix(): read(p) for p in self.root.rglob("*.json")}

    def rows(self, folder: str, object_id: str | None = None) -> list[dict]:
        where = f"{folder}/{object_id}.json" if object_id else f"{folder}"
        pages = [page for path, page in self.lists.items() if path.startswith(where)]
        return [r for page in pages for r in page.get("data") or page.get("value", [])]

    def contents(self, file_id: str) -> bytes:
        return (self.root / "content" / file_id).read_bytes()

    def parts(self, kind: str) -> list[dict]:
        return [p for m in self.rows("messages") for p in m["content"] if p["type"] == kind]

    def annotations(self) -> list[tuple[str, dict]]:
        """Annotations of texts, in messages and in items of conversations."""
        texts = [p["text"] for p in self.parts("text")]
        parts = [p for i in self.rows("items") for p in i.get("content", ())]
        texts += [{**p, "value": p["text"]} for p in parts if p["type"] == "output_text"]
        marks = [(t["value"], a) for t in texts for a in t["annotations"]]
        return [(v, a) for v, a in marks if "index" not in a]


def read(path: Path) -> dict:
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        pytest.fail(f"{path.relative_to(ROOT)} is not JSON: {error}")


@cache
def estate(name: str) -> Estate:
    return Estate(name)


@pytest.fixture(params=NAMES)
def e(request) -> Estate:
    return estate(request.param)


# Keys whose value is the id of another object, or a list of ids. Searched everywhere but in JSON Schemas.
NAMED_BY = {
    "assistant_id": "assistant",
    "thread_id": "thread",
    "run_id": "run",
    "message_id": "message",
    "file_id": "file",
    "file_ids": "file",
    "vector_store_id": "vector_store",
    "vector_store_ids": "vector_store",
    "project_connection_id": "connection",
}
# References to objects in no list of the service: files of a container, and ids that are only used in a run.
UNLISTED = ("cfile_", "{{")
SCHEMAS = {"parameters", "schema"}


def references(value: object):
    """Every (kind, id) that a JSON value refers to."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        if value.get("type") == "agent_id":
            yield "agent", f"{value['name']}:{value['version']}"
        if value.get("type") == "connected_agent" and "id" in value["connected_agent"]:
            yield "assistant", value["connected_agent"]["id"]
        for key, item in value.items():
            if key in NAMED_BY and item is not None:
                ids = item if isinstance(item, list) else [item]
                yield from ((NAMED_BY[key], i) for i in ids if not i.startswith(UNLISTED))
            elif key not in SCHEMAS and key != "metadata":
                yield from references(item)


def test_references_resolve_except_the_declared_ones(e):
    folders = {
        "assistant": "assistants",
        "thread": "threads",
        "run": "runs",
        "message": "messages",
        "file": "files",
        "vector_store": "vector_stores",
    }
    known = {(kind, r["id"]) for kind, folder in folders.items() for r in e.rows(folder + ".json")}
    known |= {(kind, r["id"]) for kind in ("run", "message") for r in e.rows(folders[kind] + "/")}
    known |= {("connection", c[key]) for c in e.rows("connections.json") for key in ("id", "name")}
    latest = {a["name"]: int(a["versions"]["latest"]["version"]) for a in e.rows("agents.json")}
    known |= {("agent", f"{name}:{n}") for name, last in latest.items() for n in range(1, last + 1)}
    found = set(references(list(e.lists.values())))
    found |= {("file", r["id"]) for r in e.rows("vector_store_files/")}
    missing = {(e.name, kind, i) for kind, i in found - known}
    assert missing == {d for d in DANGLING if d[0] == e.name}


def test_every_list_is_an_ascending_envelope_in_the_place_its_rows_name(e):
    owner = {
        "messages": "thread_id",
        "runs": "thread_id",
        "steps": "run_id",
        "vector_store_files": "vector_store_id",
    }
    for path, page in e.lists.items():
        if path in VALUES:
            assert page.keys() == {"value"}, path
            continue
        rows = page["data"]
        folder, _, name = path.partition("/")
        assert page["object"] == "list", path
        assert page["has_more"] is False, path
        if folder == "items" and not rows:  # this service leaves out first_id and last_id of empty lists
            assert page.keys() == {"object", "data", "has_more"}, path
            continue
        ends = (rows[0]["id"], rows[-1]["id"]) if rows else (None, None)
        assert (page["first_id"], page["last_id"]) == ends, path
        if folder == "items":  # neither times nor parents; see the test of their ids
            continue
        times = [r["versions"]["latest"]["created_at"] if "versions" in r else r["created_at"] for r in rows]
        assert times == sorted(times), path
        if folder == "vector_store_files" and e.name == "foundry-classic":
            times = [t for t in times if t]  # a file of a batch may have no time
        assert all(1704067200 <= t < 1788220800 for t in times), f"{path}: not in 2024 to August 2026"
        assert all(r[owner[folder]] == name.removesuffix(".json") for r in rows if name), path


def test_every_parent_has_its_list(e):
    for parent, children in [("threads", "messages"), ("threads", "runs"), ("conversations", "items")]:
        wanted = {f"{children}/{t['id']}.json" for t in e.rows(f"{parent}.json")}
        assert wanted == {p for p in e.lists if p.startswith(f"{children}/")}
    assert {f"steps/{r['id']}.json" for r in e.rows("runs/")} == {
        p for p in e.lists if p.startswith("steps/")
    }
    stores = {f"vector_store_files/{s['id']}.json" for s in e.rows("vector_stores.json")}
    assert stores == {p for p in e.lists if p.startswith("vector_store_files/")}


def test_ids_are_unique_and_look_like_the_services(e):
    folders = {p.partition("/")[0] for p in e.lists} - {"vector_store_files", "deployments.json"}
    rows = [r for folder in folders for r in e.rows(folder)]
    assert [i for i, n in Counter(r["id"].casefold() for r in rows).items() if n > 1] == []
    for row in rows:
        short = e.name == "openai-v2" or row.get("purpose") == "fine-tune"
        file_prefix = "file-" if short else "assistant-"
        if "object" in row:
            assert row["id"].startswith(PREFIXES.get(row["object"], file_prefix)), row["id"]


def test_annotations_mark_exactly_their_text(e):
    assert e.annotations()
    for value, note in e.annotations():
        if "start_index" not in note:
            assert note["type"] == "url_citation"
            assert note["text"] in value
            continue
        marked = value[note["start_index"] : note["end_index"]]
        if e.name == "foundry":
            assert (note.get("url") or note["filename"]) in marked
        else:
            assert marked == note["text"]


def test_every_file_has_its_bytes_and_nothing_else_is_there(e):
    files = {f["id"]: f["bytes"] for f in e.rows("files.json") if (e.name, f["id"]) not in NO_BYTES}
    assert all(any(f["id"] == i for f in e.rows("files.json")) for name, i in NO_BYTES if name == e.name)
    assert files == {p.name: p.stat().st_size for p in (e.root / "content").iterdir()}


def test_pictures_are_whole_png_files(e):
    pictures = [f for f in e.rows("files.json") if f["filename"].endswith(".png")]
    assert pictures
    for file in pictures:
        data = e.contents(file["id"])
        assert data.startswith(b"\x89PNG\r\n\x1a\n")
        at, packed = 8, b""
        while at < len(data):
            (size,), kind = struct.unpack(">I", data[at : at + 4]), data[at + 4 : at + 8]
            body = data[at + 8 : at + 8 + size]
            (check,) = struct.unpack(">I", data[at + 8 + size : at + 12 + size])
            assert check == zlib.crc32(kind + body)
            packed += body if kind == b"IDAT" else b""
            at += 12 + size
        assert kind == b"IEND"
        width, height = struct.unpack(">II", data[16:24])
        assert len(zlib.decompress(packed)) == height * (1 + 3 * width)


def test_stores_count_what_they_list(e):
    for store in e.rows("vector_stores.json"):
        rows = e.rows("vector_store_files", store["id"])
        counted = Counter(r["status"] for r in rows)
        assert store["file_counts"]["total"] == len(rows)
        assert {s: n for s, n in store["file_counts"].items() if n and s != "total"} == dict(counted)
        assert store["usage_bytes"] == sum(r["usage_bytes"] for r in rows)


def test_json_is_written_for_reading(e):
    for path, page in e.lists.items():
        text = json.dumps(page, indent=2, ensure_ascii=False) + "\n"
        assert (e.root / path).read_bytes() == text.encode(), path


def test_all_of_it_stays_small():
    def size(folder):
        return sum(p.stat().st_size for p in folder.rglob("*") if p.is_file())

    assert size(ROOT) < 1_500_000
    assert size(ROOT / "foundry-classic") < 250_000
    assert size(ROOT / "foundry") < 250_000


def test_v1_shows_the_same_spine_in_the_older_shape():
    old, new = estate("azure-v1"), estate("azure-v2")
    shared = {r["id"] for r in old.rows("messages/")} & {r["id"] for r in new.rows("messages/")}
    assert len(shared) == 4
    support = {
        e.name: next(a for a in e.rows("assistants.json") if a["name"] == "Product Support")
        for e in (old, new)
    }
    assert support["azure-v1"]["id"] == support["azure-v2"]["id"]
    assert support["azure-v1"]["tools"] == [{"type": "retrieval"}]
    assert support["azure-v1"]["file_ids"] == []
    later = {"tool_resources", "attachments", "file_search", "temperature", "response_format"}
    rows = [r for page in old.lists.values() for r in page["data"]]
    assert [r["id"] for r in rows if later & r.keys()] == []


# Types of tools, and below of items, that assistants, agents and conversations of Foundry may have.
CLASSIC_TOOLS = """
    code_interpreter file_search function bing_grounding bing_custom_search azure_ai_search openapi
    azure_function mcp deep_research fabric_dataagent sharepoint_grounding browser_automation
    computer_use_preview connected_agent
""".split()
AGENT_TOOLS = """
    code_interpreter file_search function bing_grounding bing_custom_search_preview azure_ai_search openapi
    azure_function mcp fabric_dataagent_preview sharepoint_grounding_preview browser_automation_preview
    a2a_preview web_search web_search_preview
""".split()
# The beginning of an item's id, and its own keys.
ITEMS = {
    "message": "msg: role content status",
    "function_call": "fc: call_id name arguments status",
    "function_call_output": "fco: call_id output status",
    "file_search_call": "fs: queries status",
    "reasoning": "rs: summary",
    "code_interpreter_call": "ci: container_id code outputs status",
    "web_search_call": "ws: action status",
    "mcp_list_tools": "mcpl: server_label tools",
    "mcp_approval_request": "mcpr: server_label name arguments",
    "mcp_approval_response": "mcpa: approval_request_id approve",
    "mcp_call": "mcp: approval_request_id server_label name arguments output status",
}
# The types of parts in messages of a role, and the keys of each.
PARTS = {
    "system": {"input_text"},
    "developer": {"input_text"},
    "user": {"input_text", "input_image", "input_file"},
    "assistant": {"output_text", "refusal"},
}
PART_KEYS = (
    {"type", "text"},
    {"type", "text", "annotations"},
    {"type", "text", "annotations", "logprobs"},
    {"type", "refusal"},
    {"type", "image_url", "detail"},
    {"type", "file_id", "detail"},
    {"type", "file_id"},
    {"type", "file_url"},
)
# The keys of an agent's version by the time of its creation; the service added keys twice.
OLDEST = {"metadata", "object", "id", "name", "version", "description", "created_at", "definition"}
WITH_STATUS = OLDEST | {"status"}
IDENTITY = {"instance_identity", "blueprint", "blueprint_reference"}
NEWEST = WITH_STATUS | IDENTITY | {"agent_guid"}


def versions(e):
    return [a["versions"]["latest"] for a in e.rows("agents.json")]


def agent_tools(e, kind=None):
    found = [t for v in versions(e) for t in v["definition"].get("tools", [])]
    return [t for t in found if kind in (None, t["type"])]


def tools(e, kind):
    return [t[kind] for a in assistants(e) for t in a["tools"] if t["type"] == kind]


# The value of `object`, and all keys of an object, by its list.
KEYS = {
    "assistants.json": """assistant: id object created_at name description model instructions tools top_p
        temperature tool_resources metadata response_format""",
    "threads.json": "thread: id object created_at metadata tool_resources",
    "messages": """thread.message: id object created_at assistant_id thread_id run_id role content
        attachments metadata""",
    "runs": """thread.run: id object created_at assistant_id thread_id status started_at expires_at
        cancelled_at failed_at completed_at required_action last_error model instructions tools
        tool_resources metadata temperature top_p max_completion_tokens max_prompt_tokens
        truncation_strategy incomplete_details usage response_format tool_choice parallel_tool_calls""",
    "steps": """thread.run.step: id object created_at run_id assistant_id thread_id type status cancelled_at
        completed_at expires_at failed_at last_error step_details usage""",
    "files.json": "file: object id purpose filename bytes created_at status status_details",
    "vector_stores.json": """vector_store: id object name status usage_bytes created_at file_counts metadata
        expires_after expires_at last_active_at""",
    "vector_store_files": """vector_store.file: id object usage_bytes created_at vector_store_id status
        last_error chunking_strategy""",
    "conversations.json": "conversation: id object metadata created_at",
}
FILE_COUNTS = {"in_progress", "completed", "failed", "cancelled", "total"}


@pytest.mark.parametrize("name", ["foundry-classic", "foundry"])
def test_rows_have_the_keys_of_their_service_and_no_other(name):
    e = estate(name)
    for where, words in KEYS.items():
        kind, _, keys = words.partition(": ")
        wanted = set(keys.split()) | ({"expires_at"} if (name, kind) == ("foundry", "file") else set())
        for row in e.rows(where):
            untimed = kind == "vector_store.file" and row["created_at"] == 0
            own = {"chunking_strategy"} if untimed else set()
            more = {"attributes"} if (name, kind) == ("foundry", "vector_store.file") else set()
            assert row["object"] == kind
            assert row.keys() - more == wanted - own, row["id"]
            assert all(isinstance(row[k], dict) for k in ("metadata", "tool_resources") if k in row)
    assert all(f["status"] == "processed" for f in e.rows("files.json"))
    assert all(s["file_counts"].keys() == FILE_COUNTS for s in e.rows("vector_stores.json"))
    chunks = [r["chunking_strategy"] for r in e.rows("vector_store_files") if "chunking_strategy" in r]
    assert [c for c in chunks if c not in ({"type": "other"}, static(800, 400), static(400, 100))] == []


def test_runs_agree_with_what_they_made():
    e = estate("foundry-classic")
    runs = {r["id"]: r for r in e.rows("runs")}
    by = {a["id"]: a for a in assistants(e)}
    written = {}
    for run in runs.values():
        assert all(run[k] == by[run["assistant_id"]][k] for k in ("model", "instructions", "tools"))
        assert run["status"] in ("completed", "failed")
        assert all(isinstance(run[k], int) for k in ("started_at", f"{run['status']}_at"))
    for step in e.rows("steps"):
        run, kind = runs[step["run_id"]], step["type"]
        assert all(step[k] == run[k] for k in ("assistant_id", "thread_id"))
        assert isinstance(step[f"{step['status']}_at"], int)
        assert step["step_details"].keys() == {"type", kind}
        assert step["step_details"]["type"] == kind
        if kind == "message_creation":
            written[step["step_details"][kind]["message_id"]] = run["id"]
        elif kind == "tool_calls":
            for call in step["step_details"][kind]:
                assert call.keys() >= {"id", "type"}
                assert call["type"] == "mcp" or isinstance(call[call["type"]], dict)
    for row in [*runs.values(), *e.rows("steps")]:
        used = row["usage"]
        assert used["total_tokens"] == used["prompt_tokens"] + used["completion_tokens"]
        assert used["prompt_token_details"] == {"cached_tokens": 0}
    made = [m for m in e.rows("messages") if m["run_id"]]
    assert {m["id"]: m["run_id"] for m in made} == written
    assert all(m["assistant_id"] == runs[m["run_id"]]["assistant_id"] for m in made)
    assert all(m["assistant_id"] is None for m in e.rows("messages") if not m["run_id"])
    parts = [p for m in e.rows("messages") for p in m["content"]]
    assert all(p.keys() == {"type", p["type"]} for p in parts)
    assert all(p["text"].keys() == {"value", "annotations"} for p in parts if p["type"] == "text")
    assert all(p["image_file"]["file_id"] for p in parts if p["type"] == "image_file")
    assert all(m["content"] for m in e.rows("messages"))
    attached = [a for m in e.rows("messages") for a in m["attachments"]]
    assert all(a["file_id"] and a["tools"] for a in attached)


def test_every_tool_of_foundry_is_used_and_no_other():
    classic = {t["type"] for a in assistants(estate("foundry-classic")) for t in a["tools"]}
    assert classic == set(CLASSIC_TOOLS)
    assert {t["type"] for t in agent_tools(estate("foundry"))} == set(AGENT_TOOLS)


def test_settings_are_below_the_name_of_their_tool():
    flat = {"code_interpreter", "file_search", "function", "mcp", "a2a_preview", "web_search"}
    flat |= {"web_search_preview"}
    for tool in agent_tools(estate("foundry")):
        assert (tool["type"] in tool) == (tool["type"] not in flat)
        assert tool.get(tool["type"]) != {}
    bare = {"code_interpreter", "file_search", "azure_ai_search", "mcp"}
    for assistant in assistants(estate("foundry-classic")):
        for tool in assistant["tools"]:
            assert tool["type"] in tool or tool["type"] in bare
            assert tool.get(tool["type"]) != {}


def test_connections_of_the_classic_project_are_found_by_name_but_for_one():
    pattern = r"/accounts/([^/]+)/projects/[^/]+/connections/([^/\"]+)"
    classic, new = (
        set(re.findall(pattern, "".join(json.dumps(page) for page in estate(name).lists.values())))
        for name in ("foundry-classic", "foundry")
    )
    known = {c["name"] for c in estate("foundry").rows("connections.json")}
    assert {name for _, name in classic} - known == {"sales-model-2024"}
    assert not {account for account, _ in classic} & {account for account, _ in new}


def test_agents_are_as_their_service_shows_them():
    e = estate("foundry")
    seen = []
    for agent in e.rows("agents.json"):
        latest, name = agent["versions"]["latest"], agent["name"]
        assert agent["id"] == latest["name"] == name
        assert (agent["object"], latest["object"]) == ("agent", "agent.version")
        assert latest["id"] == f"{name}:{latest['version']}"
        own = agent.keys() - {"object", "id", "name", "versions"}
        seen.append((latest.keys(), own))
    vintages = [(OLDEST, set()), (WITH_STATUS, {"agent_endpoint"}), (NEWEST, IDENTITY)]
    assert [v for v in vintages if v not in seen] == []
    assert [v for v in seen if v not in vintages] == []
    deployment = "name type modelName modelVersion modelPublisher capabilities sku".split()
    assert all(d.keys() == set(deployment) for d in e.rows("deployments.json"))
    assert all(d["sku"].keys() == {"name", "capacity"} for d in e.rows("deployments.json"))
    connection = "name id type target isDefault credentials metadata".split()
    assert all(c.keys() == set(connection) for c in e.rows("connections.json"))
    assert all(c["id"].endswith(f"/connections/{c['name']}") for c in e.rows("connections.json"))
    deployed = {d["name"] for d in e.rows("deployments.json")}
    prompts = [v["definition"] for v in versions(e) if v["definition"]["kind"] == "prompt"]
    assert {d["model"] for d in prompts} <= deployed


def test_items_belong_to_their_conversation():
    e = estate("foundry")
    names = {f["id"]: f["filename"] for f in e.rows("files.json")}
    found = Counter()
    for conversation in e.rows("conversations.json"):
        key = conversation["id"][5:23]
        for item in e.rows("items", conversation["id"]):
            found[item["type"]] += 1
            prefix, _, keys = ITEMS[item["type"]].partition(": ")
            assert re.fullmatch(f"{prefix}_{key}[A-Za-z0-9]{{32}}", item["id"]), item["id"]
            made = item.keys() & {"created_by", "partition_key"}
            assert item.keys() - made == {"type", "id", *keys.split()}, item["id"]
            assert len(made) in (0, 2)
            if made:
                assert item["partition_key"] == key
                assert item["created_by"]["response_id"].startswith(f"resp_{key}")
                assert item["created_by"].get("agent", {"type": "agent_id"})["type"] == "agent_id"
            assert item.get("status") in (None, "completed", "searching")
            if item["type"] == "message":
                assert item["content"]
                assert all(p.keys() in PART_KEYS for p in item["content"])
                assert item["status"] == "completed"
                assert {p["type"] for p in item["content"]} <= PARTS[item["role"]]
                texts = [p for p in item["content"] if p["type"] == "output_text"]
                assert all(("logprobs" in p) == bool(made) for p in texts)
                cited = [n for p in texts for n in p["annotations"] if n["type"] == "file_citation"]
                assert all(names[n["file_id"]] == n["filename"] for n in cited)
    assert found.keys() == ITEMS.keys()


def test_what_is_asked_in_a_conversation_is_answered_later():
    e = estate("foundry")
    for conversation in e.rows("conversations.json"):
        asked = set()
        for item in e.rows("items", conversation["id"]):
            if item["type"] == "function_call":
                asked.add(item["call_id"])
            elif item["type"] == "mcp_approval_request":
                asked.add(item["id"])
            elif item["type"] == "function_call_output":
                asked.remove(item["call_id"])
            elif item["type"] == "mcp_approval_response":
                asked.remove(item["approval_request_id"])
        assert asked == set()


@pytest.mark.parametrize("name", ["foundry-classic", "foundry"])
def test_nothing_here_leads_to_anybody(name):
    e = estate(name)
    text = "\n".join(json.dumps(page, ensure_ascii=False) for page in e.lists.values())
    hosts = set(re.findall(r"https?://([^/\s\"'\\)]+)", text))
    assert hosts
    assert [h for h in hosts if h != "example.com" and not h.endswith(".example.com")] == []
    assert set(re.findall("/subscriptions/([^/]+)", text)) == {"00000000-0000-0000-0000-000000000000"}
    resources = [r["tool_resources"].get("mcp", []) for r in [*e.rows("assistants"), *e.rows("runs")]]
    headers = [m["headers"] for found in resources for m in found]
    headers += [t.get("headers", {}) for t in agent_tools(e, "mcp")]
    shown = {"foundry-classic": {"REDACTED"}, "foundry": {"Bearer example"}}
    assert {v for h in headers for v in h.values()} == shown[name]


# The special cases. Each row finds the objects of its case; the test fails if there are none.


def schemas(e):
    functions = [
        t["function"] for a in e.rows("assistants.json") for t in a["tools"] if t["type"] == "function"
    ]
    return functions, [f for f in functions if "parameters" in f]


def properties(schema):
    """Every property of a JSON Schema, at any depth, as (name, its schema)."""
    for name, inner in schema.get("properties", {}).items():
        yield name, inner
        yield from properties(inner)


def assistants(e, **wanted):
    return [a for a in e.rows("assistants.json") if all(a[k] == v for k, v in wanted.items())]


def tool_types(a):
    return {t["type"] for t in a["tools"]}


def named(e, name):
    return [f for f in e.rows("files.json") if f["filename"] == name]


def groups(e, key):
    """Files that agree on `key`, in groups of two and more."""
    by = {}
    for f in e.rows("files.json"):
        by.setdefault(key(f), []).append(f)
    return [g for g in by.values() if len(g) > 1]


def unused_files(e):
    lists = [page for path, page in e.lists.items() if path != "files.json"]
    used = {i for kind, i in references(lists) if kind == "file"}
    used |= {r["id"] for r in e.rows("vector_store_files/")}
    return [f["id"] for f in e.rows("files.json") if f["id"] not in used]


def threads_with(e, find):
    return [t for t in e.rows("threads.json") if find(t, e.rows("messages", t["id"]))]


def thread_stores(e, status):
    ids = [i for t in e.rows("threads.json") for i in store_ids(t)]
    week = {"anchor": "last_active_at", "days": 7}
    stores = [s for s in e.rows("vector_stores.json") if s["id"] in ids and s["expires_after"] == week]
    return [s for s in stores if s["status"] == status and e.rows("vector_store_files", s["id"])]


def store_ids(holder):
    return holder.get("tool_resources", {}).get("file_search", {}).get("vector_store_ids", [])


def attached(e, tool):
    return [m for m in e.rows("messages/") for a in m["attachments"] if {"type": tool} in a["tools"]]


def any_text(e, find):
    return [p for p in e.parts("text") if find(p["text"]["value"])]


def written_in(e, *scripts):
    def names(text):
        return {unicodedata.name(c, "").split(" ")[0] for c in text}

    return [p for p in e.parts("text") if set(scripts) & names(p["text"]["value"])]


def calls(e, kind):
    steps = [s["step_details"] for s in e.rows("steps/") if s["type"] == "tool_calls"]
    return [c[kind] for d in steps for c in d["tool_calls"] if c["type"] == kind]


def outputs(e, kind):
    return [o for c in calls(e, "code_interpreter") for o in c["outputs"] if o["type"] == kind]


def static(size, overlap):
    return {"type": "static", "static": {"max_chunk_size_tokens": size, "chunk_overlap_tokens": overlap}}


def attribute_types(e):
    rows = [r for r in e.rows("vector_store_files/") if r["chunking_strategy"] == static(1000, 200)]
    return [r for r in rows if {str, int, bool} <= {type(v) for v in r.get("attributes", {}).values()}]


def sizes_in_seconds(e, thread):
    return Counter(m["created_at"] for m in e.rows("messages", thread["id"]))


def real_id_in_schema(e, key, rows):
    ids = {r["id"] for r in e.rows(rows)}
    found = [inner for f in schemas(e)[1] for name, inner in properties(f["parameters"]) if name == key]
    return [s for s in found if ids & set(s.get("enum", []) + s.get("items", {}).get("enum", []))]


HOSTILE = [
    "../../etc/passwd",
    "CON.txt",
    "a\\b.txt",
    "first line\nsecond line.txt",
    "\x1b[31mred\x1b[0m.txt",
    "invoice-\u202efdp.txt",
    "=cmd|' /C calc'!A0.csv",
    "<img src=x onerror=alert(1)>.md",
    "\"double\" 'single' `tick`.txt",
]

AZURE = {
    "data visualization with code interpreter": lambda e: [
        a
        for a in assistants(e, name="Data Visualization", model="gpt-4-1106-preview", temperature=1.0)
        if tool_types(a) == {"code_interpreter"}
    ],
    "text beside a generated picture": lambda e: [
        m
        for m in e.rows("messages/")
        if [p["type"] for p in m["content"]] == ["image_file", "text"] and m["run_id"]
    ],
    "sandbox link with its file": lambda e: [
        n
        for _, n in e.annotations()
        if n["type"] == "file_path" and n["text"].startswith("sandbox:/mnt/data/")
    ],
    "step that writes a message": lambda e: [s for s in e.rows("steps/") if s["type"] == "message_creation"],
    "code step with logs": lambda e: outputs(e, "logs"),
    "code step with a picture": lambda e: outputs(e, "image"),
    "search step with results": lambda e: [c for c in calls(e, "file_search") if c["results"]],
    "function step with its answer": lambda e: [c for c in calls(e, "function") if c["output"]],
    "files made by the service": lambda e: [
        f for f in e.rows("files.json") if f["purpose"] == "assistants_output"
    ],
    "static chunks and attributes of three types": attribute_types,
    "store shared by two assistants": lambda e: [
        i for i, n in Counter(i for a in assistants(e) for i in store_ids(a)).items() if n == 2
    ],
    "citation": lambda e: [n for _, n in e.annotations() if n["text"] == "【4:0†source】"],
    "one mark cited twice in a text": lambda e: [
        k for k, n in Counter((v, a["text"]) for v, a in e.annotations()).items() if n == 2
    ],
    "citation after text that is not Latin": lambda e: [v for v, _ in e.annotations() if ord(v[0]) > 0x1000],
    "function, strict": lambda e: [f for f in schemas(e)[1] if f.get("strict") is True],
    "function, strict not given": lambda e: [f for f in schemas(e)[1] if "strict" not in f],
    "function without parameters": lambda e: [f for f in schemas(e)[0] if "parameters" not in f],
    "schema with properties id and name": lambda e: [
        f for f in schemas(e)[1] if {"id", "name"} <= f["parameters"]["properties"].keys()
    ],
    "schema naming a real file id": lambda e: real_id_in_schema(e, "file_id", "files.json"),
    "schema naming a real store id": lambda e: real_id_in_schema(e, "vector_store_ids", "vector_stores.json"),
    "two assistants of one name": lambda e: [
        n for n, c in Counter(a["name"] for a in assistants(e)).items() if n and c == 2
    ],
    "assistant without a name": lambda e: assistants(e, name=None),
    "temperature and top_p zero": lambda e: assistants(e, temperature=0.0, top_p=0.0),
    "top_p near zero": lambda e: [a for a in assistants(e) if 0 < a["top_p"] < 0.1],
    "assistant with 16 metadata pairs": lambda e: [a for a in assistants(e) if len(a["metadata"]) == 16],
    "message with 16 metadata pairs": lambda e: [m for m in e.rows("messages/") if len(m["metadata"]) == 16],
    "response as any JSON object": lambda e: assistants(e, response_format={"type": "json_object"}),
    "response after a schema": lambda e: [
        a for a in assistants(e) if "json_schema" in a["response_format"] and a["response_format"] != "auto"
    ],
    "description empty": lambda e: assistants(e, description=""),
    "description null": lambda e: assistants(e, description=None),
    "instructions with a template mark": lambda e: [
        a for a in assistants(e) if "{{" in (a["instructions"] or "")
    ],
    "assistant with files for code": lambda e: [
        a for a in assistants(e) if a["tool_resources"].get("code_interpreter", {}).get("file_ids")
    ],
    "250 messages, taking turns, sharing seconds": lambda e: threads_with(
        e,
        lambda t, ms: (
            [m["role"] for m in ms] == ["user", "assistant"] * 125
            and max(sizes_in_seconds(e, t).values()) > 2
        ),
    ),
    "thread without messages": lambda e: threads_with(e, lambda _, ms: ms == []),
    "attachment for code": lambda e: attached(e, "code_interpreter"),
    "attachment for search": lambda e: attached(e, "file_search"),
    "store of a thread, alive": lambda e: thread_stores(e, "completed"),
    "store of a thread, expired, files still listed": lambda e: thread_stores(e, "expired"),
    "Korean": lambda e: written_in(e, "HANGUL"),
    "Japanese": lambda e: written_in(e, "HIRAGANA"),
    "Devanagari": lambda e: written_in(e, "DEVANAGARI"),
    "Hebrew": lambda e: written_in(e, "HEBREW"),
    "Arabic": lambda e: written_in(e, "ARABIC"),
    "emoji joined of several": lambda e: any_text(e, lambda v: "\U0001f469\U0001f3fd\u200d\U0001f527" in v),
    "combining marks beside the composed letter": lambda e: any_text(
        e, lambda v: "é" in v and "e\u0301" in v
    ),
    "zero-width characters": lambda e: any_text(
        e, lambda v: all(c in v for c in "\u200b\u200c\u200d\u2060\ufeff")
    ),
    "line and direction controls": lambda e: any_text(e, lambda v: "\u2028" in v and "\u202e" in v),
    "blanks at both ends and mixed line ends": lambda e: any_text(
        e, lambda v: v != v.strip() and "\r\n" in v
    ),
    "refusal": lambda e: e.parts("refusal"),
    "empty text beside a picture": lambda e: [
        m
        for m in e.rows("messages/")
        if [p["type"] for p in m["content"]] == ["text", "image_file"]
        and m["role"] == "assistant"
        and m["content"][0]["text"]["value"] == ""
    ],
    "nothing but empty text": lambda e: [
        m for m in e.rows("messages/") if [p.get("text", {}).get("value") for p in m["content"]] == [""]
    ],
    "picture by address": lambda e: e.parts("image_url"),
    "picture with a stated detail": lambda e: [
        p for p in e.parts("image_file") if "detail" in p["image_file"]
    ],
    "failed run": lambda e: [
        r for r in e.rows("runs/") if r["status"] == "failed" and r["last_error"]["code"]
    ],
    "message in progress": lambda e: [m for m in e.rows("messages/") if m.get("status") == "in_progress"],
    "message cut off": lambda e: [
        m
        for m in e.rows("messages/")
        if m.get("status") == "incomplete" and m["incomplete_details"]["reason"]
    ],
    "message with status": lambda e: [m for m in e.rows("messages/") if m.get("status") == "completed"],
    "message without status": lambda e: [m for m in e.rows("messages/") if "status" not in m],
    **{f"file named {n!r}": (lambda e, n=n: named(e, n)) for n in HOSTILE},
    "file name of 255 characters": lambda e: [f for f in e.rows("files.json") if len(f["filename"]) == 255],
    "same file name, other bytes": lambda e: [
        g for g in groups(e, lambda f: f["filename"]) if len({e.contents(f["id"]) for f in g}) == len(g)
    ],
    "same bytes, other file name": lambda e: [
        g for g in groups(e, lambda f: e.contents(f["id"])) if len({f["filename"] for f in g}) == len(g)
    ],
    "file of one byte": lambda e: [f for f in e.rows("files.json") if f["bytes"] == 1],
    "file with NUL bytes": lambda e: [
        f for f in e.rows("files.json") if b"\0" in e.contents(f["id"]) and f["filename"].endswith(".bin")
    ],
    "file used by nothing": unused_files,
    "file of 300 kB": lambda e: [f for f in e.rows("files.json") if f["bytes"] == 300_000],
    "store without a name": lambda e: [s for s in e.rows("vector_stores.json") if s["name"] is None],
    "store with an expiry of its own": lambda e: [
        s for s in e.rows("vector_stores.json") if (s["expires_after"] or {}).get("days") == 30
    ],
    "store without files": lambda e: [
        s for s in e.rows("vector_stores.json") if s["name"] and not e.rows("vector_store_files", s["id"])
    ],
    "store file that failed": lambda e: [
        r for r in e.rows("vector_store_files/") if r["status"] == "failed" and r["last_error"]["message"]
    ],
    "chunks of the kind other": lambda e: [
        r for r in e.rows("vector_store_files/") if r["chunking_strategy"] == {"type": "other"}
    ],
}

OPENAI = {
    **{
        f"file of purpose {p}": (lambda e, p=p: [f for f in e.rows("files.json") if f["purpose"] == p])
        for p in ("assistants", "vision", "assistants_output")
    },
    "reasoning effort given": lambda e: assistants(e, reasoning_effort="high"),
    "reasoning effort null": lambda e: assistants(e, reasoning_effort=None),
    "response after a schema": lambda e: [a for a in assistants(e) if "json_schema" in a["response_format"]],
    "picture by address": lambda e: e.parts("image_url"),
    "picture by file": lambda e: e.parts("image_file"),
    "refusal": lambda e: e.parts("refusal"),
    "attributes on every store file": lambda e: (
        {"attributes" in r for r in e.rows("vector_store_files/")} == {True}
    ),
    "thread without messages": AZURE["thread without messages"],
    "store without a name": AZURE["store without a name"],
}

OLD = {
    "retrieval tool": lambda e: [a for a in assistants(e) if "retrieval" in tool_types(a)],
    "assistant with files": lambda e: [a for a in assistants(e) if a["file_ids"]],
    "message with files": lambda e: [m for m in e.rows("messages/") if m["file_ids"]],
    "retrieval step": lambda e: [c for c in calls(e, "retrieval") if c == {}],
    "citation with its passage": lambda e: [
        n for _, n in e.annotations() if n.get("file_citation", {}).get("quote")
    ],
    "function without parameters": AZURE["function without parameters"],
    "thread without messages": AZURE["thread without messages"],
}


def named_like(e, pattern):
    return [a for a in assistants(e) if re.fullmatch(pattern, a["name"] or "")]


def messages(e, find):
    return [m for m in e.rows("messages/") if find(m)]


def part_types(m):
    return [p["type"] for p in m["content"]]


def marks(e, kind):
    return [n for _, n in e.annotations() if n["type"] == kind]


def formats(e, kind):
    found = [a["response_format"] for a in assistants(e)]
    return [f for f in found if f != "auto" and f["type"] == kind]


def step_kinds(e):
    return {c["type"] for s in e.rows("steps/") for c in s["step_details"].get("tool_calls", [])}


def in_stores(e, **wanted):
    return [r for r in e.rows("vector_store_files/") if all(r.get(k) == v for k, v in wanted.items())]


def for_code(e):
    return {
        i for a in assistants(e) for i in a["tool_resources"].get("code_interpreter", {}).get("file_ids", [])
    }


CLASSIC = {
    "two assistants of one name": AZURE["two assistants of one name"],
    "assistant without a name": AZURE["assistant without a name"],
    "name in Japanese only": lambda e: named_like(e, "[\u3040-\u30ff\u4e00-\u9fff]+"),
    "name with accents": lambda e: [a for a in assistants(e) if "é" in (a["name"] or "")],
    "name with an underscore, blanks and dots": lambda e: [
        a for a in assistants(e) if set("_ .") <= set(a["name"] or "")
    ],
    "name of 256 characters": lambda e: [a for a in assistants(e) if len(a["name"] or "") == 256],
    "names that differ in one sign only": lambda e: (
        named_like(e, "seed_catalogue") and named_like(e, "seed catalogue")
    ),
    "instructions with a template mark": lambda e: [
        a for a in assistants(e) if "{{customer}}" in (a["instructions"] or "")
    ],
    "instructions of 5000 characters": lambda e: [
        a for a in assistants(e) if len(a["instructions"] or "") > 4900
    ],
    "instructions null": lambda e: assistants(e, instructions=None),
    "instructions empty": lambda e: assistants(e, instructions=""),
    "description of 512 characters": lambda e: [
        a for a in assistants(e) if len(a["description"] or "") == 512
    ],
    "assistant with 16 metadata pairs": AZURE["assistant with 16 metadata pairs"],
    "temperature zero": lambda e: assistants(e, temperature=0.0, top_p=0.5),
    "model retired": lambda e: assistants(e, model="gpt-4-1106-preview"),
    "models still there": lambda e: assistants(e, model="gpt-4o") and assistants(e, model="gpt-4.1"),
    "response as any JSON object": lambda e: formats(e, "json_object"),
    "response as text": lambda e: formats(e, "text"),
    "response after a schema, strict": lambda e: [
        f for f in formats(e, "json_schema") if f["json_schema"].get("strict") is True
    ],
    "response after a schema, strict not given": lambda e: [
        f for f in formats(e, "json_schema") if "strict" not in f["json_schema"]
    ],
    "code with files": for_code,
    "search with a store": lambda e: [a for a in assistants(e) if store_ids(a)],
    "search without a store": lambda e: [
        a for a in assistants(e, tool_resources={}) if "file_search" in tool_types(a)
    ],
    "search with options": lambda e: [
        t["file_search"]["ranking_options"]["score_threshold"] and t["file_search"]["max_num_results"]
        for a in assistants(e)
        for t in a["tools"]
        if "file_search" in t
    ],
    "function, strict": AZURE["function, strict"],
    "function, not strict": lambda e: [f for f in schemas(e)[1] if f.get("strict") is False],
    "function, strict not given": AZURE["function, strict not given"],
    "function without parameters": AZURE["function without parameters"],
    "web search in one market": lambda e: [
        c for t in tools(e, "bing_grounding") for c in t["search_configurations"] if "freshness" in c
    ],
    "index with a filter": lambda e: [
        i
        for a in assistants(e)
        for i in a["tool_resources"].get("azure_ai_search", {}).get("indexes", [])
        if i["filter"] and i["top_k"] and i["query_type"] and i["index_connection_id"]
    ],
    "index with an empty filter": lambda e: [
        a
        for a in assistants(e)
        for i in a["tool_resources"].get("azure_ai_search", {}).get("indexes", [])
        if i["filter"] == ""
    ],
    "interfaces with three kinds of sign-in": lambda e: (
        {t["auth"]["type"] for t in tools(e, "openapi")} == {"anonymous", "connection", "managed_identity"}
    ),
    "interface with the functions made of it": lambda e: [t for t in tools(e, "openapi") if t["functions"]],
    "server with all its tools": lambda e: [
        t for a in assistants(e) for t in a["tools"] if t.get("allowed_tools", 0) is None
    ],
    "server with some of its tools": lambda e: [
        t for a in assistants(e) for t in a["tools"] if t.get("allowed_tools")
    ],
    "approval always, and by tool": lambda e: [
        a
        for a in assistants(e)
        if [type(m["require_approval"]) for m in a["tool_resources"].get("mcp", [])] == [str, dict]
    ],
    "colleague who is there": lambda e: [
        t for t in tools(e, "connected_agent") for a in assistants(e) if t["id"] == a["id"]
    ],
    "sales model with instructions left open": lambda e: [
        t for t in tools(e, "fabric_dataagent") if t["instructions"] is None
    ],
    "45 messages, taking turns, sharing seconds, nobody's runs": lambda e: threads_with(
        e,
        lambda t, ms: (
            [m["role"] for m in ms] == (["user", "assistant"] * 23)[:45]
            and max(sizes_in_seconds(e, t).values()) > 2
            and {m["run_id"] for m in ms} == {None}
        ),
    ),
    "picture from a user": lambda e: messages(
        e, lambda m: m["role"] == "user" and "image_file" in part_types(m)
    ),
    "picture from an assistant": lambda e: messages(
        e, lambda m: m["role"] == "assistant" and "image_file" in part_types(m)
    ),
    "picture by address": AZURE["picture by address"],
    "refusal": AZURE["refusal"],
    "nothing but empty text": AZURE["nothing but empty text"],
    "citation with its passage": OLD["citation with its passage"],
    "citation without its passage": lambda e: [
        n for n in marks(e, "file_citation") if "quote" not in n["file_citation"]
    ],
    "page cited without a place": lambda e: [n for n in marks(e, "url_citation") if "start_index" not in n],
    "page cited without a scheme": lambda e: [
        n for n in marks(e, "url_citation") if "://" not in n["url_citation"]["url"]
    ],
    "sandbox link with its file": AZURE["sandbox link with its file"],
    "attachment for code": AZURE["attachment for code"],
    "attachment for search": AZURE["attachment for search"],
    "attachment for both": lambda e: messages(
        e, lambda m: any(len(a["tools"]) == 2 for a in m["attachments"])
    ),
    "two texts in a message": lambda e: messages(e, lambda m: part_types(m) == ["text", "text"]),
    "message with metadata": lambda e: messages(e, lambda m: m["metadata"]),
    "thread with 16 metadata pairs": lambda e: [
        t for t in e.rows("threads.json") if len(t["metadata"]) == 16
    ],
    "thread without messages": AZURE["thread without messages"],
    "thread with a store and files for code": lambda e: [
        t
        for t in e.rows("threads.json")
        if store_ids(t) and t["tool_resources"].get("code_interpreter", {}).get("file_ids")
    ],
    "thread with an empty block for code": lambda e: [
        t for t in e.rows("threads.json") if t["tool_resources"] == {"code_interpreter": {"file_ids": []}}
    ],
    "thread without resources": lambda e: [t for t in e.rows("threads.json") if t["tool_resources"] == {}],
    "store of a thread, alive": AZURE["store of a thread, alive"],
    "store of a thread, expired, files still listed": AZURE["store of a thread, expired, files still listed"],
    "steps that call what only Foundry has": lambda e: (
        {"azure_ai_search", "bing_grounding", "mcp", "connected_agent"} <= step_kinds(e)
    ),
    "step that lists the tools of a server": lambda e: [
        s for s in e.rows("steps/") if s["type"] == "activities" and s["step_details"]["activities"]
    ],
    "run with the headers of a server hidden": lambda e: [
        r for r in e.rows("runs/") if r["tool_resources"].get("mcp")
    ],
    "run whose assistant has more resources than it tells": lambda e: [
        r
        for r in e.rows("runs/")
        for a in assistants(e, id=r["assistant_id"])
        if a["tool_resources"] and r["tool_resources"] == {}
    ],
    "failed run": AZURE["failed run"],
    "store with three files, one in small chunks": lambda e: [
        s
        for s in e.rows("vector_stores.json")
        if len(e.rows("vector_store_files", s["id"])) == 3
        and in_stores(e, vector_store_id=s["id"], chunking_strategy=static(400, 100))
    ],
    "store without a name": AZURE["store without a name"],
    "chunks of the kind other": lambda e: in_stores(e, chunking_strategy={"type": "other"}),
    "table for code that no store takes": lambda e: [
        r
        for r in in_stores(e, status="failed")
        if r["last_error"]["code"] == "unsupported_file" and r["id"] in for_code(e)
    ],
    "store file of a batch, with neither time nor chunks": lambda e: [
        r for r in in_stores(e, created_at=0) if "chunking_strategy" not in r
    ],
    **{
        f"file of the kind {end}": (
            lambda e, end=end: [f for f in e.rows("files.json") if f["filename"].endswith(end)]
        )
        for end in (".md", ".txt", ".pdf", ".png", ".csv")
    },
    "picture made by the service": lambda e: [
        f
        for f in e.rows("files.json")
        if f["purpose"] == "assistants_output" and f["filename"].endswith(".png")
    ],
}


def defined(e, find):
    return [v for v in versions(e) if find(v["definition"])]


def text_format(e, kind):
    return defined(e, lambda d: d.get("text", {}).get("format", {}).get("type") == kind)


def containers(e):
    return [t["container"] for t in agent_tools(e, "code_interpreter")]


def talks(e, find):
    return [c for c in e.rows("conversations.json") if find(c, e.rows("items", c["id"]))]


def item_parts(e, kind):
    return [p for i in e.rows("items/") for p in i.get("content", []) if p["type"] == kind]


def notes(e, kind):
    return [n for p in item_parts(e, "output_text") for n in p["annotations"] if n["type"] == kind]


PORTAL = {"logo", "modified_at", "description", "voiceLiveConfig"}
NEW = {
    "name that could not be given today": lambda e: [
        a for a in e.rows("agents.json") if a["name"] == "Documentation Assistant - test nov11"
    ],
    "name in capitals and digits": lambda e: [
        a for a in e.rows("agents.json") if re.fullmatch("[A-Z][A-Za-z]+[0-9]", a["name"])
    ],
    "third version": lambda e: [v for v in versions(e) if v["version"] == "3"],
    "workflow": lambda e: defined(e, lambda d: d.keys() == {"kind", "workflow"} and d["kind"] == "workflow"),
    "ten agents with prompts": lambda e: len(defined(e, lambda d: d["kind"] == "prompt")) >= 10,
    "nothing but a model": lambda e: defined(e, lambda d: d.keys() == {"kind", "model"}),
    "metadata of the portal beside the owner's": lambda e: [
        v for v in versions(e) if v["metadata"].keys() > PORTAL
    ],
    "description": lambda e: [v for v in versions(e) if v["description"]],
    "description not given": lambda e: [v for v in versions(e) if v["description"] == ""],
    "temperature zero": lambda e: defined(e, lambda d: d.get("temperature") == 0 and d["top_p"] == 0.5),
    "no temperature": lambda e: defined(e, lambda d: "temperature" not in d and "instructions" in d),
    "reasoning": lambda e: defined(e, lambda d: d.get("reasoning", {}).keys() == {"effort", "summary"}),
    "content policy": lambda e: defined(e, lambda d: "rai_config" in d),
    "inputs for the instructions": lambda e: defined(
        e, lambda d: any("{{" + i + "}}" in d["instructions"] for i in d.get("structured_inputs", {}))
    ),
    "input instead of a file": lambda e: [c for c in containers(e) if c.get("file_ids") == ["{{data_file}}"]],
    "choice of a tool": lambda e: defined(e, lambda d: isinstance(d.get("tool_choice"), dict)),
    "choice of any tool": lambda e: defined(e, lambda d: d.get("tool_choice") == "required"),
    "response as text": lambda e: text_format(e, "text"),
    "response as any JSON object": lambda e: text_format(e, "json_object"),
    "response after a schema": lambda e: text_format(e, "json_schema"),
    "function, strict": lambda e: [t for t in agent_tools(e, "function") if t["strict"] is True],
    "function, not strict": lambda e: [t for t in agent_tools(e, "function") if t["strict"] is False],
    "code with files and a limit": lambda e: [
        c for c in containers(e) if c["file_ids"] and c.get("memory_limit") == "4g"
    ],
    "code with an empty list of files": lambda e: [c for c in containers(e) if c["file_ids"] == []],
    "search with options": lambda e: [
        t
        for t in agent_tools(e, "file_search")
        if t.get("max_num_results") and t["ranking_options"]["ranker"] == "default-2024-11-15"
    ],
    "search with filters, a name and a description": lambda e: [
        t for t in agent_tools(e, "file_search") if {"filters", "name", "description"} <= t.keys()
    ],
    "index with a filter": lambda e: [
        i
        for t in agent_tools(e, "azure_ai_search")
        for i in t["azure_ai_search"]["indexes"]
        if i["filter"] and i["top_k"]
    ],
    "server with a connection": lambda e: [
        t for t in agent_tools(e, "mcp") if "project_connection_id" in t and t["require_approval"] == "always"
    ],
    "server with headers, readable": lambda e: [t for t in agent_tools(e, "mcp") if t.get("headers")],
    "interface with a connection": lambda e: [
        t for t in agent_tools(e, "openapi") if t["openapi"]["auth"]["type"] == "project_connection"
    ],
    "connection by its short name": lambda e: [
        i for k, i in references(agent_tools(e)) if k == "connection" and "/" not in i
    ],
    "connection by its whole id": lambda e: [
        i for k, i in references(agent_tools(e)) if k == "connection" and "/" in i
    ],
    "45 items, all posted": lambda e: talks(
        e, lambda c, rows: len(rows) == 45 and not any("created_by" in r for r in rows)
    ),
    "four roles": lambda e: {i["role"] for i in e.rows("items/") if "role" in i} == PARTS.keys(),
    "picture by address": lambda e: [p for p in item_parts(e, "input_image") if "image_url" in p],
    "picture by file": lambda e: [p for p in item_parts(e, "input_image") if "file_id" in p],
    "paper by file": lambda e: [p for p in item_parts(e, "input_file") if "file_id" in p],
    "paper by address": lambda e: [p for p in item_parts(e, "input_file") if "file_url" in p],
    "refusal": lambda e: item_parts(e, "refusal"),
    "citation of a file": lambda e: [n for n in notes(e, "file_citation") if n["index"] and n["filename"]],
    "citation of a page": lambda e: notes(e, "url_citation"),
    "citation of what a container made": lambda e: [
        n for n in notes(e, "container_file_citation") if n["file_id"].startswith("cfile_")
    ],
    "probabilities of tokens": lambda e: [p for p in item_parts(e, "output_text") if p.get("logprobs")],
    "code run in a container": lambda e: [
        i for i in e.rows("items/") if i.get("container_id", "").startswith("cntr_") and i["outputs"] is None
    ],
    "search that never came to an end": lambda e: [
        i for i in e.rows("items/") if i.get("status") == "searching"
    ],
    "item made without an agent": lambda e: [
        i for i in e.rows("items/") if "created_by" in i and "agent" not in i["created_by"]
    ],
    "items without a state": lambda e: [i for i in e.rows("items/") if "status" not in i],
    "conversation without items": lambda e: talks(e, lambda c, rows: rows == []),
    "conversation with 16 metadata pairs": lambda e: talks(e, lambda c, rows: len(c["metadata"]) == 16),
    "file for tuning, with an id of another form": lambda e: [
        f for f in e.rows("files.json") if re.fullmatch("file-[0-9a-f]{32}", f["id"])
    ],
    "file name with a folder": lambda e: [f for f in e.rows("files.json") if "/" in f["filename"]],
    "file made by the service": AZURE["files made by the service"],
    "store without a name": AZURE["store without a name"],
    "store with an expiry of its own": AZURE["store with an expiry of its own"],
    "store without files": AZURE["store without files"],
    "small chunks and attributes": lambda e: [
        r for r in in_stores(e, chunking_strategy=static(400, 100)) if r["attributes"]
    ],
    "store files without attributes": lambda e: [
        r for r in e.rows("vector_store_files/") if "attributes" not in r
    ],
    "deployment named otherwise than its model": lambda e: [
        d for d in e.rows("deployments.json") if d["name"] != d["modelName"]
    ],
    "deployment that cannot chat": lambda e: [
        d for d in e.rows("deployments.json") if "chat_completion" not in d["capabilities"]
    ],
}

ESTATES = (
    ("azure-v1", OLD),
    ("azure-v2", AZURE),
    ("openai-v2", OPENAI),
    ("foundry-classic", CLASSIC),
    ("foundry", NEW),
)
CASES = [
    pytest.param(name, find, id=f"{name}: {title}".encode("unicode_escape").decode())
    for name, cases in ESTATES
    for title, find in cases.items()
]


@pytest.mark.parametrize(("name", "find"), CASES)
def test_special_case_is_there(name, find):
    assert find(estate(name))
