"""Generated objects of an estate: plausible, odd and invalid, in canonical form."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from migrate.model import STAMP, Entity

# The number of examples is that of the profile (tests/sample.py). They are the same on every machine.
steady = settings()


def few(share: int) -> settings:
    """Settings for a slow property: the number of examples of the profile divided by `share`."""
    return settings(max_examples=max(2, steady.max_examples // share))


words = st.text(max_size=12)
ids = st.sampled_from(["file-a", "file-b", "assistant-c", "gone-1", "gone-2", "vs_1", "vs_2"])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
# Values of unknown keys that are not empty.
non_empty_values = (
    st.integers(min_value=1) | st.text(min_size=1, max_size=5) | st.lists(words, min_size=1, max_size=2)
)


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object in which every field may be absent."""
    return st.fixed_dictionaries({}, optional=fields)


def entities(kind: str, parent: str, fields: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Entity]:
    extras = st.dictionaries(st.sampled_from(["new_key", "colour"]), non_empty_values, max_size=2)
    return st.builds(
        lambda held, unknown: Entity(kind, f"{kind}-1", parent, held, {"created_at": 1}, unknown),
        fields,
        extras,
    )


texts = st.none() | words | st.text(min_size=20, max_size=60) | st.just("Greet {{name}} of {{ house }}.")
# Metadata keys to which this program, or the portal of a project, gives a meaning.
TAKEN_KEYS = (
    STAMP,
    "migrated_name",
    "migrated_files",
    "migrated_files_2",
    "assistants_migrate_from",
    "logo",
    "description",
    "modified_at",
)
keys = words | st.text(min_size=10, max_size=40) | st.sampled_from(TAKEN_KEYS)
metadata = st.none() | st.dictionaries(keys, json_values) | st.dictionaries(keys, words, max_size=18)

PROJECT = "/subscriptions/s/resourceGroups/r/providers/Microsoft.CognitiveServices/accounts/a/projects/p"
connections = st.sampled_from(["search", f"{PROJECT}/connections/search", "papers"])
indexes = st.fixed_dictionaries(
    {"index_connection_id": connections, "index_name": words},
    optional={"query_type": st.just("simple"), "top_k": st.integers(1, 9), "filter": words},
)
labels = st.sampled_from(["one", "two"])
approvals = st.sampled_from(["always", "never", {"never": {"tool_names": ["look"]}}])
approval_rows = st.fixed_dictionaries(
    {"server_label": labels},
    optional={"headers": st.dictionaries(words, words, max_size=2), "require_approval": approvals},
)
resources = st.none() | optional(
    code_interpreter=st.none() | optional(file_ids=st.lists(ids), other=non_empty_values),
    file_search=st.none()
    | optional(vector_store_ids=st.lists(ids), vector_stores=st.lists(non_empty_values)),
    azure_ai_search=st.none() | optional(indexes=st.lists(indexes, max_size=2)),
    mcp=st.lists(approval_rows, max_size=2, unique_by=lambda row: row["server_label"]),
    browser=non_empty_values,
)
schemas = st.dictionaries(st.sampled_from(["file_id", "vector_store_ids", "id", "type"]), ids | json_values)
functions = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=8)},
    optional={"description": texts, "parameters": st.none() | schemas, "strict": st.none() | st.booleans()},
)
ranking = optional(
    ranker=st.sampled_from(["auto", "default_2024_08_21", "none"]), score_threshold=st.floats(0, 1)
)


