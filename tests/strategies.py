"""Generated objects of an estate: plausible, odd and broken, in canonical form."""

from __future__ import annotations

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from migrate.model import STAMP, Entity

steady = settings(max_examples=150, deadline=None, derandomize=True, database=None)
"""The same examples on every machine."""

words = st.text(max_size=12)
ids = st.sampled_from(["file-a", "file-b", "assistant-c", "gone-1", "gone-2", "vs_1", "vs_2"])
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | words
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=6,
)
telling = st.integers(min_value=1) | st.text(min_size=1, max_size=5) | st.lists(words, min_size=1, max_size=2)
"""Values of unknown keys that say something."""


def optional(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """An object in which every field may be absent."""
    return st.fixed_dictionaries({}, optional=fields)


def entities(kind: str, parent: str, fields: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[Entity]:
    extras = st.dictionaries(st.sampled_from(["new_key", "colour"]), telling, max_size=2)
    return st.builds(
        lambda held, unknown: Entity(kind, f"{kind}-1", parent, held, {"created_at": 1}, unknown),
        fields,
        extras,
    )


texts = st.none() | words | st.text(min_size=20, max_size=60)
metadata = st.none() | st.dictionaries(
    words | st.just(STAMP) | st.text(min_size=10, max_size=40), json_values
)
resources = st.none() | optional(
    code_interpreter=st.none() | optional(file_ids=st.lists(ids), other=telling),
    file_search=st.none() | optional(vector_store_ids=st.lists(ids), vector_stores=st.lists(json_values)),
    azure_ai_search=json_values,
)
schemas = st.dictionaries(st.sampled_from(["file_id", "vector_store_ids", "id", "type"]), ids | json_values)
functions = st.fixed_dictionaries(
    {"name": st.text(min_size=1, max_size=8)},
    optional={"description": texts, "parameters": st.none() | schemas, "strict": st.none() | st.booleans()},
)
ranking = optional(
    ranker=st.sampled_from(["auto", "default_2024_08_21", "none"]), score_threshold=st.floats(0, 1)
)
tools = st.one_of(
    st.just({"type": "code_interpreter"}),
    st.builds(
        lambda options: {"type": "file_search", "file_search": options}, optional(ranking_options=ranking)
    ),
    st.just({"type": "file_search"}),
    st.builds(lambda function: {"type": "function", "function": function}, functions),
    st.builds(
        lambda type_, value: {"type": type_, type_: value}, st.sampled_from(["bing", "openapi"]), json_values
    ),
)
sampling = st.none() | st.floats(0, 2) | st.sampled_from([0, 1, 2])
formats = st.sampled_from([None, "auto", {"type": "text"}, {"type": "json_object"}])

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
        }
    ),
    max_size=2,
)
images = st.fixed_dictionaries({"file_id": ids}, optional={"detail": st.sampled_from([None, "auto", "low"])})
parts = st.one_of(
    st.builds(lambda v, a: {"type": "text", "text": {"value": v, "annotations": a}}, texts, annotations),
    st.builds(lambda v: {"type": "refusal", "refusal": v}, texts),
    st.builds(lambda v: {"type": "image_file", "image_file": v}, images),
    st.builds(lambda v: {"type": "image_url", "image_url": {"url": v}}, words),
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
        role=st.sampled_from(["user", "assistant", "system", None]),
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

anything = st.one_of(assistants, threads, messages, stores, store_files)
