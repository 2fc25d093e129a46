"""The parts of an item of a conversation that is no message: a call, its result, code, reasoning.

The forms are those of recordings (2025-09 to 2026-07) and of the API description of 2026-08. An item of any
other type is shown with all its fields, as a call or a result where its type ends like one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from migrate.model import JSON
from migrate.model.image_type import proved_base64_image
from migrate.model.message import FUNCTION_CALL, FUNCTION_CALL_OUTPUT
from migrate.model.results.conversation import ConversationPart, ConversationPartType
from migrate.stages.query.message_parts import (
    FileLookup,
    as_text,
    image_at,
    mappings,
    other_fields,
    read_part,
    read_text_part,
)

Item = Mapping[str, JSON]


def item_parts(item: JSON, find_file: FileLookup) -> Iterator[ConversationPart]:
    """All parts of an item, in order."""
    if not isinstance(item, Mapping):
        yield ConversationPart("other", as_text(item))
        return
    yield from ITEM_READERS.get(as_text(item.get("type")), _any_item)(item, find_file)


def item_part_type(type_: str) -> ConversationPartType:
    """Whether an item of this type is a call, the result of one, or something else."""
    return "result" if type_.endswith("_output") else "call" if type_.endswith("_call") else "other"


def output_parts(output: JSON, call_id: str, find_file: FileLookup) -> Iterator[ConversationPart]:
    """The output of a call: a text, or a list of texts, images and files."""
    if not isinstance(output, list):
        if output is not None:
            yield ConversationPart("result", as_text(output), call_id=call_id)
        return
    for part in output:
        read = OUTPUT_READERS.get(str(part.get("type"))) if isinstance(part, Mapping) else None
        yield read(part, find_file) if read else read_part(part, find_file)


def _any_item(item: Item, _: FileLookup) -> Iterator[ConversationPart]:
    type_ = as_text(item.get("type"))
    yield ConversationPart(
        item_part_type(type_), other_fields(item), name=type_, call_id=as_text(item.get("call_id"))
    )


def _function_call(item: Item, _: FileLookup) -> Iterator[ConversationPart]:
    arguments = item.get("arguments", item.get("input"))
    yield ConversationPart(
        "call", as_text(arguments), name=as_text(item.get("name")), call_id=as_text(item.get("call_id"))
    )


def _function_output(item: Item, find_file: FileLookup) -> Iterator[ConversationPart]:
    yield from output_parts(item.get("output"), as_text(item.get("call_id")), find_file)


def _code(item: Item, find_file: FileLookup) -> Iterator[ConversationPart]:
    id_ = as_text(item.get("id"))
    yield ConversationPart("code", as_text(item.get("code")), name="code_interpreter", call_id=id_)
    for output in mappings(item.get("outputs")):
        if output.get("type") == "logs":
            yield ConversationPart("result", as_text(output.get("logs")), call_id=id_)
        elif output.get("type") == "image":
            yield image_at(as_text(output.get("url")))
        else:
            yield ConversationPart("result", other_fields(output), call_id=id_)


def _file_search(item: Item, find_file: FileLookup) -> Iterator[ConversationPart]:
    queries = item.get("queries")
    words = "\n".join(map(as_text, queries)) if isinstance(queries, list) else as_text(queries)
    yield ConversationPart("call", words, name="file_search", call_id=as_text(item.get("id")))
    for row in mappings(item.get("results")):
        yield search_result(row, as_text(row.get("filename")), as_text(row.get("text")), find_file)


def search_result(row: Item, name: str, text: str, find_file: FileLookup) -> ConversationPart:
    """A file that a search found, and the text that was found in it."""
    file = find_file(as_text(row["file_id"])) if row.get("file_id") else None
    return ConversationPart("file", text, file=file, name=name)


def _mcp_call(item: Item, find_file: FileLookup) -> Iterator[ConversationPart]:
    id_ = as_text(item.get("id"))
    name = ".".join(filter(None, (as_text(item.get("server_label")), as_text(item.get("name")))))
    yield ConversationPart("call", as_text(item.get("arguments")), name=name, call_id=id_)
    yield from output_parts(item.get("output"), id_, find_file)
    if item.get("error"):
        yield ConversationPart("result", as_text(item["error"]), name="error", call_id=id_)


def _image_generation(item: Item, _: FileLookup) -> Iterator[ConversationPart]:
    id_, result = as_text(item.get("id")), as_text(item.get("result"))
    rest = other_fields({k: v for k, v in item.items() if k != "result"})
    yield ConversationPart("call", rest, name="image_generation", call_id=id_)
    type_, encoded = proved_base64_image(result)
    if type_:
        yield ConversationPart("image", url=f"data:{type_};base64,{encoded}", image_type=type_)
    elif result:
        yield ConversationPart("result", result, call_id=id_)


def _reasoning(item: Item, find_file: FileLookup) -> Iterator[ConversationPart]:
    texts = [*mappings(item.get("summary")), *mappings(item.get("content"))]
    text = "\n\n".join(as_text(part.get("text")) for part in texts)
    yield ConversationPart("reasoning", text, name="encrypted" if item.get("encrypted_content") else "")


def _output_text(part: Item, find_file: FileLookup) -> ConversationPart:
    return read_text_part(part.get("text"), part.get("annotations"), find_file)


def _output_image(part: Item, find_file: FileLookup) -> ConversationPart:
    if part.get("file_id"):
        return ConversationPart("image", file=find_file(as_text(part["file_id"])))
    return image_at(as_text(part.get("image_url")))


# Type of a part of an output -> the function that reads it. Parts of messages have other types by then:
# codecs decode them.
OUTPUT_READERS: Mapping[str, Callable[[Item, FileLookup], ConversationPart]] = {
    "input_text": _output_text,
    "output_text": _output_text,
    "input_image": _output_image,
    "computer_screenshot": _output_image,
}

# Type of an item -> the function that reads it.
ITEM_READERS: Mapping[str, Callable[[Item, FileLookup], Iterator[ConversationPart]]] = {
    FUNCTION_CALL: _function_call,
    FUNCTION_CALL_OUTPUT: _function_output,
    "custom_tool_call": _function_call,
    "custom_tool_call_output": _function_output,
    "code_interpreter_call": _code,
    "file_search_call": _file_search,
    "mcp_call": _mcp_call,
    "image_generation_call": _image_generation,
    "reasoning": _reasoning,
}
