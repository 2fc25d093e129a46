"""Examples: assistants without their tools."""

from __future__ import annotations

from migrate.model import JSON
from tools.docs.examples.example import NEWER, Example

FULL = {f"key{n:02}": "value" for n in range(16)}
CODE = {"type": "code_interpreter"}
SEARCH = {"type": "file_search"}
STORES = {"vector_store_ids": ["store"]}
ROW = {"index_connection_id": "search", "index_name": "plants", "query_type": "simple"}
SCHEMA = {"name": "answer", "schema": {"type": "object"}, "strict": True}


def _says(field: str, title: str, **says: JSON) -> Example:
    return Example("assistant", field, title, says)


def _may_use(title: str, tool: JSON, resources: JSON) -> Example:
    tools = [tool, SEARCH] if tool is CODE else [tool]
    stores = {} if "file_search" in resources else {"file_search": STORES}
    searched = stores if SEARCH in tools else {}
    return Example(
        "assistant", "tool_resources", title, {"tool_resources": {**searched, **resources}},
        {"tools": tools, "tool_resources": searched},
    )  # fmt: skip


def _reasoning(field: str) -> Example:
    return Example("assistant", field, "a number, for a reasoning model", {field: 0.5}, {"model": "o4-mini"})


def _newer(title: str, **definition: JSON) -> Example:
    return Example("assistant", "definition", title, {"definition": definition}, source=NEWER)


CONFIGURED = (
    _says("name", "letters, digits and hyphens", name="Desk"),
    _says("name", "anything else: `Plant Desk`", name="Plant Desk"),
    _says("name", "one that the target has: `Seed Desk`", name="Seed Desk"),
    _says("name", "another script: `植物`", name="植物"),
    _says("name", "nothing that can be spelled: `–`", name="–"),
    _says("name", "none", name=None),
    Example("assistant", "name", "beside 16 pairs of metadata", {"name": "Plant Desk"}, {"metadata": FULL}),
    _says("name", "beyond `name_max`", name="Plant Desk " * 30),
    _says("description", "a text", description="Knows plants"),
    _says("description", "beyond `description_max`", description="x" * 600),
    _says("model", "a deployment of the target", model="o4-mini"),
    _says("model", "one that `[models]` maps", model="gpt-4-1106-preview"),
    _says("model", "one that the target lacks", model="gpt-4"),
    _says("model", "none", model=None),
    _says("instructions", "a text", instructions="Be short."),
    _says("instructions", "beyond `instructions_max`", instructions="x" * 256_001),
    _says("instructions", "with `{{name}}` in it", instructions="Greet {{name}}."),
    _says("instructions", "with half of a character pair", instructions="\ud800"),
    _may_use("files for code", CODE, {"code_interpreter": {"file_ids": ["report"]}}),
    _may_use("a file that cannot be moved", CODE, {"code_interpreter": {"file_ids": ["gone-report"]}}),
    _may_use("21 files for code", CODE, {"code_interpreter": {"file_ids": [f"f{n}" for n in range(21)]}}),
    _may_use("`data_sources` for code", CODE, {"code_interpreter": {"data_sources": [{"uri": "asset"}]}}),
    Example(
        "assistant", "tool_resources", "a store for search", {"tool_resources": {"file_search": STORES}},
        {"tools": [SEARCH], "tool_resources": {"file_search": {"vector_store_ids": ["other"]}}},
    ),
    _may_use("two stores", SEARCH, {"file_search": {"vector_store_ids": ["store", "other"]}}),
    _may_use("`vector_stores` with `data_sources`", SEARCH, {
        "file_search": {**STORES, "vector_stores": [{"name": "asset"}]}
    }),
    _says(
        "tool_resources", "a store, and no tool that searches", tool_resources={"file_search": STORES}
    ),
    Example(
        "assistant", "tool_resources", "indexes of AI Search",
        {"tool_resources": {"azure_ai_search": {"indexes": [ROW, ROW]}}},
        {"tools": [{"type": "azure_ai_search"}], "tool_resources": {"azure_ai_search": {"indexes": [ROW]}}},
    ),
    _says("temperature", "a number, 0 as well", temperature=0.0),
    _reasoning("temperature"),
    _says("temperature", "1, which is the default", temperature=1.0),
    _says("top_p", "a number", top_p=0.5),
    _reasoning("top_p"),
    _says("response_format", "`auto`", response_format="auto"),
    _says("response_format", "`text`", response_format={"type": "text"}),
    _says("response_format", "`json_object`", response_format={"type": "json_object"}),
    _says("response_format", "`json_schema`", response_format={"type": "json_schema", "json_schema": SCHEMA}),
    _says("reasoning_effort", "a word", reasoning_effort="low"),
    _says("metadata", "a pair", metadata={"team": "plants"}),
    _says("metadata", "16 pairs: no room for our `migrated_from`", metadata=FULL),
    _says("metadata", "a value beyond `metadata_value_max`", metadata={"note": "x" * 600}),
    _says("metadata", "a value that is no text", metadata={"year": 2025}),
    Example("assistant", "(any)", "an unknown field", extras={"novelty": True}),
    _newer("`tool_choice`", tool_choice="required"),
    _newer("`structured_inputs`", structured_inputs={"name": {"description": "who"}}),
    _newer("`text` beside its format", text={"verbosity": "low"}),
    _newer("`reasoning` beside its effort", reasoning={"summary": "auto"}),
    _newer("`rai_config`", rai_config={"rai_policy_name": "strict"}),
    _newer("`harness`", harness={"type": "some"}),
    _newer("`skills`", skills=[{"name": "some"}]),
    Example(
        "assistant", "definition", "a kind other than `prompt`: `workflow`, `hosted`, `external`, `voice`",
        {"definition": {"kind": "workflow"}, "model": None}, source=NEWER,
    ),
)  # fmt: skip
