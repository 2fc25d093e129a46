"""Generated bodies as services were seen to return them, and as a careless writer may have left them: nulls,
missing keys, odd siblings, unknown keys, lists instead of texts, values beyond the limits."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

Json = dict[str, Any]
Any_ = st.SearchStrategy[Any]

FILES = ("file-0", "file-1", "file-2", "gone")
STORES = ("vs_0", "vs_1", "gone")


def opt(fixed: Json | None = None, **fields: Any_) -> Any_:
    """An object whose fields with a strategy may be missing or null."""
    return st.fixed_dictionaries(
        {k: st.just(v) for k, v in (fixed or {}).items()},
        optional={name: st.none() | value for name, value in fields.items()},
    )


word = st.sampled_from(["a", "weigh", "two words", "x" * 70, "", "ü"])
text = st.sampled_from(["Hello", "", "x" * 600, "line\nline", "{{name}}", "\u2003"])
odd = st.sampled_from([7, True, [], {}, [None], "odd", 1.5])
file_id = st.sampled_from(FILES)
store_id = st.sampled_from(STORES)
pairs = st.dictionaries(
    st.sampled_from(["a", "b", "migrated_from", "k" * 70]),
    st.sampled_from(["1", "", "v" * 600, 7, None, True, {"a": 1}]),
    max_size=4,
)
full = st.just({f"key{n:02}": "taken" for n in range(16)})
metadata = pairs | full
unknown = st.sampled_from(["tomorrow", "owner"])


def with_unknown(body: Any_) -> Any_:
    """The same, sometimes with an unknown key."""
    return st.builds(lambda b, key, on: {**b, key: {"a": 1}} if on else b, body, unknown, st.booleans())


# --------------------------------------------------------------------------------------------- tools

schema = st.sampled_from([{"type": "object", "properties": {}}, {}, {"type": "object", "x": None}])
function = opt(
    name=word, description=text | st.just("d" * 2000), parameters=schema | odd, strict=st.booleans() | odd
)
ranking = opt(
    ranker=st.sampled_from(["auto", "default_2024_08_21", "default-2024-11-15", "next"]),
    score_threshold=st.sampled_from([0, 0.5, 2, "1"]),
    hybrid_search=st.just({"embedding_weight": 1}),
)
search = opt(max_num_results=st.sampled_from([1, 50, 51, 0, "3", 2.0]), ranking_options=ranking)
flat_function = st.builds(lambda inner: {"type": "function", **inner}, function)
nested_function = opt({"type": "function"}, function=function)
old_tools = st.one_of(
    st.just({"type": "code_interpreter"}),
    opt({"type": "file_search"}, file_search=search),
    nested_function,
    opt({"type": "mcp"}, server_label=word, server_url=text, allowed_tools=st.just(["a"]) | odd),
    opt({"type": "azure_ai_search"}, azure_ai_search=opt()),
    opt({"type": "openapi"}, openapi=opt(name=word, spec=schema, auth=st.just({"type": "anonymous"}))),
    opt({"type": "computer_use_preview"}, computer_use_preview=opt(environment=word)),
    st.sampled_from([{"type": "tomorrow"}, {"type": "browser"}, {"type": "event_binding"}]),
)
resources = opt(
    code_interpreter=opt(file_ids=st.lists(file_id, max_size=3)),
    file_search=opt(vector_store_ids=st.lists(store_id, max_size=2)),
    browser=odd,
)
sampling = st.sampled_from([None, 0, 1, 1.0, 0.3, 2, 3, -1, "1", True])
json_schema = opt(
    name=word, description=text, schema=schema, strict=st.none() | st.booleans() | st.just("yes")
)
formats = st.sampled_from(["auto", None, {"type": "text"}, {"type": "json_object"}, "text", {"type": "xml"}])
response_format = formats | opt({"type": "json_schema"}, json_schema=json_schema)
assistants = with_unknown(
    opt(
        {"object": "assistant", "created_at": 1, "model": "gpt-4o"},
        name=word | st.just("n" * 300),
        description=text,
        instructions=text,
        tools=st.lists(old_tools, max_size=5),
        tool_resources=resources,
        temperature=sampling,
        top_p=sampling,
        response_format=response_format,
        reasoning_effort=st.sampled_from(["low", "max", "enormous"]),
        metadata=metadata,
    )
)

new_tools = st.one_of(
    flat_function,
    nested_function,
    opt(
        {"type": "file_search"},
        vector_store_ids=st.lists(store_id, max_size=2),
        max_num_results=st.sampled_from([1, 51]),
        ranking_options=ranking,
        filters=st.just({"type": "eq", "key": "a", "value": 1}),
    ),
    opt(
        {"type": "code_interpreter"}, container=opt({"type": "auto"}, file_ids=st.lists(file_id, max_size=2))
    ),
    opt({"type": "mcp"}, server_label=word, server_url=text, require_approval=st.sampled_from(["never", 7])),
    opt({"type": "web_search"}, search_context_size=st.sampled_from(["low", "huge"])),
    st.sampled_from(
        [{"type": "reminder_preview"}, {"type": "tomorrow_preview", "a": 1}, {"type": "computer"}]
    ),
    opt({"type": "openapi"}, openapi=opt(name=word, spec=schema, auth=st.just({"type": "anonymous"}))),
)
text_format = formats.filter(lambda value: isinstance(value, dict)) | st.builds(
    lambda inner: {"type": "json_schema", **inner}, json_schema
)
definitions = opt(
    {"kind": "prompt", "model": "gpt-4o"},
    instructions=text,
    temperature=sampling,
    top_p=sampling,
    tools=st.lists(new_tools, max_size=4),
    text=opt(format=text_format),
    reasoning=opt(effort=st.sampled_from(["low", "enormous"]), summary=st.sampled_from(["auto", "brief"])),
    tool_choice=st.sampled_from(["auto", "never", 7]),
    structured_inputs=st.sampled_from([{}, {"a": {"description": "d"}}, {"a": {"colour": 1}}, {"a": 7}]),
    skills=st.sampled_from([[], [{"name": "s"}], [{}]]),
    tomorrow=st.just({"a": 1}),
)
agents = opt({"definition": {}}, description=text, metadata=metadata)

# ------------------------------------------------------------------------------------------ messages

annotations = st.sampled_from([[], [{"type": "file_citation", "file_citation": {"file_id": "file-0"}}], None])
detail = st.sampled_from(["auto", "low", "original"])
old_parts = st.one_of(
    opt({"type": "text"}, text=opt(value=text, annotations=annotations)),
    opt({"type": "text"}, text=text | odd),
    opt({"type": "refusal"}, refusal=text),
    opt({"type": "image_file"}, image_file=opt(file_id=file_id, detail=detail)),
    opt(
        {"type": "image_url"},
        image_url=opt(url=st.sampled_from(["https://e.com/a.png", "", 7]), detail=detail),
    ),
    st.sampled_from([{"type": "audio"}, {}, {"type": None}]),
)
attached_tools = st.sampled_from(
    [
        [{"type": "code_interpreter"}],
        [{"type": "file_search", "file_search": {"max_num_results": 1}}],
        [{"type": "function"}],
        [{}],
        [],
        "file_search",
    ]
)
attachments = st.lists(opt(file_id=file_id | st.just(7), tools=attached_tools, data_source=odd), max_size=3)
messages = with_unknown(
    opt(
        {"object": "thread.message", "created_at": 1},
        role=st.sampled_from(["user", "assistant", "system", "tool"]),
        content=text | st.lists(old_parts, max_size=3),
        attachments=attachments,
        metadata=metadata,
    )
)
words = opt({"type": "input_text"}, text=text)
picture = opt(
    {"type": "input_image"}, file_id=file_id, image_url=st.just("https://e.com/a.png"), detail=detail
)
paper = opt(
    {"type": "input_file"},
    file_id=file_id,
    file_url=st.just("https://e.com/a.pdf"),
    filename=word,
    file_data=text,
)
answer = opt({"type": "output_text"}, text=text, annotations=annotations, logprobs=st.just([]))
item_parts = st.one_of(words, picture, paper, answer, opt({"type": "refusal"}, refusal=text))
spoken_items = with_unknown(
    opt(
        {"type": "message", "status": "completed"},
        role=st.sampled_from(["user", "assistant", "system", "developer", "critic"]),
        content=text | st.lists(item_parts, max_size=3),
        phase=st.sampled_from(["commentary", "final_answer", "middle"]),
    )
)
outputs = text | st.lists(st.one_of(words, picture, paper, odd), max_size=3) | odd
calls = opt({"type": "function_call", "call_id": "c1", "name": "weigh", "arguments": "{}"}, namespace=word)
results = with_unknown(opt({"type": "function_call_output", "call_id": "c1"}, output=outputs))
made_by_runs = st.sampled_from(
    [{"type": "reasoning", "summary": []}, {"type": "web_search_call"}, {"type": "x"}]
)

# -------------------------------------------------------------------------------------------- stores

stores = with_unknown(
    opt(
        {"object": "vector_store", "created_at": 1, "status": "completed"},
        name=word | st.just("n" * 300),
        description=text,
        expires_after=opt(
            anchor=st.sampled_from(["last_active_at", "created_at"]),
            days=st.sampled_from([1, 2.0, True, 400]),
        ),
        metadata=metadata,
    )
)
sizes = st.sampled_from([(800, 400), (100, 50), (100, 51), (99, 0), (5000, 1), ("800", 400)])
chunking = st.sampled_from([{"type": "auto"}, {"type": "other"}, {"type": "static"}]) | st.builds(
    lambda pair: {
        "type": "static",
        "static": {"max_chunk_size_tokens": pair[0], "chunk_overlap_tokens": pair[1]},
    },
    sizes,
)
store_rows = opt(
    {"object": "vector_store.file", "created_at": 1, "status": "completed"},
    attributes=st.dictionaries(word, st.sampled_from(["v", "v" * 600, 1, True, None, [1]]), max_size=3),
    chunking_strategy=chunking,
)
filenames = st.sampled_from(
    ["a.txt", "Terms.PDF", "notes", "table.csv", 'q"uote.md', "dir/a.md", "a.pdf. ", "x.png"]
)
purposes = st.sampled_from(["assistants", "assistants_output", "vision", "user_data", "odd"])


# File names with an extension that every service indexes.
INDEXED_NAMES = ("a.txt", 'q"uote.md', "dir/a.md")


def estates(new: bool) -> Any_:
    """The whole content of a source, of the older generation or the newer one."""
    return st.fixed_dictionaries(
        {
            "files": st.lists(st.tuples(filenames, purposes), min_size=3, max_size=3),
            "stores": st.lists(st.tuples(stores, st.lists(store_rows, max_size=3)), min_size=2, max_size=2),
            "assistants": st.lists(
                st.tuples(agents, definitions) if new else assistants, min_size=2, max_size=4
            ),
            "threads": st.lists(
                st.tuples(
                    opt(metadata=metadata) if new else opt(metadata=metadata, tool_resources=resources),
                    st.lists(spoken_items | made_by_runs | calls | results if new else messages, max_size=6),
                ),
                min_size=1,
                max_size=3,
            ),
        }
    )
