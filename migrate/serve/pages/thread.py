"""A thread as a conversation, a part of it at a time, and one message as the service returned it."""

from __future__ import annotations

import json
from collections.abc import Sequence

from starlette.responses import Response

from migrate.archive.hashes import storable_text
from migrate.model.masked_values import mask_body
from migrate.model.results.conversation import Conversation, ConversationMessage
from migrate.reports.pages.shown_size import shown_chars
from migrate.serve.addresses import segment_id
from migrate.serve.page_request import PageNotFound, PageRequest
from migrate.serve.pages.files import attachment_header
from migrate.serve.pages.thread_links import ThreadLinks
from migrate.stages.query.conversation import PAGE_MEMBERS, read_conversation
from migrate.stages.query.thread_runs import message_after_run
from migrate.stages.safe_filenames import safe_name

# Messages of one page. `all`: of a page that is meant to be printed.
MESSAGES_PER_PAGE, MAX_MESSAGES_PRINTED = 100, 500
# Characters of the messages of either page; it ends before the message with which it would have more.
MAX_PAGE_CHARS, MAX_PRINTED_CHARS = 500_000, 1_500_000
# Metadata with the title of a thread; messages whose first words may be one, and how many characters.
TITLE_KEYS = ("title", "name", "subject")
MAX_TITLE_MESSAGES, MAX_TITLE_CHARS = 3, 90


def thread_page(request: PageRequest) -> Response:
    """A part of a conversation: from the message of a number, or with a message or a run in it, by its id."""
    thread = storable_text(request.id)
    size = MAX_MESSAGES_PRINTED if request.query.get("all") else MESSAGES_PER_PAGE
    first, wanted = _first_number(request, thread, size)
    found, messages = _read_part(request, thread, first, size)
    count = found.head.count
    if not messages and count:  # behind the last message
        first = (count - 1) // size * size + 1
        found, messages = _read_part(request, thread, first, size)
    elif first + len(messages) <= wanted:  # the page ended before it
        first = wanted
        found, messages = _read_part(request, thread, first, size)
    last = first - 1 + len(messages)
    return request.answer(
        "thread.html.j2",
        "threads",
        conversation_head=found.head,
        messages=messages,
        trailing_runs=found.trailing_runs if last == count else (),
        trailing_left_out=found.trailing_left_out if last == count else "",
        thread_links=ThreadLinks(request.links, thread),
        name=_name(found, messages),
        thread=thread,
        first=first if messages else 0,
        last=last,
        count=count,
        size=size,
        prints_all=bool(request.query.get("all")),
        can_print_all=MESSAGES_PER_PAGE < count <= MAX_MESSAGES_PRINTED,
        starts=_page_starts(count, size),
    )


def message_body_page(request: PageRequest) -> Response:
    """A message as the service returned it, without credentials, as a file."""
    thread, message = storable_text(request.id), storable_text(segment_id(request.segments["message"]))
    for kind, parent, body in request.snapshot.find(message):
        if (kind, parent) == ("message", thread):
            text = json.dumps(mask_body(body), indent=1, ensure_ascii=False)
            name = safe_name(f"{message}.json", "message.json")
            return Response(
                text.encode("utf-8", "backslashreplace"),
                media_type="application/json",
                headers={"content-disposition": attachment_header(name)},
            )
    raise PageNotFound(
        f"thread {thread[:200]} has no message {message[:200]} in snapshot {request.snapshot.info.id}",
        todo="go back to the thread",
    )


def _read_part(
    request: PageRequest, thread: str, first: int, size: int
) -> tuple[Conversation, list[ConversationMessage]]:
    """A conversation, and its messages from a number on that have room on a page, at least one."""
    found = read_conversation(request.snapshot, thread, first, size, PAGE_MEMBERS)
    if found is None:
        raise request.not_found("thread")
    room = MAX_PAGE_CHARS if size == MESSAGES_PER_PAGE else MAX_PRINTED_CHARS
    messages: list[ConversationMessage] = []
    for message in found.messages:
        room -= shown_chars(message)
        if room < 0 and messages:
            break
        messages.append(message)
    return found, messages


def _first_number(request: PageRequest, thread: str, size: int) -> tuple[int, int]:
    """The numbers of the first message of the page, and of the one that must be on it; 0 where any may."""
    if run := request.query.get("run", ""):
        wanted = message_after_run(request.snapshot, thread, run)
        return max(wanted - 1, 0) // size * size + 1, wanted
    message = request.query.get("message", "")
    if not message:
        return max(1, request.number("from", 1)), 0
    listing = request.snapshot.listing_by_place("message", thread)
    places = listing.places_of(message) if listing else []
    if not places:
        raise PageNotFound(
            f"thread {thread[:200]} has no message {message[:200]} in snapshot {request.snapshot.info.id}",
            todo="open the thread from its first message, or choose another snapshot at the top",
        )
    return places[0] // size * size + 1, places[0] + 1


def _name(found: Conversation, messages: Sequence[ConversationMessage]) -> str:
    """What a thread is called: a title in its metadata, else the first words of the page."""
    for key in TITLE_KEYS:
        value = found.head.metadata.get(key)
        if isinstance(value, str) and value.strip():
            return value
    for message in messages[:MAX_TITLE_MESSAGES]:
        for part in message.parts:
            if part.what == "text" and (words := " ".join(part.text[: 4 * MAX_TITLE_CHARS].split())):
                return words if len(words) <= MAX_TITLE_CHARS else f"{_whole_words(words)}…"
    return "(no text)"


def _whole_words(words: str) -> str:
    """The beginning of a title, cut at the end of a word where one is near."""
    shown = words[: MAX_TITLE_CHARS - 1]
    whole = shown.rpartition(" ")[0]
    return whole if len(whole) > MAX_TITLE_CHARS // 2 else shown


def _page_starts(count: int, size: int) -> list[int]:
    """Numbers of the first messages of up to 12 pages, spread over the thread."""
    pages = (count + size - 1) // size
    step = max(1, (pages + 10) // 11)
    chosen = sorted({*range(0, pages, step), max(pages - 1, 0)})
    return [page * size + 1 for page in chosen] if pages > 1 else []
