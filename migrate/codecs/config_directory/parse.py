"""The files of a config directory, parsed to bodies of objects, with every mistake in every file."""

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
    texts_in,
)
from migrate.codecs.config_directory.yaml_text import InvalidYaml, YamlDocument, parse_yaml
from migrate.codecs.field_types import split_well_formed
from migrate.errors import BadUsage
from migrate.model import JSON, KINDS, Entity
from migrate.model.file import BYTES_ABSENT
from migrate.model.references import is_template

# The key of a body with the fields that no rule knows.
EXTRAS_KEY = "extras"


def decode_config_object(
    kind: str, body: Mapping[str, JSON], parent: str = "", context: object | None = None
) -> list[Entity]:
    """The object in canonical form. A file has no bytes unless the archive has them."""
    given = {name: body[name] for name in KINDS[kind].fields if name in body}
    sound, odd = split_well_formed(given)
    facts = {"bytes_from": BYTES_ABSENT} if kind == "file" else {}
    return [Entity(kind, str(body["id"]), parent, sound, facts, {**odd, **(body.get(EXTRAS_KEY) or {})})]


def refuse_as_target(*_: object, **__: object) -> NoReturn:
    """Raises `BadUsage`: only `export` writes a config directory."""
    raise BadUsage(
        "a config directory cannot be a target",
        "it is a source of plans and a side of comparisons",
        "write one with: export ESTATE DIR",
    )


ConfigBody = dict[str, Any]
KIND_BY_FOLDER = {ASSISTANTS_FOLDER: "assistant", VECTOR_STORES_FOLDER: "vector_store", FILES_YAML: "file"}
KIND_LABELS = {"assistant": "assistant", "vector_store": "vector store", "file": "file"}


@dataclass(frozen=True)
class ConfigObject:
    """One object of a file: its body, and the line of each part.

    `at`: path of the object in the file. `not_here`: names in it of objects that do not exist.
    """

    kind: str
    file: str
    document: YamlDocument
    body: ConfigBody
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
    """The objects of a directory.

    `members`: key of a vector store -> its rows. `paths`: key of a file -> the place of its bytes.
    """

    objects: dict[str, list[ConfigObject]] = field(default_factory=lambda: {kind: [] for kind in KIND_LABELS})
    members: dict[str, list[ConfigBody]] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)


def parse_config_directory(texts: Mapping[str, str]) -> tuple[ConfigContents, list[Problem]]:
    """Parse the files of a directory. `texts`: path in the directory -> text."""
    contents, problems = ConfigContents(), []
    broken: set[str] = set()
    for file, text in sorted(texts.items()):
        folder = file.partition("/")[0]
        try:
            if folder == ASSISTANTS_FOLDER:
                document = assistant_file.parse_assistant_file(text)
                problems += list(_add(contents, "assistant", file, document))
            elif folder in (VECTOR_STORES_FOLDER, FILES_YAML):
                document = parse_yaml(text)
                add = _add_files if folder == FILES_YAML else _add_store
                problems += list(add(contents, file, document))
        except InvalidYaml as error:
            problems.append(Problem(file, error.line, "", error.reason))
            broken.add(KIND_BY_FOLDER[folder])
    problems += _duplicate_keys(contents)
    problems += _dangling_references(contents, broken)
    return contents, problems


def config_key(value: JSON) -> str:
    """The key of an assistant or a store: its `id`, else its name; '' where it has none."""
    if not isinstance(value, Mapping):
        return ""
    key = value.get("id") if value.get("id") is not None else value.get("name")
    return key if isinstance(key, str) else ""


def is_valid_key(text: str) -> bool:
    """Whether a name can be a key: not a template, and with a UTF-8 form."""
    return bool(text) and not is_template(text) and text.encode(errors="replace").decode() == text


