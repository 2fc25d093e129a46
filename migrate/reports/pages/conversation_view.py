"""A conversation as its template shows it: who says what and when, runs with their steps, and facts.

Every text is HTML already, so that a template can show it as it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from markupsafe import Markup, escape

from migrate.model.entity import JSON
from migrate.model.results.conversation import (
    Attachment,
    ConversationHead,
    ConversationMessage,
    NewId,
    RunRecord,
    RunStep,
    TokenUsage,
    ToolCall,
)
from migrate.model.results.transcripts import ConversationLinks
from migrate.reports.pages.markdown_rules import code_block
from migrate.reports.pages.part_view import (
    MAX_SHOWN_NAME_CHARS,
    FileView,
    PartPlace,
    PartView,
    Sources,
    SourceView,
    file_view,
    part_view,
    pretty_block,
    shown_text,
)
from migrate.reports.pages.visible_text import as_html, as_line, visible_text
from migrate.reports.text_table import number_of, shorten


def message_anchor(message: ConversationMessage) -> str:
    """The id of the element of a message in a page: percent-encoded, so that it is its own address."""
    return f"m-{quote(message.id, safe='', errors='surrogatepass') or message.number}"


def run_anchor(run: RunRecord) -> str:
    """The id of the element of a run in a page; '' where only steps of it are known, which may be in several
    places."""
    return f"r-{quote(run.id, safe='', errors='surrogatepass')}" if run.status and run.id else ""


# Role -> how it is called in a page.
ROLE_NAMES = {"user": "User", "assistant": "Assistant", "system": "System", "developer": "Developer"}
# State of a run -> its tone.
RUN_TONES = {
    "completed": "good",
    "failed": "bad",
    "expired": "bad",
    "incomplete": "bad",
    "cancelled": "plain",
}
# Part of an item -> how its one line begins.
ITEM_LABELS = {
    "call": "Called",
    "result": "Result",
    "code": "Ran code",
    "reasoning": "Reasoned",
    "image": "Image",
}
WRITING_STEP = "message_creation"
# Characters of the name of an assistant in the line of a run, which has other facts.
MAX_RUN_NAME_CHARS = 60


@dataclass(frozen=True)
class CallView:
    """A call of a tool."""

    name: Markup
    input: Markup
    outputs: list[PartView]


@dataclass(frozen=True)
class StepView:
    """A step of a run: its facts in one line, and its calls."""

    facts: Markup
    calls: list[CallView]
    error: Markup


@dataclass(frozen=True)
class RunView:
    """A run: a headline, facts in one line, its tone, and its steps."""

    headline: Markup
    facts: Markup
    tone: str
    error: Markup
    steps: list[StepView]
    id: Markup
    anchor: Markup


@dataclass(frozen=True)
class TurnView:
    """A message, or an item that is none. `kind`: user, assistant, item or other."""

    kind: str
    anchor: Markup
    link: Markup
    number: str
    id: Markup
    speaker: Markup
    speaker_href: Markup
    at: Markup
    status: Markup
    item: Markup
    parts: list[PartView]
    sources: list[SourceView]
    attachments: list[tuple[FileView | None, Markup]]
    gaps: list[Markup]
    facts: list[tuple[Markup, Markup]]
    was_moved: bool
    runs: list[RunView]
    runs_left_out: Markup
    left_out: Markup


@dataclass(frozen=True)
class HeadView:
    """The facts about a thread."""

    id: Markup
    facts: list[tuple[str, Markup]]
    metadata: list[tuple[Markup, Markup]]
    assistants: list[tuple[Markup, Markup]]
    new_ids: list[tuple[Markup, Markup]]
    gap: Markup
    notes: list[Markup]


def head_view(head: ConversationHead, links: ConversationLinks) -> HeadView:
    """The facts about a thread."""
    facts = [
        ("Messages", as_line(f"{head.count:,}")),
        ("Begun", time_html(head.created_at)),
        ("Estate", as_line(f"{head.estate_type} {head.url}")),
        ("Snapshot", as_line(str(head.snapshot))),
    ]
    return HeadView(
        id=as_line(head.id),
        facts=[(name, value) for name, value in facts if value],
        metadata=_pairs(head.metadata),
        assistants=[
            (as_line(name, MAX_SHOWN_NAME_CHARS), escape(links.assistant(id_)))
            for id_, name in head.assistants
        ],
        new_ids=_new_ids(head.new_ids),
        gap=as_line(head.gap),
        notes=[as_line(note) for note in head.notes],
    )


def turn_view(message: ConversationMessage, links: ConversationLinks) -> TurnView:
    """A message, or an item that is none."""
    anchor = message_anchor(message)
    sources, place = Sources(anchor, links, message.role != "assistant"), PartPlace(links, message)
    kind = message.role if message.role in ("user", "assistant") else "other" if message.role else "item"
    parts = [part_view(part, place, sources) for part in message.parts]
    return TurnView(
        kind=kind,
        anchor=escape(anchor),
        link=escape(links.message(message) or f"#{anchor}"),
        number=f"{message.number:,}",
        id=as_line(message.id),
        speaker=_speaker(message),
        speaker_href=escape(links.assistant(message.assistant_id) if message.assistant_id else ""),
        at=time_html(message.at),
        status=as_line(message.status),
        item=_item_line(message) if kind == "item" else Markup(""),
        parts=parts,
        sources=sources.rows,
        attachments=[_attachment_view(attachment, links) for attachment in message.attachments],
        gaps=[as_line(gap) for gap in message.gaps],
        facts=_message_facts(message),
        was_moved=bool(message.new_ids),
        runs=[_run_view(run, place) for run in message.runs],
        runs_left_out=left_out_line(message.runs_left_out),
        left_out=_left_out(message, links),
    )


def left_out_line(words: str) -> Markup:
    """A line about runs that a page does not show."""
    if not words:
        return Markup("")
    return Markup('<p class="rest">Not shown: {}. <code>transcript</code> writes them all.</p>').format(
        as_line(words)
    )


def _left_out(message: ConversationMessage, links: ConversationLinks) -> Markup:
    """A line about the parts, citations, files or metadata of a message that a page does not show."""
    if not message.left_out:
        return Markup("")
    address = links.whole_text(message, "")
    whole = (
        Markup('<a href="{}">the whole message</a>').format(address) if address else "the archive has them"
    )
    return Markup('<p class="rest">{} more values of this message: {}</p>').format(
        f"{message.left_out:,}", whole
    )


def run_views(runs: Iterable[RunRecord], links: ConversationLinks) -> list[RunView]:
    """Runs with their steps."""
    return [_run_view(run, PartPlace(links)) for run in runs]


def _speaker(message: ConversationMessage) -> Markup:
    role = ROLE_NAMES.get(message.role, message.role)
    if message.role == "assistant" or not message.role:
        version = f" (version {message.assistant_version})" if message.assistant_version else ""
        return as_line(f"{message.assistant or role}{version}", MAX_SHOWN_NAME_CHARS)
    return as_line(role, MAX_SHOWN_NAME_CHARS)


def _item_line(message: ConversationMessage) -> Markup:
    """What an item is, in one line."""
    first = next(iter(message.parts), None)
    if first is None:
        return as_line("Item")
    label, name = ITEM_LABELS.get(first.what, ""), first.name
    if first.what in ("call", "result", "other"):
        name = name.removesuffix("_call").removesuffix("_output").replace("_", " ")
        return (
            Markup("{} <b>{}</b>").format(label, as_line(name, MAX_SHOWN_NAME_CHARS))
            if name
            else as_line(label)
        )
    return as_line(label or "Item")


def _message_facts(message: ConversationMessage) -> list[tuple[Markup, Markup]]:
    """What is known of a message besides its content; its id alone is in the address of the message."""
    facts = [*_pairs(message.metadata), *_new_ids(message.new_ids)]
    return [(as_line("id"), as_line(message.id)), *facts] if facts else []


def _attachment_view(attachment: Attachment, links: ConversationLinks) -> tuple[FileView | None, Markup]:
    tools = as_line(", ".join(tool.replace("_", " ") for tool in attachment.tools), MAX_SHOWN_NAME_CHARS)
    if attachment.file is None:
        return None, as_line(f"{attachment.text} {tools}".strip(), MAX_SHOWN_NAME_CHARS)
    return file_view(attachment.file, links), tools


def _pairs(metadata: Mapping[str, JSON]) -> list[tuple[Markup, Markup]]:
    return [(as_line(key, MAX_SHOWN_NAME_CHARS), as_html(str(value))) for key, value in metadata.items()]


def _new_ids(new_ids: Iterable[NewId]) -> list[tuple[Markup, Markup]]:
    return [(as_line(f"became, on {new.target}"), as_line(new.id)) for new in new_ids]


def _run_view(run: RunRecord, place: PartPlace) -> RunView:
    calls = sum(len(step.calls) for step in run.steps)
    facts = [
        shorten(run.assistant or run.assistant_id, MAX_RUN_NAME_CHARS),
        run.model,
        duration(run.started_at, run.finished_at),
        tokens_text(run.usage),
        number_of(calls, "tool call") if calls else "",
    ]
    return RunView(
        headline=as_line(f"Run {run.status.replace('_', ' ')}" if run.status else "Steps of a run"),
        facts=as_line(" · ".join(filter(None, facts))),
        tone=RUN_TONES.get(run.status, "plain"),
        error=as_line(run.error),
        steps=[_step_view(step, place, run.error) for step in run.steps],
        id=as_line(run.id),
        anchor=escape(run_anchor(run)),
    )


def _step_view(step: RunStep, place: PartPlace, run_error: str) -> StepView:
    """A step. An error that is also that of its run is shown there."""
    what = "wrote a message" if step.type == WRITING_STEP else step.type.replace("_", " ")
    state = "" if step.status == "completed" else step.status.replace("_", " ")
    facts = as_line(" · ".join(filter(None, (what, state, tokens_text(step.usage)))))
    return StepView(
        facts=Markup(" ").join(filter(None, (time_html(step.at), facts))),
        calls=[_call_view(call, place) for call in step.calls],
        error=as_line("" if step.error == run_error else step.error),
    )


def _call_view(call: ToolCall, place: PartPlace) -> CallView:
    text, rest = shown_text(call.input, place)
    is_code = call.type == "code_interpreter"
    block = code_block(visible_text(text)) if is_code and text else pretty_block(text)
    name = call.name or call.type.replace("_", " ")
    outputs = [part_view(part, place) for part in call.outputs]
    return CallView(as_line(name, MAX_SHOWN_NAME_CHARS), block + rest, outputs)


def tokens_text(usage: TokenUsage | None) -> str:
    """`1,471 tokens (1,330 in, 141 out)`, or ''."""
    if usage is None:
        return ""
    return f"{usage.total:,} tokens ({usage.prompt:,} in, {usage.completion:,} out)"


def duration(start: str, end: str) -> str:
    """The time between two moments in words, or ''."""
    try:
        seconds = int((_moment(end) - _moment(start)).total_seconds())
    except ValueError:
        return ""
    if seconds < 0:
        return ""
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s" if minutes else f"{rest} s"


def time_html(at: str) -> Markup:
    """A moment as an element, to the minute in UTC; nothing for ''."""
    return Markup('<time datetime="{}">{}</time>').format(at, at[:16].replace("T", " ")) if at else Markup("")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
