"""Join losses of many objects into one line for each kind, field and reason."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from migrate.reports.report import LIST_OPTIONS, ItemDetail, ReportItem
from migrate.reports.text_table import number_of
from migrate.reports.values import brief

# Objects that one line names as examples, and characters of the name of each.
MAX_EXAMPLES, MAX_EXAMPLE_CHARS = 3, 60
# What differs from object to object in the same reason: ids, and separate numbers.
ID_OR_NUMBER = (
    r"\b(?:asst|assistant|thread|conv|msg|run|step|file|vs|call)[_-][\w-]*\d[\w-]*"
    r"|(?<![\w.,-])\d[\d,]*(?![\w-]|[.,]\d)"
)
IDS_AND_NUMBERS = re.compile(ID_OR_NUMBER)
# Besides, names of files and what is quoted. Not in reasons of blocked objects: there, the user needs the
# name, such as that of a deployment.
VARYING_WORDS = re.compile(rf"{ID_OR_NUMBER}|'[^']*'|\"[^\"]*\"|[\w-]+\.[A-Za-z][A-Za-z0-9]{{1,4}}\b")
DIFFERS = "…"


@dataclass
class VaryingText:
    """Texts that are equal but for some words: the words where they agree, and a mark where they differ."""

    fixed: list[str]
    words: list[str]

    def add(self, words: list[str]) -> None:
        """Compare the words of one more text."""
        self.words = [a if a == b else DIFFERS for a, b in zip(self.words, words, strict=True)]

    def __str__(self) -> str:
        pairs = zip(self.fixed, [*self.words, ""], strict=True)
        return "".join(part for pair in pairs for part in pair)


@dataclass
class LossGroup:
    """The losses of one kind, field, grade, acceptance and reason. `count`: number of objects, 0 where the
    loss concerns every object of the kind. `examples`: the first items."""

    verdict: str
    severity: str
    kind: str
    path: str
    note: str
    reason: VaryingText
    remedy: VaryingText
    count: int = 0
    examples: list[ReportItem] = field(default_factory=list)
    _newest: ReportItem | None = None

    def add(self, item: ReportItem) -> None:
        """Count an object. One that has the loss several times counts once."""
        if not item.left_id or item is self._newest:
            return
        self._newest = item
        self.count += 1
        if len(self.examples) < MAX_EXAMPLES:
            self.examples.append(item)

    @property
    def objects(self) -> str:
        """The number of objects, with examples."""
        if not self.count:
            return "every one"
        names = "; ".join(map(example_text, self.examples))
        return f"{number_of(self.count, 'object')}, such as {names}" if self.has_more else names

    @property
    def has_more(self) -> bool:
        """Whether the group has objects that are not among the examples."""
        return self.count > len(self.examples)


def every_object_hint(command: str) -> str:
    """How to list every object of the losses of a command."""
    return f"every object: {LIST_OPTIONS[command].whole_list}"


def example_text(item: ReportItem) -> str:
    """Name, id and parent of an object."""
    name = f"{brief(item.name, MAX_EXAMPLE_CHARS)} " if item.name else ""
    return f"{name}[{item.left_id}]" + (f" in {item.parent}" if item.parent else "")


def group_losses(items: Iterable[ReportItem]) -> list[LossGroup]:
    """The losses of these items, in the order in which the first object of each group comes."""
    groups: dict[tuple[object, ...], LossGroup] = {}
    for item in items:
        for detail in item.details:
            _add(groups, item, detail)
    return list(groups.values())


def _add(groups: dict[tuple[object, ...], LossGroup], item: ReportItem, detail: ItemDetail) -> None:
    pattern = IDS_AND_NUMBERS if item.verdict == "blocked" else VARYING_WORDS
    reason, reason_words = pattern.split(detail.reason), pattern.findall(detail.reason)
    remedy, remedy_words = IDS_AND_NUMBERS.split(detail.remedy), IDS_AND_NUMBERS.findall(detail.remedy)
    place = (item.verdict, item.severity, item.kind, item.note, detail.path, bool(item.left_id))
    key = (*place, tuple(reason), tuple(remedy))
    group = groups.get(key)
    if group is None:
        texts = VaryingText(reason, reason_words), VaryingText(remedy, remedy_words)
        group = LossGroup(item.verdict, item.severity, item.kind, detail.path, item.note, *texts)
        groups[key] = group
    else:
        group.reason.add(reason_words)
        group.remedy.add(remedy_words)
    group.add(item)
