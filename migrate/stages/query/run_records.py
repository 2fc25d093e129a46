"""Runs and their steps: what was called with which input, what it answered, tokens, times and errors.

Nothing is masked here but the fields that no rule knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from migrate.model import JSON
from migrate.model.results.conversation import ConversationPart, RunRecord, RunStep, TokenUsage, ToolCall
from migrate.model.utc_time import ISO_SECONDS, utc_text
from migrate.stages.query.item_parts import search_result
from migrate.stages.query.message_parts import FileLookup, as_text, mappings, other_fields

# Facts of a run or a step, the first of which that has a value is when it ended.
END_TIMES = ("completed_at", "failed_at", "cancelled_at", "expired_at")
# The keys under which tools of projects give their input, and their output.
INPUT_KEYS, OUTPUT_KEYS = ("input", "arguments"), ("output", "outputs")


def read_run(
    run: Mapping[str, JSON], steps: Iterable[RunStep], assistant_name: Callable[[str], str]
) -> RunRecord:
    """A run with its steps."""
    assistant = as_text(run.get("assistant_id"))
    return RunRecord(
        id=as_text(run.get("id")),
        status=as_text(run.get("status")),
        model=as_text(run.get("model")),
        assistant=assistant_name(assistant),
        assistant_id=assistant,
        started_at=utc_text(run.get("started_at") or run.get("created_at"), ISO_SECONDS),
        finished_at=_end_time(run),
        usage=_usage(run.get("usage")),
        error=_error(run),
        steps=tuple(steps),
    )


def read_step(step: Mapping[str, JSON], find_file: FileLookup) -> RunStep:
    """A step of a run."""
    return RunStep(
        id=as_text(step.get("id")),
        type=as_text(step.get("type")),
        status=as_text(step.get("status")),
        at=utc_text(step.get("created_at"), ISO_SECONDS),
        calls=(*tool_calls(step, find_file), *_other_details(step)),
        usage=_usage(step.get("usage")),
        error=_error(step),
    )


def tool_calls(step: Mapping[str, JSON], find_file: FileLookup) -> Iterator[ToolCall]:
    """The tools that a step called, in order."""
    details = step.get("step_details")
    for call in mappings(details.get("tool_calls")) if isinstance(details, Mapping) else ():
        yield _tool_call(call, find_file)


def _other_details(step: Mapping[str, JSON]) -> Iterator[ToolCall]:
    """What a step did, where it neither called tools nor wrote a message (`activities` of an MCP server)."""
    details = step.get("step_details")
    if not isinstance(details, Mapping) or details.keys() & {"tool_calls", "message_creation"}:
        return
    if text := other_fields(details):
        yield ToolCall(as_text(step.get("type")), input=text)


def _tool_call(call: Mapping[str, JSON], find_file: FileLookup) -> ToolCall:
    type_, id_ = as_text(call.get("type") or "tool"), as_text(call.get("id"))
    function = call.get("function")
    if isinstance(function, Mapping):
        output = function.get("output")
        answers = () if output is None else (ConversationPart("result", as_text(output), call_id=id_),)
        name, arguments = as_text(function.get("name")), as_text(function.get("arguments"))
        return ToolCall("function", name, arguments, answers, id_)
    nested = call.get(type_)
    fields: Mapping[str, JSON] = nested if isinstance(nested, Mapping) else call
    if type_ in CALL_READERS:
        return CALL_READERS[type_](fields, id_, find_file)
    said = next((fields[key] for key in INPUT_KEYS if isinstance(fields.get(key), str)), None)
    answered = [fields[key] for key in OUTPUT_KEYS if fields.get(key) not in (None, "", [])]
    rest = {k: v for k, v in fields.items() if k not in ("name", *OUTPUT_KEYS) and v is not said}
    words = "\n".join(filter(None, (as_text(said), other_fields(rest))))
    outputs = tuple(ConversationPart("result", as_text(output), call_id=id_) for output in answered)
    return ToolCall(type_, as_text(fields.get("name")), words, outputs, id_)


def _code_call(fields: Mapping[str, JSON], id_: str, find_file: FileLookup) -> ToolCall:
    outputs = tuple(_code_output(output, id_, find_file) for output in mappings(fields.get("outputs")))
    return ToolCall("code_interpreter", "", as_text(fields.get("input")), outputs, id_)


def _code_output(output: Mapping[str, JSON], id_: str, find_file: FileLookup) -> ConversationPart:
    image = output.get("image")
    if isinstance(image, Mapping) and image.get("file_id"):
        return ConversationPart("image", file=find_file(as_text(image["file_id"])), call_id=id_)
    text = as_text(output["logs"]) if output.get("type") == "logs" and "logs" in output else ""
    return ConversationPart("result", text or other_fields(output), call_id=id_)


def _search_call(fields: Mapping[str, JSON], id_: str, find_file: FileLookup) -> ToolCall:
    rest = {k: v for k, v in fields.items() if k != "results"}
    found = tuple(
        search_result(row, as_text(row.get("file_name")), _found_text(row), find_file)
        for row in mappings(fields.get("results"))
    )
    return ToolCall("file_search", "", other_fields(rest), found, id_)


def _found_text(row: Mapping[str, JSON]) -> str:
    return "\n".join(as_text(part.get("text")) for part in mappings(row.get("content")))


# Type of a tool -> the function that reads a call of it.
CALL_READERS: Mapping[str, Callable[[Mapping[str, JSON], str, FileLookup], ToolCall]] = {
    "code_interpreter": _code_call,
    "file_search": _search_call,
}


def _end_time(body: Mapping[str, JSON]) -> str:
    return next((utc_text(body[key], ISO_SECONDS) for key in END_TIMES if body.get(key)), "")


def _usage(usage: JSON) -> TokenUsage | None:
    if not isinstance(usage, Mapping):
        return None
    keys = ("prompt_tokens", "completion_tokens", "total_tokens")
    prompt, completion, total = (usage[key] if type(usage.get(key)) is int else 0 for key in keys)
    return TokenUsage(prompt, completion, total) if prompt or completion or total else None


def _error(body: Mapping[str, JSON]) -> str:
    """Why a run, a step or a message failed or stopped early, or ''."""
    error, stopped = body.get("last_error"), body.get("incomplete_details")
    if isinstance(error, Mapping):
        return ": ".join(filter(None, (as_text(error.get("code")), as_text(error.get("message")))))
    if isinstance(stopped, Mapping) and stopped.get("reason"):
        return f"incomplete: {as_text(stopped['reason'])}"
    return as_text(error)
