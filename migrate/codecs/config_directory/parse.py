"""The texts of a config directory in; bodies of every object and every mistake in every file out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from migrate.codecs.config_directory import ASSISTANTS, FILES, STORES, assistant_file
from migrate.codecs.config_directory.problems import Path, Problem, close_to, dotted
from migrate.codecs.config_directory.validate import mistakes
from migrate.codecs.config_directory.yaml_reader import Document, NotYaml, read
from migrate.codecs.field_types import well_formed
from migrate.errors import BadUsage
from migrate.model import JSON, KINDS, Entity
from migrate.model.file import BYTES_ABSENT
from migrate.model.references import is_template

EXTRAS = "extras"
"""The key of a body under which stands what no rule knows."""


def decode(
    kind: str, body: Mapping[str, JSON], parent: str = "", around: object | None = None
) -> list[Entity]:
    """The object in canonical form. A file has no bytes unless the archive has them."""
    given = {name: body[name] for name in KINDS[kind].fields if name in body}
    sound = {name: value for name, value in given.items() if well_formed(name, value)}
    extras = {name: value for name, value in given.items() if name not in sound}
    facts = {"bytes_from": BYTES_ABSENT} if kind == "file" else {}
    return [Entity(kind, str(body["id"]), parent, sound, facts, {**extras, **(body.get(EXTRAS) or {})})]


def refused(*_: object, **__: object) -> NoReturn:
    """A config directory is written by `export` alone."""
    raise BadUsage(
        "a config directory is no target of a move",
        "it is a source of plans and a side of comparisons",
        "write one with: export ESTATE DIR",
    )


Body = dict[str, Any]
KIND_OF = {ASSISTANTS: "assistant", STORES: "vector_store", FILES: "file"}
WORDS = {"assistant": "assistant", "vector_store": "vector store", "file": "file"}


@dataclass(frozen=True)
class Written:
    """One object as it was written: its body, and where each part stands."""

    kind: str
    file: str
    document: Document
    body: Body
    at: Path = ()
    """Where in the file the object begins."""
    not_here: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        return str(self.body["id"])

    def problem(self, path: Path, text: str) -> Problem:
        """A mistake in this object."""
        whole = (*self.at, *path)
        return Problem(self.file, self.document.line(whole), dotted(whole), text)


@dataclass(frozen=True)
class Contents:
    """Everything that a directory says. `members`: key of a store -> its rows. `paths`: key of a file ->
    where its bytes lie."""

    objects: dict[str, list[Written]] = field(default_factory=lambda: {kind: [] for kind in WORDS})
    members: dict[str, list[Body]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)


def parse(texts: Mapping[str, str]) -> tuple[Contents, list[Problem]]:
    """Read the files of a directory, by their paths in it."""
    found, problems = Contents(), []
    broken: set[str] = set()
    for file, text in sorted(texts.items()):
        folder = file.partition("/")[0]
        try:
            if folder == ASSISTANTS:
                document = assistant_file.parsed(text)
                problems += list(_add(found, "assistant", file, document))
            elif folder in (STORES, FILES):
                document = read(text)
                add = _add_files if folder == FILES else _add_store
                problems += list(add(found, file, document))
        except NotYaml as error:
            problems.append(Problem(file, error.line, "", error.reason))
            broken.add(KIND_OF[folder])
    problems += _twice(found)
    problems += _dangling(found, broken)
    return found, problems


def key_of(value: JSON) -> str:
    """The key of an assistant or a store: its `id`, else its name; '' where it has none."""
    if not isinstance(value, Mapping):
        return ""
    key = value.get("id") if value.get("id") is not None else value.get("name")
    return key if isinstance(key, str) else ""


def can_be_key(text: str) -> bool:
    """Whether a name can stand for its object: what is replaced at run time, or has no UTF-8, cannot."""
    return bool(text) and not is_template(text) and text.encode(errors="replace").decode() == text


def _add(found: Contents, kind: str, file: str, document: Document) -> Iterator[Problem]:
    value = document.value
    if not isinstance(value, dict):
        yield Problem(file, document.line(()), "", "must be a mapping of keys and values")
        return
    written = Written(kind, file, document, {}, not_here=frozenset(_texts(value.get("not_here"))))
    yield from (written.problem(path, text) for path, text in mistakes(kind, value))
    key = key_of(value)
    if not can_be_key(key):
        reason = "cannot stand for it; give it an id" if key else f"is missing: {_needs(kind)}"
        yield written.problem(("id",) if value.get("id") else ("name",), reason)
        return
    found.objects[kind].append(replace(written, body=_body(kind, key, value)))


def _needs(kind: str) -> str:
    return f"{'an' if kind == 'assistant' else 'a'} {WORDS[kind]} needs a name, or an id"


def _body(kind: str, key: str, value: Mapping[str, JSON]) -> Body:
    fields = {name: value[name] for name in KINDS[kind].fields if name in value}
    return {"id": key, **fields, "extras": value.get("extras") or {}}


def _add_store(found: Contents, file: str, document: Document) -> Iterator[Problem]:
    yield from _add(found, "vector_store", file, document)
    stores = found.objects["vector_store"]
    rows = document.value.get("files") if isinstance(document.value, dict) else None
    if stores and stores[-1].file == file and isinstance(rows, dict):
        said = {key: row if isinstance(row, dict) else {} for key, row in rows.items()}
        found.members.setdefault(stores[-1].key, []).extend(
            {**_body("vector_store_file", key, row), "file_id": key} for key, row in said.items()
        )


def _add_files(found: Contents, file: str, document: Document) -> Iterator[Problem]:
    if document.value is None:
        return
    if not isinstance(document.value, dict):
        yield Problem(file, document.line(()), "", "must be a mapping of files by their keys")
        return
    for key, given in document.value.items():
        value = {} if given is None else given
        written = Written("file", file, document, {}, at=(key,))
        if not isinstance(value, dict):
            yield written.problem((), "must be a mapping")
            continue
        yield from (written.problem(path, text) for path, text in mistakes("file", value))
        if not can_be_key(key):
            yield written.problem((), "cannot be the key of a file; choose another one, and give its `name`")
            continue
        if (
            value.get("path") is None
            and value.get("bytes") is None
            and "bytes" not in _texts(value.get("unchecked"))
        ):
            yield written.problem((), "needs `path` (its bytes are here) or `bytes` (its size)")
        body = _body("file", key, value)
        name = value.get("name", key)
        body |= {"filename": name} if name is not None else {}
        body.setdefault("purpose", "assistants")
        found.objects["file"].append(replace(written, body=body))
        if isinstance(value.get("path"), str):
            found.paths[key] = value["path"]


def _twice(found: Contents) -> Iterator[Problem]:
    for kind in ("assistant", "vector_store"):
        first: dict[str, Written] = {}
        for one in found.objects[kind]:
            other = first.setdefault(one.key, one)
            if other is not one:
                field_ = ("id",) if ("id",) in one.document.lines else ("name",)
                yield one.problem(field_, f"{one.key!r} is {other.file} already; give one of them an id")


def _dangling(found: Contents, broken: Collection[str]) -> Iterator[Problem]:
    """What names an object that is in no file; of kinds with a broken file nobody can say."""
    known = {kind: {one.key for one in rows} for kind, rows in found.objects.items() if kind not in broken}
    for assistant in found.objects["assistant"]:
        for ref in KINDS["assistant"].refs:
            for path, name in located(assistant.body, ref.path):
                if not is_template(name) and name not in assistant.not_here:
                    yield from _unknown(assistant, path, ref.kind, name, known)
    for store in found.objects["vector_store"]:
        for row in found.members.get(store.key, []):
            if row["id"] not in store.not_here:
                yield from _unknown(store, ("files", row["id"]), "file", row["id"], known)


def _unknown(
    owner: Written, path: Path, kind: str, name: str, known: Mapping[str, set[str]]
) -> Iterator[Problem]:
    if kind in known and name not in known[kind]:
        place = {"file": FILES, "vector_store": STORES, "assistant": ASSISTANTS}[kind]
        yield owner.problem(
            path, f"there is no {WORDS[kind]} {name!r} in {place}{close_to(name, known[kind])}"
        )


def located(node: JSON, path: str) -> Iterator[tuple[Path, str]]:
    """The strings at a declared path of references, each with its place."""
    return _located(node, path.split("."), ())


def _located(node: JSON, steps: list[str], at: Path) -> Iterator[tuple[Path, str]]:
    if not steps:
        if isinstance(node, str):
            yield at, node
        return
    name, rest = steps[0].removesuffix("[]"), steps[1:]
    child = node.get(name) if isinstance(node, dict) else None
    if steps[0].endswith("[]"):
        for place, item in enumerate(child if isinstance(child, list) else []):
            yield from _located(item, rest, (*at, name, place))
    elif child is not None:
        yield from _located(child, rest, (*at, name))


def _texts(value: JSON) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