def _nested(type_: str, **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """A tool whose settings are under its own name."""
    return st.fixed_dictionaries({"type": st.just(type_), type_: st.fixed_dictionaries(fields)})


linked = st.lists(st.builds(lambda id_: {"connection_id": id_}, connections), min_size=1, max_size=2)
searches = st.fixed_dictionaries(
    {"connection_id": connections, "instance_name": words},
    optional={"market": words, "set_lang": words, "count": st.integers(1, 9), "freshness": words},
)
schemes = st.one_of(
    st.just({"type": "anonymous"}),
    st.builds(lambda id_: {"type": "connection", "security_scheme": {"connection_id": id_}}, connections),
    st.builds(lambda to: {"type": "managed_identity", "security_scheme": {"audience": to}}, words),
)
queues = st.builds(
    lambda name: {
        "type": "storage_queue",
        "storage_queue": {"queue_service_endpoint": "https://queues.example.com", "queue_name": name},
    },
    words,
)
servers = st.fixed_dictionaries(
    {"type": st.just("mcp"), "server_label": labels, "server_url": st.sampled_from(["https://a", "{{u}}"])},
    optional={"allowed_tools": st.none() | st.lists(words), "project_connection_id": connections},
)
# Tools of the classic agents of a project.
classic_tools = st.one_of(
    _nested("bing_grounding", search_configurations=st.lists(searches, min_size=1, max_size=2)),
    _nested("bing_custom_search", search_configurations=st.lists(searches, min_size=1, max_size=2)),
    st.just({"type": "azure_ai_search"}),
    _nested("openapi", name=words, spec=schemas, auth=schemes),
    _nested("azure_function", function=functions, input_binding=queues, output_binding=queues),
    servers,
    _nested("fabric_dataagent", connections=linked),
    _nested("sharepoint_grounding", connections=linked),
    _nested("browser_automation", connection=st.builds(lambda id_: {"id": id_}, connections)),
    _nested("computer_use_preview", display_width=st.integers(1, 9), environment=words),
    _nested("connected_agent", id=ids, name=words),
    _nested("deep_research", deep_research_model=words, bing_grounding_connections=linked),
    _nested("event_binding", id=words),
)
tools = st.one_of(
    classic_tools,
    st.just({"type": "code_interpreter"}),
    st.builds(
        lambda options: {"type": "file_search", "file_search": options}, optional(ranking_options=ranking)
    ),
    st.just({"type": "file_search"}),
    st.builds(lambda function: {"type": "function", "function": function}, functions),
    st.builds(
        lambda type_, value: {"type": type_, type_: value}, st.sampled_from(["bing", "tomorrow"]), json_values
    ),
)
sampling = st.none() | st.floats(0, 2) | st.sampled_from([0, 1, 2])
answers = st.fixed_dictionaries(
    {"name": words, "schema": schemas},
    optional={"description": st.none() | words, "strict": st.none() | st.booleans()},
)
formats = st.sampled_from([None, "auto", {"type": "text"}, {"type": "json_object"}]) | st.builds(
    lambda schema: {"type": "json_schema", "json_schema": schema}, answers
)

assistants = entities(
    "assistant",
    "",
    optional(
        name=texts,
        description=texts,
        model=st.none() | words,
        instructions=texts,
        tools=st.lists(tools, max_size=6),
        tool_resources=resources,
        temperature=sampling,
        top_p=sampling,
        response_format=formats,
        reasoning_effort=st.sampled_from([None, "low", "high"]),
        metadata=metadata,
    ),
)

threads = entities("thread", "", optional(tool_resources=resources, metadata=metadata))

annotations = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.just("file_citation"),
            "text": words,
            "file_citation": st.fixed_dictionaries({"file_id": ids}),
        },
        optional={"start_index": st.none() | st.integers(-1, 9)},
    ),
    max_size=2,
)
images = st.fixed_dictionaries({"file_id": ids}, optional={"detail": st.sampled_from([None, "auto", "low"])})
addresses = st.fixed_dictionaries(
    {"url": words | st.sampled_from(["https://example.com/a.png", "data:image/png;base64,AAAA", "data:,"])},
    optional={"detail": st.sampled_from([None, "auto", "high"])},
)
parts = st.one_of(
    st.builds(lambda v, a: {"type": "text", "text": {"value": v, "annotations": a}}, texts, annotations),
    st.builds(lambda v: {"type": "refusal", "refusal": v}, texts),
    st.builds(lambda v: {"type": "image_file", "image_file": v}, images),
    st.builds(lambda v: {"type": "image_url", "image_url": v}, addresses),
    st.builds(lambda t, v: {"type": t, t: v}, st.sampled_from(["audio", "chart"]), json_values),
)
tool_types = st.sampled_from(["code_interpreter", "file_search", "browser"])
attachments = st.fixed_dictionaries(
    {"file_id": st.none() | ids},
    optional={"tools": st.none() | st.lists(st.builds(lambda t: {"type": t}, tool_types), max_size=3)},
)
messages = entities(
    "message",
    "thread-1",
    optional(
        role=st.sampled_from(["user", "assistant", "system", "developer", "tool", None]),
        content=st.lists(parts, max_size=4),
        attachments=st.none() | st.lists(attachments, max_size=3),
        metadata=metadata,
    ),
)

expiry = st.fixed_dictionaries(
    {"anchor": st.sampled_from(["last_active_at", "created_at"])}, optional={"days": st.integers(-1, 400)}
)
stores = entities(
    "vector_store",
    "",
    optional(name=texts, description=texts, metadata=metadata, expires_after=st.none() | expiry),
)

sizes = st.fixed_dictionaries(
    {"max_chunk_size_tokens": st.integers(100, 4096), "chunk_overlap_tokens": st.integers(0, 2048)}
)
default_sizes = st.just({"max_chunk_size_tokens": 800, "chunk_overlap_tokens": 400})
chunkings = st.sampled_from([None, {"type": "auto"}, {"type": "other"}]) | st.builds(
    lambda static: {"type": "static", "static": static}, sizes | default_sizes
)
store_files = entities(
    "vector_store_file",
    "vs_1",
    st.fixed_dictionaries(
        {"file_id": st.just("file-a")},
        optional={
            "attributes": st.none() | st.dictionaries(st.text(max_size=40), scalars, max_size=20),
            "chunking_strategy": chunkings,
        },
    ),
)

named_files = entities(
    "file",
    "",
    st.fixed_dictionaries(
        {"sha256": st.just("0" * 64), "bytes": st.integers(0, 9)},
        optional={
            "filename": texts,
            "purpose": st.none()
            | st.sampled_from(["assistants", "assistants_output", "vision", "user_data"]),
        },
    ),
)

anything = st.one_of(assistants, threads, messages, stores, store_files)
