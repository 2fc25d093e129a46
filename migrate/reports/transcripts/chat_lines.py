"""Transcripts as JSONL: one conversation a line, as chat messages for evaluations."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field

from migrate.model.entity import JSON
from migrate.model.results.conversation import (
    Attachment,
    Citation,
    ConversationHead,
    ConversationMessage,
    ConversationPart,
    FileReference,
    NewId,
    RunRecord,
    ToolCall,
)
from migrate.model.results.transcripts import TranscriptForm, TranscriptPage

ChatMessage = dict[str, JSON]
PART_SEPARATOR = "\n\n"
# Parts of an item that are a call, and parts that may be the output of one.
CALLING, ANSWERING = ("call", "code"), ("result", "text", "image", "file", "refusal")
CODE_TOOL = "code_interpreter"


@dataclass
class ChatMessages:
    """Makes chat messages of a conversation, in order. `other`: items that are no chat messages, each with
    the number of messages before it. `runs`: facts about the runs."""

    other: list[ChatMessage] = field(default_factory=list)
    runs: list[ChatMessage] = field(default_factory=list)
    # Calls that were not given yet, and ids of given calls without an answer.
    _calls: list[ChatMessage] = field(default_factory=list)
    _unanswered: dict[str, None] = field(default_factory=dict)
    # Ids of the items that the next message of the assistant is made of.
    _items: list[str] = field(default_factory=list)
    _reasoning: list[str] = field(default_factory=list)
    _count: int = 0

    def read(
        self, messages: Iterable[ConversationMessage], trailing_runs: Iterable[RunRecord]
    ) -> Iterator[ChatMessage]:
        """The chat messages."""
        for message in messages:
            yield from self._counted(self._runs(message.runs))
            made = self._item(message) if not message.role else self._message(message)
            yield from self._counted(made)
        yield from self._counted(self._runs(trailing_runs))
        yield from self._counted(self._settled())
        if self._reasoning:
            last = {"role": "assistant", "content": "", "reasoning": self._take_reasoning()}
            yield self._with_items(last, {})

    def _counted(self, messages: Iterable[ChatMessage]) -> Iterator[ChatMessage]:
        for message in messages:
            self._count += 1
            yield message

    def _message(self, message: ConversationMessage) -> Iterator[ChatMessage]:
        yield from self._settled()
        made: ChatMessage = {"role": message.role, **_content(message.parts)}
        if message.role == "assistant" and self._reasoning:
            made["reasoning"] = self._take_reasoning()
        about = _about(message)
        yield self._with_items(made, about) if message.role == "assistant" else {**made, "about": about}

    def _item(self, message: ConversationMessage) -> Iterator[ChatMessage]:
        """A call, its result, reasoning, or something else. Calls that follow each other are one message."""
        calls = [part for part in message.parts if part.what in CALLING]
        answers = [part for part in message.parts if part.what in ANSWERING]
        self._reasoning += [part.text for part in message.parts if part.what == "reasoning" and part.text]
        self.other += [
            {"after": self._count, "id": message.id, "type": part.name, "text": part.text}
            for part in message.parts
            if part.what == "other" or (part.what == "reasoning" and not part.text)
        ]
        if message.id and any(part.what in (*CALLING, "reasoning") and part.text for part in message.parts):
            self._items.append(message.id)
        self._calls += [_call(_id(part, message), part.name, _arguments(part)) for part in calls]
        if answers:
            yield from self._open_calls()
            yield self._answer(_id((calls or answers)[0], message), answers, _about(message))

    def _runs(self, runs: Iterable[RunRecord]) -> Iterator[ChatMessage]:
        for run in runs:
            self.runs.append(_run(run, self._count))
            for step in run.steps:
                calls = [(call.id or f"{step.id}-{n}", call) for n, call in enumerate(step.calls)]
                if not calls:
                    continue
                yield from self._settled()
                self._calls = [_call(id_, call.name or call.type, _input(call)) for id_, call in calls]
                yield from self._open_calls(
                    {"run_id": run.id, "step_id": step.id, "created_at": step.at or None}
                )
                for id_, call in calls:
                    yield self._answer(id_, call.outputs, {"run_id": run.id})

    def _open_calls(self, about: ChatMessage | None = None) -> Iterator[ChatMessage]:
        """The calls that were not given yet, as one message, after answers to all earlier ones."""
        if not self._calls:
            return
        yield from self._missing_answers()
        made: ChatMessage = {"role": "assistant", "content": None, "tool_calls": self._calls}
        self._unanswered = dict.fromkeys(call["id"] for call in self._calls)
        self._calls = []
        if self._reasoning:
            made["reasoning"] = self._take_reasoning()
        yield self._with_items(made, about or {})

    def _with_items(self, made: ChatMessage, about: ChatMessage) -> ChatMessage:
        """A message with what is about it, and the items that it is made of."""
        items, self._items = self._items, []
        about = {**about, **({"items": items} if items else {})}
        return {**made, "about": about} if about else made

    def _settled(self) -> Iterator[ChatMessage]:
        """All calls, each with an answer: what a message that is no answer must come after."""
        yield from self._open_calls()
        yield from self._missing_answers()

    def _missing_answers(self) -> Iterator[ChatMessage]:
        """An empty answer to each call that has none in the archive: the form asks for one."""
        unanswered, self._unanswered = self._unanswered, {}
        for id_ in unanswered:
            yield {"role": "tool", "tool_call_id": id_, "content": "", "about": {"not_in_archive": True}}

    def _answer(self, id_: str, parts: Iterable[ConversationPart], about: ChatMessage) -> ChatMessage:
        self._unanswered.pop(id_, None)
        content = _content(parts)["content"]
        return {"role": "tool", "tool_call_id": id_, "content": content or "", "about": about}

    def _take_reasoning(self) -> str:
        text, self._reasoning = PART_SEPARATOR.join(self._reasoning), []
        return text


def _id(part: ConversationPart, message: ConversationMessage) -> str:
    return part.call_id or message.id or f"call_{message.number}"


def _call(id_: str, name: str, arguments: str) -> ChatMessage:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def _arguments(part: ConversationPart) -> str:
    """What a call was given, as a JSON object where the item has none."""
    return json.dumps({"code": part.text}) if part.what == "code" else _as_object(part.text)


def _input(call: ToolCall) -> str:
    return json.dumps({"code": call.input}) if call.type == CODE_TOOL else _as_object(call.input)


def _as_object(text: str) -> str:
    """Arguments are the text of a JSON object; any other text becomes one."""
    try:
        if isinstance(json.loads(text), dict):
            return text
    except (ValueError, RecursionError):
        pass
    return json.dumps({"input": text} if text else {})


def _content(parts: Iterable[ConversationPart]) -> ChatMessage:
    """`content`: a text where there are only texts, else a list of parts; and a refusal that stands alone."""
    parts = list(parts)
    if [part.what for part in parts] == ["refusal"]:
        return {"content": None, "refusal": parts[0].text}
    if all(part.what in ("text", "result") for part in parts):
        return {"content": PART_SEPARATOR.join(part.text for part in parts)}
    return {"content": [_part(part) for part in parts]}


def _part(part: ConversationPart) -> ChatMessage:
    if part.what in ("text", "result"):
        return {"type": "text", "text": part.text}
    if part.what == "refusal":
        return {"type": "refusal", "refusal": part.text}
    if part.what == "image" and not part.file:
        return {"type": "image_url", "image_url": {"url": part.url}}
    if part.what in ("image", "file"):
        key = "image_file" if part.what == "image" else "file"
        more = {"text": part.text} if part.text else {}
        return {"type": key, key: _file(part.file, part.name), **more}
    return {"type": part.name or part.what, "text": part.text}


def _file(file: FileReference | None, name: str = "") -> ChatMessage:
    if file is None:
        return {"file_id": None, "filename": name}
    return {"file_id": file.id, "filename": file.name or name}


def _about(message: ConversationMessage) -> ChatMessage:
    """What is known of a message; only what there is."""
    known: ChatMessage = {
        "id": message.id,
        "created_at": message.at,
        "assistant_id": message.assistant_id,
        "assistant": message.assistant,
        "assistant_version": message.assistant_version,
        "status": message.status,
        "attachments": [_attachment(attachment) for attachment in message.attachments],
        "citations": list(_citations(message.parts)),
        "metadata": dict(message.metadata),
        "became": _became(message.new_ids),
        "not_shown": list(message.gaps),
    }
    return {name: value for name, value in known.items() if value}


def _attachment(attachment: Attachment) -> ChatMessage:
    file = _file(attachment.file, attachment.text)
    return {**file, "tools": list(attachment.tools)}


def _citations(parts: Iterable[ConversationPart]) -> Iterator[ChatMessage]:
    """The citations of a message. Places count in `content` where that is a text, else in the part."""
    parts = list(parts)
    is_text = all(part.what in ("text", "result") for part in parts)
    before = 0
    for number, part in enumerate(parts):
        for citation in part.citations:
            place = {} if is_text else {"part": number}
            yield {**place, **_citation(citation, before if is_text else 0)}
        before += len(part.text) + len(PART_SEPARATOR)


def _citation(citation: Citation, before: int) -> ChatMessage:
    known: ChatMessage = {
        "marker": citation.marker,
        **({"start": citation.start + before, "end": citation.end + before} if citation.start >= 0 else {}),
        **(_file(citation.file, citation.title) if citation.file else {}),
        "title": "" if citation.file else citation.title,
        "url": citation.url,
        "quote": citation.quote,
    }
    return {name: value for name, value in known.items() if value != ""}


def _became(new_ids: Iterable[NewId]) -> list[ChatMessage]:
    return [{"target": new.target, "id": new.id} for new in new_ids]


def _run(run: RunRecord, after: int) -> ChatMessage:
    """The facts about a run. `after`: how many messages are before it."""
    usage = run.usage
    known: ChatMessage = {
        "after": after,
        "id": run.id,
        "status": run.status,
        "model": run.model,
        "assistant_id": run.assistant_id,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
        "error": run.error,
        "usage": usage
        and {
            "prompt_tokens": usage.prompt,
            "completion_tokens": usage.completion,
            "total_tokens": usage.total,
        },
    }
    return {name: value for name, value in known.items() if value or name == "after"}


class ChatLines(TranscriptForm):
    """All conversations in one file. Each line is written piece by piece: a thread may have 100,000
    messages."""

    name, extension, together = "jsonl", ".jsonl", "conversations.jsonl"

    def thread(self, page: TranscriptPage) -> Iterator[str]:
        """One line, with its end."""
        found = page.conversation()
        yield f'{_json(_facts(found.head))[:-1]}, "messages": ['
        chat = ChatMessages()
        for number, message in enumerate(chat.read(found.messages, found.trailing_runs)):
            yield f"{', ' if number else ''}{_json(message)}"
        yield f'], "runs": {_json(chat.runs)}, "other": {_json(chat.other)}}}\n'


def _facts(head: ConversationHead) -> dict[str, JSON]:
    """What is known of a thread besides its messages."""
    return {
        "id": head.id,
        "created_at": head.created_at or None,
        "source": {"type": head.estate_type, "url": head.url, "snapshot": head.snapshot},
        "complete": not head.gap,
        "gap": head.gap,
        "metadata": dict(head.metadata),
        "assistants": [{"id": id_, "name": name} for id_, name in head.assistants],
        "became": [asdict(new) for new in head.new_ids],
    }


def _json(value: JSON) -> str:
    """JSON in ASCII: no character of a text can end a line, whatever a reader takes for a line end."""
    return json.dumps(value, ensure_ascii=True, default=str)
