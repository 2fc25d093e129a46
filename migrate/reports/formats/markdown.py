"""Render a report as Markdown for a pull request comment, within the size limit of GitHub.

Everything an estate may have written stands inside blocks of HTML, escaped, and there in `code`: so it is
neither markup, nor a link, a mention, a row of a table or the end of a fence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from itertools import accumulate, groupby

from migrate.reports.report import VERDICTS, ItemDetail, ObjectCounts, Report, ReportItem
from migrate.reports.text_table import escape_control, single_line
from migrate.reports.values import (
    brief,
    count_words,
    detail_pieces,
    detail_reason,
    has_values,
    is_word_diff,
    item_ids,
    json_value,
    mark_piece,
    number_of,
)  # fmt: skip
from migrate.reports.word_diff import ADDED, HIDDEN, REMOVED, fold_unchanged

# Characters, counted as UTF-16 does; a comment on GitHub takes 65,536.
MAX_COMMENT_CHARS = 65_000
RESERVED_CHARS = 1_200
# Fields shown per object, and characters per text; how many more there are is said.
MAX_FIELDS_PER_OBJECT, MAX_TEXT_CHARS = 30, 4_000
# Lines shown per list, and their characters in all.
MAX_LIST_LINES, MAX_LIST_CHARS = 20, 6_000
MARKDOWN_RESULTS = {
    "clear": "Nothing to act on",
    "open": "To act on",
    "incomplete": "Not all of it could be read",
}
PLAIN_WORDS = re.compile(r"[\w :;,+-]*")
PIECE_TAGS = {REMOVED: "del", ADDED: "ins"}


def markdown_text(report: Report) -> str:
    """Headline, numbers, a fold per object, and what was left out of all that."""
    head = [*_head(report), *_notes(report)]
    room = MAX_COMMENT_CHARS - RESERVED_CHARS - sum(map(utf16_length, head)) - 2 * len(head)
    blocks, left = _items(report, room)
    tail = [_left_out(left)] if left else []
    return "\n\n".join([*head[:3], *blocks, *tail, *head[3:]])


def utf16_length(text: str) -> int:
    """Its length as GitHub counts it at most."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _head(report: Report) -> list[str]:
    names = {"diff": "Drift", "assess": "Assessment", "plan": "Plan", "verify": "Verification"}
    sides = f"{_code(report.left)} → {_code(report.right)}" if report.left or report.right else ""
    made = f" · {_plain_or_code(report.made_at)}" if report.made_at else ""
    return [
        f"<h3>{names.get(report.command, report.command)}: {_plain_or_code(report.last_line)}</h3>",
        f"<p>{sides}<br><b>{MARKDOWN_RESULTS[report.result]}</b>{made}</p>",
        _table(report.counts),
    ]


def _table(counts: ObjectCounts) -> str:
    if not counts.rows:
        return "<p>Nothing was compared.</p>"
    rows = [
        f"| {counts.of if counts.of != 'objects' else 'kind'} | {' | '.join(counts.columns)} |",
        f"|---|{'---:|' * len(counts.columns)}",
        *(f"| {kind} | {' | '.join(f'{n:,}' for n in numbers)} |" for kind, numbers in counts.rows),
    ]
    return "\n".join(rows)


def _items(report: Report, room: int) -> tuple[list[str], dict[str, int]]:
    """Blocks as long as there is room, and how many objects per verdict had none."""
    blocks: list[str] = []
    left: dict[str, int] = {}
    for (_, verdict), group in groupby(report.items, key=lambda item: (item.section, item.verdict)):
        items = list(group)
        title = f"#### {verdict.capitalize()}: {len(items):,} ({VERDICTS[verdict][1]})"
        room -= utf16_length(title) + 2
        shown = 0
        for item in items:
            block = _item(item)
            if utf16_length(block) + 2 > room:
                break
            blocks += [title, block] if not shown else [block]
            room -= utf16_length(block) + 2
            shown += 1
        if shown < len(items):
            left[verdict] = left.get(verdict, 0) + len(items) - shown
    return blocks, left


def _left_out(left: dict[str, int]) -> str:
    counts_text = ", ".join(f"{number:,} {verdict}" for verdict, number in left.items())
    return (
        f"<p><b>Not shown here: {counts_text}.</b> A comment is too short for them; all are in the other "
        "formats: <code>-o report.html</code>, <code>-o report.json</code>.</p>"
    )


