"""Render a report as Markdown for a pull request comment, within the size limit of GitHub.

Every text of an estate is escaped and is in `code` inside blocks of HTML, so that it cannot become markup, a
link, a mention, a row of a table or the end of a fence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from html import escape
from itertools import accumulate, groupby

from migrate.reports.loss_groups import LossGroup, every_object_hint, group_losses
from migrate.reports.report import (
    ENDINGS_TITLE,
    LIST_OPTIONS,
    REPORT_TITLES,
    RESULT_TITLES,
    VERDICTS,
    ItemDetail,
    ObjectCounts,
    Report,
    ReportItem,
    ReportTable,
)
from migrate.reports.text_table import escape_control, number_of, single_line
from migrate.reports.values import (
    brief,
    count_words,
    detail_reason,
    has_values,
    is_word_diff,
    item_ids,
    json_value,
    mark_piece,
)  # fmt: skip
from migrate.reports.word_diff import ADDED, HIDDEN, REMOVED, DiffPiece, fold_unchanged, word_diff

# Characters, counted as UTF-16 does; a comment on GitHub takes 65,536.
MAX_COMMENT_CHARS = 65_000
RESERVED_CHARS = 1_200
# Fields shown per object, and characters per text; the rest is counted.
MAX_FIELDS_PER_OBJECT, MAX_TEXT_CHARS = 30, 4_000
# Lines shown per list, and their characters in all.
MAX_LIST_LINES, MAX_LIST_CHARS = 20, 6_000
PLAIN_WORDS = re.compile(r"[\w :;,+-]*")
PIECE_TAGS = {REMOVED: "del", ADDED: "ins"}


def markdown_text(report: Report) -> str:
    """Headline, numbers, a fold per object, and how many objects were left out."""
    head = [*_head(report), *_notes(report)]
    room = MAX_COMMENT_CHARS - RESERVED_CHARS - sum(map(utf16_length, head)) - 2 * len(head)
    blocks, left_out = _items(report, room)
    tail = [_left_out(left_out, report.command)] if left_out else []
    return "\n\n".join([*head[:3], *blocks, *tail, *head[3:]])


def utf16_length(text: str) -> int:
    """Length in UTF-16 code units, an upper limit of how GitHub counts."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _head(report: Report) -> list[str]:
    sides = f"{_code(report.left)} → {_code(report.right)}" if report.left or report.right else ""
    made = f" · {_plain_or_code(report.made_at)}" if report.made_at else ""
    return [
        f"<h3>{REPORT_TITLES.get(report.command, report.command)}: {_plain_or_code(report.last_line)}</h3>",
        f"<p>{sides}<br><b>{RESULT_TITLES[report.result]}</b>{made}</p>",
        "\n\n".join([_table(report.counts), *map(_extra_table, report.tables)]),
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


def _extra_table(table: ReportTable) -> str:
    rows = [
        f"<p><b>{_plain(table.title)}</b></p>\n",
        f"| {' | '.join(table.columns)} |",
        f"|{'---|' * len(table.columns)}",
        *(f"| {' | '.join(map(_plain, row))} |" for row in table.rows),
    ]
    return "\n".join(rows)


def _items(report: Report, room: int) -> tuple[list[str], dict[str, int]]:
    """Blocks that fit into `room` characters, and the number of objects per verdict that do not fit."""
    blocks: list[str] = []
    left_out: dict[str, int] = {}
    for (_, verdict), group in groupby(report.items, key=lambda item: (item.section, item.verdict)):
        items = list(group)
        title = f"#### {verdict.capitalize()}: {len(items):,} ({VERDICTS[verdict][1]})"
        room -= utf16_length(title) + 2
        rows, has_more = _rows(items, report.all_objects)
        shown, rest = 0, 0
        for count, block in rows:
            if rest or utf16_length(block) + 2 > room:
                rest += count
                continue
            blocks += [block] if shown else [title, block]
            room -= utf16_length(block) + 2
            shown += 1
        if rest:
            left_out[verdict] = left_out.get(verdict, 0) + rest
        if has_more and shown:
            blocks.append(f"<p>{every_object_hint(report.command)}</p>")
            room -= utf16_length(blocks[-1]) + 2
    return blocks, left_out


def _rows(items: list[ReportItem], all_objects: bool) -> tuple[Iterable[tuple[int, str]], bool]:
    """The number of objects and the block of each entry, and whether the blocks leave objects out."""
    if items[0].section != "losses" or all_objects:
        return ((1, _item(item)) for item in items), False
    groups = group_losses(items)
    rows = [(max(group.count, 1), _loss(group)) for group in groups]
    return rows, any(group.has_more for group in groups)


def _loss(group: LossGroup) -> str:
    """One line for all objects that lose the same for the same reason."""
    parts = [f"<b>{group.verdict}</b> {_plain(group.kind)} {_code(group.path, 300)}"]
    parts += [_code(str(group.reason), 600), f"· {_code(group.objects, 600)}"]
    parts += [f"· {_plain_or_code(group.note)}"] if group.note else []
    remedy = str(group.remedy)
    more = f"<br>what you can do: {_code(remedy, 600)}" if remedy else ""
    return f"<p>{' '.join(parts)}{more}</p>"


def _left_out(counts: dict[str, int], command: str) -> str:
    counts_text = ", ".join(f"{number:,} {verdict}" for verdict, number in counts.items())
    return (
        f"<p><b>Not shown here: {counts_text}.</b> A comment is too short for them; all are in the other "
        f"formats: <code>{LIST_OPTIONS[command].in_file('html', 'json')}</code>.</p>"
    )


def _item(item: ReportItem) -> str:
    parts = [f"<b>{item.verdict}</b> {_plain(item.kind)} {_code(item.name or '(no name)', 120)}"]
    parts += [f"<code>{_plain(brief(ids))}</code>"] if (ids := item_ids(item)) else []
    parts += [f"in {_code(item.parent, 120)}"] if item.parent else []
    parts += [f"· {_plain_or_code(item.note)}"] if item.note else []
    parts += [f"· since {_plain_or_code(item.since)}"] if item.since else []
    summary = " ".join(parts)
    more = len(item.details) - MAX_FIELDS_PER_OBJECT
    lines = [row for detail in item.details[:MAX_FIELDS_PER_OBJECT] for row in _detail(item, detail)]
    lines += [f"<li>and {number_of(more, 'more field')}</li>"] if more > 0 else []
    if not lines:
        return f"<p>{summary}</p>"
    return f"<details><summary>{summary}</summary>\n\n" + "\n\n".join(lines) + "\n\n</details>"


def _detail(item: ReportItem, detail: ItemDetail) -> Iterator[str]:
    line = _code(detail.path, 300) if detail.path else ""
    if reason := detail_reason(item, detail):
        line += f"{' ' if line else ''}{_code(reason, 600)}"
    if detail.remedy:
        line += f"<br>what you can do: {_code(detail.remedy, 600)}"
    if is_word_diff(detail):
        pieces = word_diff(detail.left, detail.right)
        yield f"<p>{line} {count_words(pieces)}</p>"
        yield f"<blockquote>{_text(_cut_pieces(fold_unchanged(pieces)))}</blockquote>"
    elif has_values(detail):
        left, right = (_code(json_value(value), 300) for value in (detail.left, detail.right))
        yield f"<p>{line} {left} → {right}</p>"
    elif line:
        yield f"<p>{line}</p>"


def _cut_pieces(pieces: list[DiffPiece]) -> Iterator[DiffPiece]:
    """At most MAX_TEXT_CHARS characters; the rest is one hidden piece."""
    room, rest = MAX_TEXT_CHARS, ""
    for kind, text in pieces:
        if kind == HIDDEN and not rest:
            yield kind, text
            continue
        if room > 0 and text[:room]:
            yield kind, text[:room]
        rest += text[max(room, 0) :]
        room -= len(text)
    if rest:
        yield HIDDEN, rest


def _text(pieces: Iterable[DiffPiece]) -> str:
    """Lines of `code`, which wrap; `pre` would need scrolling."""
    rows = [""]
    for kind, text in pieces:
        tag = PIECE_TAGS.get(kind)
        shown = mark_piece(kind, text) if kind == HIDDEN else escape_control(text)
        for n, part in enumerate(shown.split("\n")):
            rows += [""] if n else []
            safe = _escaped(part)
            rows[-1] += f"<{tag}>{safe}</{tag}>" if tag and part else safe
    while rows and not rows[-1]:
        rows.pop()
    return "<br>".join(f"<code>{row}</code>" if row else "" for row in rows)


def _notes(report: Report) -> list[str]:
    """Rules, gaps, notes, and the version of this program."""
    ignored = [
        f"{rule.count:,} by {_code(rule.rule, 200)}: {_code(rule.reason, 200)}"
        + (f" until {_plain_or_code(rule.expires)}" if rule.expires else "")
        for rule in report.ignored
    ]
    blocks = [
        _list("Ignored by rules", ignored),
        _list("Expired rules", [_code(rule, 300) for rule in report.expired]),
        _list(report.gaps_title, [_code(gap, 300) for gap in report.gaps]),
        _list("Not compared on purpose", [_code(text, 300) for text in report.left_out]),
        _list(ENDINGS_TITLE, list(_endings(report))),
        _list("Notes", [_code(note, 300) for note in report.notes]),
        f"<sub>assistants-migrate {_plain(report.version)}</sub>".replace(" </sub>", "</sub>"),
    ]
    return [block for block in blocks if block]


def _endings(report: Report) -> Iterator[str]:
    for row in report.endings:
        basis = f" ({_plain_or_code(row.basis)})" if row.basis else ""
        remedy = f"<br>what you can do: {_code(row.remedy)}" if row.remedy else ""
        yield f"{_code(row.sentence, 300)}{basis}{remedy}"


def _list(title: str, rows: list[str]) -> str:
    if not rows:
        return ""
    room = [MAX_LIST_CHARS - total for total in accumulate(map(utf16_length, rows))]
    shown = [f"<li>{row}</li>" for row, rest in zip(rows[:MAX_LIST_LINES], room, strict=False) if rest >= 0]
    more = [f"<li>and {len(rows) - len(shown):,} more</li>"] if len(rows) > len(shown) else []
    lines = "\n".join([*shown, *more])
    return f"<p><b>{title}</b></p>\n<ul>\n{lines}\n</ul>"


def _code(text: str, max_chars: int = 200) -> str:
    return f"<code>{_plain(brief(text, max_chars))}</code>"


def _plain_or_code(text: str) -> str:
    """A few words of this program as plain text; as code if they contain anything but words."""
    return _plain(text) if PLAIN_WORDS.fullmatch(text) else _code(text)


def _plain(text: str) -> str:
    return _escaped(single_line(text))


def _escaped(text: str) -> str:
    """Escaped for HTML, and for Markdown renderers that look for mentions and code before they read HTML."""
    return escape(text).replace("@", "&#64;").replace("`", "&#96;")
