"""Examples: threads, messages part by part, and items that are no messages."""

from __future__ import annotations

from migrate.model import JSON
from migrate.model.message import ITEM_ROLE
from tools.docs.examples.example import NEWER, SEARCHING, Example

FULL = {f"key{n:02}": "value" for n in range(16)}
RESOURCES = {"code_interpreter": {"file_ids": ["report"]}, "file_search": {"vector_store_ids": ["store"]}}

THREADS = (
    Example("thread", "tool_resources", "files for code, a store for search", {"tool_resources": RESOURCES}),
    Example(
        "thread", "tool_resources", "the same beside 16 pairs of metadata",
        {"tool_resources": RESOURCES}, {"metadata": FULL},
    ),
    Example(
        "thread", "tool_resources", "indexes of AI Search",
        {"tool_resources": {"azure_ai_search": {"indexes": [{"index_name": "plants"}]}}},
    ),
    Example("thread", "metadata", "a pair", {"metadata": {"customer": "42"}}),
    Example("thread", "metadata", "16 pairs: no room for our `migrated_from`", {"metadata": FULL}),
)  # fmt: skip


def _role(role: str) -> Example:
    return Example("message", "role", f"`{role}`", {"role": role}, source=NEWER)


def _attached(title: str, attachment: JSON, parent: str = "") -> Example:
    return Example("message", "attachments", title, {"attachments": [attachment]}, parent=parent)


MESSAGES = (
    _role("user"),
    _role("assistant"),
    _role("system"),
    _role("developer"),
    _attached("a file for code", {"file_id": "report", "tools": [{"type": "code_interpreter"}]}),
    _attached("a file for search", {"file_id": "report", "tools": [{"type": "file_search"}]}),
    _attached(
        "the same in a thread with a store of its own",
        {"file_id": "report", "tools": [{"type": "file_search"}]},
        SEARCHING,
    ),
    _attached("a file that cannot be moved", {"file_id": "gone-report", "tools": [{"type": "file_search"}]}),
    _attached(
        "a `data_source`, no file", {"data_source": {"uri": "asset"}, "tools": [{"type": "file_search"}]}
    ),
    Example("message", "metadata", "a pair", {"metadata": {"channel": "web"}}),
    Example("message", "phase", "`commentary`", {"phase": "commentary"}, {"role": "assistant"}, source=NEWER),
)


def _text(value: str, *annotations: JSON) -> JSON:
    return {"type": "text", "text": {"value": value, "annotations": list(annotations)}}


def _part(title: str, part: JSON, role: str = "user", source: str = "foundry-classic") -> Example:
    return Example("message", "content", title, {"content": [part]}, {"role": role}, source=source)


def _image(**image: JSON) -> JSON:
    return {"type": "image_file", "image_file": image}


def _address(url: str) -> JSON:
    return {"type": "image_url", "image_url": {"url": url}}


PLACE = {"start_index": 10, "end_index": 22}
CITED = {"type": "file_citation", "text": "【4:0†source】", **PLACE, "file_citation": {"file_id": "report"}}
PATH = {"type": "file_path", "text": "sandbox:/a.csv", **PLACE, "file_path": {"file_id": "report"}}
NEWER_CITED = {"type": "file_citation", "file_id": "report", "filename": "report.pdf", "index": 10}
GONE = {**CITED, "file_citation": {"file_id": "gone-report"}}

PARTS = (
    _part("`text` of a user", _text("Good day")),
    _part("`text` of the assistant", _text("Good day"), "assistant"),
    _part("`text` with a citation of a file", _text("It says so【4:0†source】", CITED), "assistant"),
    _part("the same, of an item", _text("It says so【4:0†source】", NEWER_CITED), "assistant", NEWER),
    _part(
        "`text` with a citation of a file that is not moved", _text("Gone【4:0†source】", GONE), "assistant"
    ),
    _part("`text` with a path to a file", _text("Look at sandbox:/a.csv", PATH), "assistant"),
    _part("`text` with the address of a page", _text("So they say", {"type": "url_citation"}), "assistant"),
    _part("`text` with unknown keys", {**_text("Well"), "mood": "calm"}, "assistant", NEWER),
    _part("`text` that is empty", _text("")),
    _part("`text` beyond `text_max`", _text("x" * 1_500_001)),
    _part("`refusal`", {"type": "refusal", "refusal": "I will not."}, "assistant"),
    _part("`image_file` of a user", _image(file_id="picture", detail="low")),
    _part("`image_file` of the assistant", _image(file_id="picture"), "assistant"),
    _part("`image_file` that cannot be moved", _image(file_id="gone-picture")),
    _part("`image_url` of a user", _address("https://pages.example/leaf.png")),
    _part("`image_url` of the assistant", _address("https://pages.example/leaf.png"), "assistant"),
    _part("`image_url` with the image in it (`data:`)", _address("data:image/png;base64,AA==")),
    _part("`input_file` of a conversation", {"type": "input_file", "file_id": "report"}, "user", NEWER),
    _part("an unknown type", {"type": "novelty"}),
)


def _item(title: str, **inside: JSON) -> Example:
    return Example("message", "content", title, {"role": ITEM_ROLE, "content": [inside]}, source=NEWER)


CALL = {"name": "weigh", "arguments": "{}"}
ITEMS = (
    _item("`function_call` with its output", type="function_call", call_id="call", **CALL),
    _item("`function_call_output` with its call", type="function_call_output", call_id="call", output="7"),
    _item(
        "`function_call` with a `namespace`", type="function_call", call_id="call", namespace="shop", **CALL
    ),
    _item(
        "`function_call_output` in several parts",
        type="function_call_output",
        call_id="call",
        output=[
            {"type": "input_text", "text": "7"},
            {"type": "input_image", "file_id": "picture", "detail": "auto"},
        ],
    ),
    _item("either of them alone", type="function_call", call_id="lone-call", **CALL),
    _item(
        "`reasoning`, `file_search_call`, `web_search_call`, `code_interpreter_call`, "
        "`image_generation_call`, `mcp_call` and its like, anything else",
        type="reasoning",
        summary=[],
    ),
)