def _add(contents: ConfigContents, kind: str, file: str, document: YamlDocument) -> Iterator[Problem]:
    value = document.value
    if not isinstance(value, dict):
        yield Problem(file, document.line(()), "", "must be a mapping of keys and values")
        return
    written = ConfigObject(kind, file, document, {}, not_here=frozenset(texts_in(value.get("not_here"))))
    yield from (written.problem(path, text) for path, text in find_mistakes(kind, value))
    key = config_key(value)
    if not is_valid_key(key):
        article = "an" if kind == "assistant" else "a"
        missing = f"is missing: {article} {KIND_LABELS[kind]} needs a name, or an id"
        reason = "cannot be its key; give it an id" if key else missing
        yield written.problem(("id",) if value.get("id") else ("name",), reason)
        return
    contents.objects[kind].append(replace(written, body=_body(kind, key, value)))


def _body(kind: str, key: str, value: Mapping[str, JSON]) -> ConfigBody:
    fields = {name: value[name] for name in KINDS[kind].fields if name in value}
    return {"id": key, **fields, "extras": value.get("extras") or {}}


def _add_store(contents: ConfigContents, file: str, document: YamlDocument) -> Iterator[Problem]:
    yield from _add(contents, "vector_store", file, document)
    stores = contents.objects["vector_store"]
    rows = document.value.get("files") if isinstance(document.value, dict) else None
    if stores and stores[-1].file == file and isinstance(rows, dict):
        members = contents.members.setdefault(stores[-1].key, [])
        for key, row in rows.items():
            body = _body("vector_store_file", key, row if isinstance(row, dict) else {})
            members.append({**body, "file_id": key})


def _add_files(contents: ConfigContents, file: str, document: YamlDocument) -> Iterator[Problem]:
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
        has_bytes = value.get("path") is not None or value.get("bytes") is not None
        if not has_bytes and "bytes" not in texts_in(value.get("unchecked")):
            yield written.problem((), "needs `path` (its bytes are here) or `bytes` (its size)")
        body = _body("file", key, value)
        name = value.get("name", key)
        body |= {"filename": name} if name is not None else {}
        body.setdefault("purpose", "assistants")
        contents.objects["file"].append(replace(written, body=body))
        if isinstance(value.get("path"), str):
            contents.paths[key] = value["path"]


def _duplicate_keys(contents: ConfigContents) -> Iterator[Problem]:
    for kind in ("assistant", "vector_store"):
        first: dict[str, ConfigObject] = {}
        for object_ in contents.objects[kind]:
            earlier = first.setdefault(object_.key, object_)
            if earlier is not object_:
                field_ = ("id",) if ("id",) in object_.document.lines else ("name",)
                text = f"{object_.key!r} is {earlier.file} already; give one of them an id"
                yield object_.problem(field_, text)


def _dangling_references(contents: ConfigContents, broken: Collection[str]) -> Iterator[Problem]:
    """References to objects that are in no file. Kinds in `broken` are not checked."""
    known = {kind: {row.key for row in rows} for kind, rows in contents.objects.items() if kind not in broken}
    for assistant in contents.objects["assistant"]:
        for ref in KINDS["assistant"].refs:
            for path, name in references_at(assistant.body, ref.path):
                if not is_template(name) and name not in assistant.not_here:
                    yield from _check_reference(assistant, path, ref.kind, name, known)
    for store in contents.objects["vector_store"]:
        for row in contents.members.get(store.key, []):
            if row["id"] not in store.not_here:
                yield from _check_reference(store, ("files", row["id"]), "file", row["id"], known)


def _check_reference(
    owner: ConfigObject, path: FieldPath, kind: str, name: str, known: Mapping[str, set[str]]
) -> Iterator[Problem]:
    if kind in known and name not in known[kind]:
        place = next(folder for folder, of_kind in KIND_BY_FOLDER.items() if of_kind == kind)
        text = f"there is no {KIND_LABELS[kind]} {name!r} in {place}{suggestion(name, known[kind])}"
        yield owner.problem(path, text)


def references_at(node: JSON, path: str) -> Iterator[tuple[FieldPath, str]]:
    """The strings at a declared path of references, each with its own path."""
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
