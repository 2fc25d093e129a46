"""The estates in fixtures/ are whole: references resolve, bytes are there, every special case is present."""

from __future__ import annotations

import json
import struct
import unicodedata
import zlib
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "fixtures"
NAMES = ("azure-v1", "azure-v2", "openai-v2")
PREFIXES = {
    "assistant": "asst_",
    "thread": "thread_",
    "thread.message": "msg_",
    "thread.run": "run_",
    "thread.run.step": "step_",
    "vector_store": "vs_",
}

# References to things deleted before the reading, as old threads have them: (estate, kind, id).
DANGLING = {
    ("azure-v2", "assistant", "asst_V8FWXgLdFSkIPBou9IUnod1H"),  # its thread outlived it
    ("azure-v2", "file", "assistant-2e85JZ1JZozgsfkW99ddvy"),  # cited in that thread
}


class Estate:
    """One saved estate: the rows of every list, by the file the list stands in."""

    def __init__(self, name: str) -> None:
        self.name, self.root = name, ROOT / name
        self.lists = {p.relative_to(self.root).as_posix(): read(p) for p in self.root.rglob("*.json")}

    def rows(self, folder: str, object_id: str | None = None) -> list[dict]:
        where = f"{folder}/{object_id}.json" if object_id else f"{folder}"
        return [r for path, page in self.lists.items() if path.startswith(where) for r in page["data"]]

    def contents(self, file_id: str) -> bytes:
        return (self.root / "content" / file_id).read_bytes()

    def parts(self, kind: str) -> list[dict]:
        return [p for m in self.rows("messages") for p in m["content"] if p["type"] == kind]

    def annotations(self) -> list[tuple[str, dict]]:
        texts = [p["text"] for p in self.parts("text")]
        return [(t["value"], a) for t in texts for a in t["annotations"]]


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


# Keys whose value names another object, or a list of such names. Walked everywhere but in JSON Schemas.
NAMED_BY = {
    "assistant_id": "assistant",
    "thread_id": "thread",
    "run_id": "run",
    "message_id": "message",
    "file_id": "file",
    "file_ids": "file",
    "vector_store_id": "vector_store",
    "vector_store_ids": "vector_store",
}
SCHEMAS = {"parameters", "schema"}


def references(value: object):
    """Every (kind, id) a JSON value points at."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key in NAMED_BY and item is not None:
                yield from ((NAMED_BY[key], i) for i in (item if isinstance(item, list) else [item]))
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
        rows = page["data"]
        ends = (rows[0]["id"], rows[-1]["id"]) if rows else (None, None)
        assert (page["first_id"], page["last_id"]) == ends, path
        assert page["object"] == "list", path
        assert page["has_more"] is False, path
        times = [r["created_at"] for r in rows]
        assert times == sorted(times), path
        assert all(1704067200 <= t < 1788220800 for t in times), f"{path}: not in 2024 to August 2026"
        folder, _, name = path.partition("/")
        assert all(r[owner[folder]] == name.removesuffix(".json") for r in rows if name), path


def test_every_parent_has_its_list(e):
    for parent, children in [("threads", "messages"), ("threads", "runs")]:
        wanted = {f"{children}/{t['id']}.json" for t in e.rows(f"{parent}.json")}
        assert wanted == {p for p in e.lists if p.startswith(f"{children}/")}
    assert {f"steps/{r['id']}.json" for r in e.rows("runs/")} == {
        p for p in e.lists if p.startswith("steps/")
    }
    stores = {f"vector_store_files/{s['id']}.json" for s in e.rows("vector_stores.json")}
    assert stores == {p for p in e.lists if p.startswith("vector_store_files/")}


def test_ids_are_unique_and_look_like_the_services(e):
    rows = [r for p in e.lists if not p.startswith("vector_store_files/") for r in e.lists[p]["data"]]
    assert [i for i, n in Counter(r["id"].casefold() for r in rows).items() if n > 1] == []
    file_prefix = "file-" if e.name == "openai-v2" else "assistant-"
    for row in rows:
        assert row["id"].startswith(PREFIXES.get(row["object"], file_prefix)), row["id"]


def test_annotations_mark_exactly_their_text(e):
    assert e.annotations()
    for value, note in e.annotations():
        assert value[note["start_index"] : note["end_index"]] == note["text"]


def test_every_file_has_its_bytes_and_nothing_else_lies_there(e):
    files = {f["id"]: f["bytes"] for f in e.rows("files.json")}
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
    assert sum(p.stat().st_size for p in ROOT.rglob("*") if p.is_file()) < 1_500_000


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


# The special cases. Each row finds the objects that show its case; finding none is the failure.


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

CASES = [
    pytest.param(name, find, id=f"{name}: {title}".encode("unicode_escape").decode())
    for name, cases in (("azure-v1", OLD), ("azure-v2", AZURE), ("openai-v2", OPENAI))
    for title, find in cases.items()
]


@pytest.mark.parametrize(("name", "find"), CASES)
def test_special_case_is_there(name, find):
    assert find(estate(name))