def _item(item: ReportItem) -> str:
    said = [f"<b>{item.verdict}</b> {_plain(item.kind)} {_code(item.name or '(no name)', 120)}"]
    said += [f"<code>{_plain(brief(found))}</code>"] if (found := item_ids(item)) else []
    said += [f"in {_code(item.parent, 120)}"] if item.parent else []
    said += [f"· {_plain_or_code(item.note)}"] if item.note else []
    said += [f"· since {_plain_or_code(item.since)}"] if item.since else []
    more = len(item.details) - MAX_FIELDS_PER_OBJECT
    lines = [row for detail in item.details[:MAX_FIELDS_PER_OBJECT] for row in _detail(item, detail)]
    lines += [f"<li>and {number_of(more, 'more field')}</li>"] if more > 0 else []
    if not lines:
        return f"<p>{' '.join(said)}</p>"
    return f"<details><summary>{' '.join(said)}</summary>\n\n" + "\n\n".join(lines) + "\n\n</details>"


def _detail(item: ReportItem, detail: ItemDetail) -> Iterator[str]:
    said = _code(detail.path, 300) if detail.path else ""
    if why := detail_reason(item, detail):
        said += f"{' ' if said else ''}{_code(why, 600)}"
    if detail.way_out:
        said += f"<br>way out: {_code(detail.way_out, 600)}"
    if is_word_diff(detail):
        found = detail_pieces(detail)
        yield f"<p>{said} {count_words(found)}</p>"
        yield f"<blockquote>{_text(_cut_pieces(fold_unchanged(found)))}</blockquote>"
    elif has_values(detail):
        left, right = (_code(json_value(one), 300) for one in (detail.left, detail.right))
        yield f"<p>{said} {left} → {right}</p>"
    elif said:
        yield f"<p>{said}</p>"


def _cut_pieces(found: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """At most TEXT characters; what comes after them is one hidden piece."""
    room, rest = MAX_TEXT_CHARS, ""
    for kind, text in found:
        if kind == HIDDEN and not rest:
            yield kind, text
            continue
        if room > 0 and text[:room]:
            yield kind, text[:room]
        rest += text[max(room, 0) :]
        room -= len(text)
    if rest:
        yield HIDDEN, rest


def _text(found: Iterable[tuple[str, str]]) -> str:
    """Lines of `code`, which wrap where `pre` would have to be scrolled."""
    rows = [""]
    for kind, text in found:
        tag = PIECE_TAGS.get(kind)
        said = mark_piece(kind, text) if kind == HIDDEN else escape_control(text)
        for n, part in enumerate(said.split("\n")):
            rows += [""] if n else []
            safe = _escaped(part)
            rows[-1] += f"<{tag}>{safe}</{tag}>" if tag and part else safe
    while rows and not rows[-1]:
        rows.pop()
    return "<br>".join(f"<code>{row}</code>" if row else "" for row in rows)


def _notes(report: Report) -> list[str]:
    """What stands around the objects: rules, gaps, notes, and who says so."""
    ignored = [
        f"{rule.count:,} by {_code(rule.rule, 200)}: {_code(rule.reason, 200)}"
        + (f" until {_plain_or_code(rule.expires)}" if rule.expires else "")
        for rule in report.ignored
    ]
    found = [
        _list("Ignored by rules", ignored),
        _list("Expired rules", [_code(rule, 300) for rule in report.expired]),
        _list("Not compared" if report.command == "diff" else "Not in the snapshot",
              [_code(gap, 300) for gap in report.gaps]),
        _list("Not compared on purpose", [_code(text, 300) for text in report.left_out]),
        _list("Notes", [_code(note, 300) for note in report.notes]),
        f"<sub>assistants-migrate {_plain(report.version)}</sub>".replace(" </sub>", "</sub>"),
    ]  # fmt: skip
    return [block for block in found if block]


def _list(title: str, rows: list[str]) -> str:
    if not rows:
        return ""
    room = [MAX_LIST_CHARS - total for total in accumulate(map(utf16_length, rows))]
    shown = [f"<li>{row}</li>" for row, left in zip(rows[:MAX_LIST_LINES], room, strict=False) if left >= 0]
    more = [f"<li>and {len(rows) - len(shown):,} more</li>"] if len(rows) > len(shown) else []
    lines = "\n".join([*shown, *more])
    return f"<p><b>{title}</b></p>\n<ul>\n{lines}\n</ul>"


def _code(text: str, most: int = 200) -> str:
    return f"<code>{_plain(brief(text, most))}</code>"


def _plain_or_code(text: str) -> str:
    """A few words of ours, which stay plain while they hold nothing that a reader could take for more."""
    return _plain(text) if PLAIN_WORDS.fullmatch(text) else _code(text)


def _plain(text: str) -> str:
    return _escaped(single_line(text))


def _escaped(text: str) -> str:
    """As text of HTML; what some readers of Markdown look for before HTML is read has no chance either."""
    return escape(text).replace("@", "&#64;").replace("`", "&#96;")
