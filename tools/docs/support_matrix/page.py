"""All of docs/support-matrix.md, section by section, from the tables of the codecs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields

from migrate.codecs.adapt import files
from migrate.codecs.capabilities import ATTRIBUTES_SINCE, CHUNKING_SINCE, JSON_SCHEMA_SINCE, Capabilities
from migrate.codecs.foundry.encode import MAX_IDS_PER_KEY
from migrate.codecs.foundry.tools import TOOL_ROWS, TOOLS_WITHOUT_COUNTERPART
from migrate.codecs.foundry.valid_names import MAX_NAME_CHARS
from migrate.codecs.write_forms import assistants
from migrate.model import JSON, KINDS, Kind
from tools.docs.examples import FIELDS, ITEMS, NEWER_TOOLS, OLDER_TOOLS, PARTS, Example
from tools.docs.examples.equivalents import EQUAL
from tools.docs.support_matrix import about_projects, about_sources
from tools.docs.support_matrix.limits import LIMITS, MARKS
from tools.docs.support_matrix.outcomes import NEWEST_AZURE, SERVICES, names_of, outcomes
from tools.docs.support_matrix.tables import HEADS, Row, cells, table

HEAD = f"""# What each service can store

<!-- Written by `make docs` from the codecs themselves. Do not edit. -->

This page is computed: each codec was run on one small object for each field, tool and part, and the tables
show the result. What cannot be computed (how sure a number is, what is not read) is declared beside the code.
Before a move, `assess` reports the same for your own objects.

The column for Azure is that of API version {NEWEST_AZURE}. Before {ATTRIBUTES_SINCE} a file in a store
has no attributes, before {JSON_SCHEMA_SINCE} `response_format` is no `json_schema`, before {CHUNKING_SINCE} a
store accepts no chunking strategy. The API version that answered counts; `doctor` shows it.

*Copied*: unchanged, references with their new ids; after a colon, its place on the target if that is another.
*Adapted*: in another form. *Lost*: not on the target, whole or in the part that the reason names, and still
in the archive. *Blocked*: the object is not created. Everything that is not copied is in the plan, with its
object and a reason, before anything is written.

Where two sources disagree, the smaller number is used. How sure something is:"""

SECTIONS = (*about_sources.SECTIONS, *about_projects.SECTIONS)


def page() -> str:
    """The whole page."""
    marks = ((f"**{mark}**", words) for mark, words in MARKS.items())
    return "\n\n".join([HEAD, table(("mark", "where it comes from"), marks), *_sections()]) + "\n"


def _sections() -> Iterator[str]:
    yield from ("## Limits", table(("limit", *HEADS[:-1], "what it is"), _limits()), _further())
    yield "## Fields"
    for kind in KINDS.values():
        yield from (f"### {kind.plural}", _fields(kind)) if kind.replayed else ()
    yield from ("### Runs and their steps", about_sources.RUNS, _runs())
    yield from ("## Parts of a message", _by_title("part", PARTS))
    yield from ("## Items that are no messages", about_projects.ITEMS, _by_title("item", ITEMS))
    yield from ("## Tools", about_projects.TOOLS, _tools(OLDER_TOOLS))
    yield from ("### How they are written for a project", table(about_projects.HEAD, _rows()))
    yield from ("### Without a counterpart", table(("tool", "what you can do"), _without_counterpart()))
    yield from ("### Of the newer generation only", about_projects.NEWER, _tools(NEWER_TOOLS))
    yield from ("## Never written", about_sources.FACTS, table(("kind", "field", "why"), _facts()))
    yield from ("## Equal, though spelled differently", about_sources.EQUAL)
    yield table(("kind", "field", "spellings"), _equal())
    for title, rows in SECTIONS:
        yield from (f"## {title}", table(("what", "what is done", "how sure"), rows))


def _limits() -> Iterator[Row]:
    for field in (field for field in fields(Capabilities) if field.name != "service"):
        limit = LIMITS[field.name]
        values = (
            f"{shown(getattr(capabilities, field.name))} **{mark}**"
            for capabilities, mark in zip(SERVICES.values(), limit.sure.split(), strict=True)
        )
        yield f"`{field.name}`", *values, limit.what


def shown(value: JSON) -> str:
    """A limit as text for the page."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, str):
        return f"`{value}`"
    words = value if isinstance(value, tuple) else sorted(value)
    return ", ".join(f"`{word}`" for word in words) or "none"


def _further() -> str:
    attributes = files.MAX_ATTRIBUTES
    key, text = files.MAX_ATTRIBUTE_KEY_CHARS, files.MAX_ATTRIBUTE_TEXT_CHARS
    return (
        f"For all: {attributes} attributes of a file in a store, keys of {key} and texts of {text} "
        f"characters (A); a store expires after 1 to {assistants.MAX_EXPIRY_DAYS} days without use (A). In a "
        f"project: the name of an agent has at most {MAX_NAME_CHARS} letters, digits and hyphens, and begins "
        f"and ends with a letter or digit (A). Where metadata contains ids, a value has at most "
        f"{MAX_IDS_PER_KEY}, and the next ones are under `KEY_2`."
    )


def _fields(kind: Kind) -> str:
    shown_to = (example for example in FIELDS if example.kind == kind.name)
    rows = ((f"`{e.field}`", e.title, *cells(outcomes(e))) for e in shown_to)
    return table(("field", "what", *HEADS), rows)


def _runs() -> str:
    kinds = (kind for kind in KINDS.values() if not kind.replayed)
    rows = ((kind.name, ", ".join(f"`{name}`" for name in kind.fields)) for kind in kinds)
    return table(("kind", "fields"), rows)


def _by_title(head: str, examples: Iterable[Example]) -> str:
    return table((head, *HEADS), ((e.title, *cells(outcomes(e))) for e in examples))


def _tools(examples: Iterable[Example]) -> str:
    rows = ((f"`{names_of(e.entity)[0]}`", e.title, *cells(outcomes(e))) for e in examples)
    return table(("tool", "with", *HEADS), rows)


def _rows() -> Iterator[Row]:
    for row in TOOL_ROWS:
        yield f"`{row.old}`", f"`{row.new}`", row.how, about_projects.SURE[row.old]


def _without_counterpart() -> Iterator[Row]:
    return ((f"`{name}`", way_out) for name, way_out in TOOLS_WITHOUT_COUNTERPART.items())


def _facts() -> Iterator[Row]:
    for kind in KINDS.values():
        yield from ((kind.name, f"`{name}`", why) for name, why in kind.facts.items())


def _equal() -> Iterator[Row]:
    for pair in EQUAL:
        if not pair.is_equal:
            raise AssertionError(f"no longer equal: {pair.title}")
        yield pair.kind, f"`{pair.field}`", pair.title
