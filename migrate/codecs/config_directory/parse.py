"""The texts of a config directory in; bodies of every object and every mistake in every file out."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn

from migrate.codecs.config_directory import (
    ASSISTANTS_FOLDER,
    FILES_YAML,
    VECTOR_STORES_FOLDER,
    assistant_file,
)
from migrate.codecs.config_directory.validate import (
    FieldPath,
    Problem,
    find_mistakes,
    format_field_path,
    suggestion,
)
from migrate.codecs.config_directory.yaml_text import InvalidYaml, YamlDocument, parse_yaml
from migrate.codecs.field_types import is_well_formed
from migrate.errors import BadUsage
from migrate.model import JSON, KINDS, Entity
from migrate.model.file import BYTES_ABSENT
from migrate.model.references import is_template

# The key of a body under which stands what no rule knows.
EXTRAS_KEY = "extras"


def decode_config_object(
    kind: str, body: Mapping[str, JSON], parent: str = "", context: object | None = None
) -> list[Entity]:
    """The object in canonical form. A file has no bytes unless the archive has them."""
    given = {name: body[name] for name in KINDS[kind].fields if name in body}
    sound = {name: value for name, value in given.items() if is_well_formed(name, value)}
    extras = {name: value for name, value in given.items() if name not in sound}
    facts = {"bytes_from": BYTES_ABSENT} if kind == "file" else {}
    return [Entity(kind, str(body["id"]), parent, sound, facts, {**extras, **(body.get(EXTRAS_KEY) or {})})]


def refuse_as_target(*_: object, **__: object) -> NoReturn:
    """A config directory is written by `export` alone."""
    raise BadUsage(
        "a config directory is no target of a move",
        "it is a source of plans and a side of comparisons",
        "write one with: export ESTATE DIR",
    )


ConfigBody = dict[str, Any]
KIND_BY_FOLDER = {ASSISTANTS_FOLDER: "assistant", VECTOR_STORES_FOLDER: "vector_store", FILES_YAML: "file"}
KIND_LABELS = {"assistant": "assistant", "vector_store": "vector store", "file": "file"}


@dataclass(frozen=True)
class ConfigObject:
    """One object as it was written: its body, and where each part stands."""

    kind: str
    file: str
    document: YamlDocument
    body: ConfigBody
    # Where in the file the object begins.
    at: FieldPath = ()
    not_here: frozenset[str] = frozenset()

    @property
    def key(self) -> str:
        return str(self.body["id"])

    def problem(self, path: FieldPath, text: str) -> Problem:
        """A mistake in this object."""
        whole = (*self.at, *path)
        return Problem(self.file, self.document.line(whole), format_field_path(whole), text)


@dataclass(frozen=True)
class ConfigContents:
    """Everything that a directory says. `members`: key of a store -> its rows. `paths`: key of a file ->
    where its bytes lie."""

    objects: dict[str, list[ConfigObject]] = field(default_factory=lambda: {kind: [] for kind in KIND_LABELS})
    members: dict[str, list[ConfigBody]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)


def parse_config_directory(texts: Mapping[str, str]) -> tuple[ConfigContents, list[Problem]]:
    """Read the files of a directory, by their paths in it."""
    found, problems = ConfigContents(), []
    broken: set[str] = set()
    for file, text in sorted(texts.items()):
        folder = file.partition("/")[0]
        try:
            if folder == ASSISTANTS_FOLDER:
                document = assistant_file.parse_assistant_file(text)
                problems += list(_add(found, "assistant", file, document))
            elif folder in (VECTOR_STORES_FOLDER, FILES_YAML):
                document = parse_yaml(text)
                add = _add_files if folder == FILES_YAML else _add_store
                problems += list(add(found, file, document))
        except InvalidYaml as error:
            problems.append(Problem(file, error.line, "", error.reason))
            broken.add(KIND_BY_FOLDER[folder])
    problems += _duplicate_keys(found)
    problems += _dangling_references(found, broken)
    return found, problems


def config_key(value: JSON) -> str:
    """The key of an assistant or a store: its `id`, else its name; '' where it has none."""
    if not isinstance(value, Mapping):
        return ""
    key = value.get("id") if value.get("id") is not None else value.get("name")
    return key if isinstance(key, str) else ""


def is_valid_key(text: str) -> bool:
    """Whether a name can stand for its object: what is replaced at run time, or has no UTF-8, cannot."""
    return bool(text) and not is_template(text) and text.encode(errors="replace").decode() == text


def _add(found: ConfigContents, kind: str, file: str, document: YamlDocument) -> Iterator[Problem]:
    value = document.value
    if not isinstance(value, dict):
        yield Problem(file, document.line(()), "", "must be a mapping of keys and values")
        return
    written = ConfigObject(kind, file, document, {}, not_here=frozenset(_texts(value.get("not_here"))))
    yield from (written.problem(path, text) for path, text in find_mistakes(kind, value))
    key = config_key(value)
    if not is_valid_key(key):
        reason = "cannot stand for it; give it an id" if key else f"is missing: {_needs(kind)}"
        yield written.problem(("id",) if value.get("id") else ("name",), reason)
        return
    found.objects[kind].append(replace(written, body=_body(kind, key, value)))


def _needs(kind: str) -> str:
    return f"{'an' if kind == 'assistant' else 'a'} {KIND_LABELS[kind]} needs a name, or an id"


def _body(kind: str, key: str, value: Mapping[str, JSON]) -> ConfigBody:
    fields = {name: value[name] for name in KINDS[kind].fields if name in value}
    return {"id": key, **fields, "extras": value.get("extras") or {}}


def _add_store(found: ConfigContents, file: str, document: YamlDocument) -> Iterator[Problem]:
    yield from _add(found, "vector_store", file, document)
    stores = found.objects["vector_store"]
    rows = document.value.get("files") if isinstance(document.value, dict) else None
    if stores and stores[-1].file == file and isinstance(rows, dict):
        said = {key: row if isinstance(row, dict) else {} for key, row in rows.items()}
        found.members.setdefault(stores[-1].key, []).extend(
            {**_body("vector_store_file", key, row), "file_id": key} for key, row in said.items()
        )


def _add_files(found: ConfigContents, file: str, document: YamlDocument) -> Iterator[Problem]:
    if document.value is None:
        return
    if not isinstance(document.value, dict):
        yield Problem(file, document.line(()), "", "must be a mapping of files by their keys")
        return
    for key, given in document.value.items():
        value = {} if given is None else given
        written = ConfigObject("file", file, document, {}, at=(key,))
        if not isinstance(value, dict):
            yield written.problem((), "must be a mapping")
            continue
        yield from (written.problem(path, text) for path, text in find_mistakes("file", value))
        if not is_valid_key(key):
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


def _duplicate_keys(found: ConfigContents) -> Iterator[Problem]:
    for kind in ("assistant", "vector_store"):
        first: dict[str, ConfigObject] = {}
        for one in found.objects[kind]:
            other = first.setdefault(one.key, one)
            if other is not one:
                field_ = ("id",) if ("id",) in one.document.lines else ("name",)
                yield one.problem(field_, f"{one.key!r} is {other.file} already; give one of them an id")


def _dangling_references(found: ConfigContents, broken: Collection[str]) -> Iterator[Problem]:
    """What names an object that is in no file; of kinds with a broken file nobody can say."""
    known = {kind: {one.key for one in rows} for kind, rows in found.objects.items() if kind not in broken}
    for assistant in found.objects["assistant"]:
        for ref in KINDS["assistant"].refs:
            for path, name in references_at(assistant.body, ref.path):
                if not is_template(name) and name not in assistant.not_here:
                    yield from _check_reference(assistant, path, ref.kind, name, known)
    for store in found.objects["vector_store"]:
        for row in found.members.get(store.key, []):
            if row["id"] not in store.not_here:
                yield from _check_reference(store, ("files", row["id"]), "file", row["id"], known)


def _check_reference(
    owner: ConfigObject, path: FieldPath, kind: str, name: str, known: Mapping[str, set[str]]
) -> Iterator[Problem]:
    if kind in known and name not in known[kind]:
        place = {"file": FILES_YAML, "vector_store": VECTOR_STORES_FOLDER, "assistant": ASSISTANTS_FOLDER}[
            kind
        ]
        yield owner.problem(
            path, f"there is no {KIND_LABELS[kind]} {name!r} in {place}{suggestion(name, known[kind])}"
        )


def references_at(node: JSON, path: str) -> Iterator[tuple[FieldPath, str]]:
    """The strings at a declared path of references, each with its place."""
    return _references_below(node, path.split("."), ())


def _references_below(node: JSON, steps: list[str], at: FieldPath) -> Iterator[tuple[FieldPath, str]]:
    if not steps:
        if isinstance(node, str):
            yield at, node
        return
    name, rest = steps[0].removesuffix("[]"), steps[1:]
    child = node.get(name) if isinstance(node, dict) else None
    if steps[0].endswith("[]"):
        for place, item in enumerate(child if isinstance(child, list) else []):
            yield from _references_below(item, rest, (*at, name, place))
    elif child is not None:
        yield from _references_below(child, rest, (*at, name))


def _texts(value: JSON) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
