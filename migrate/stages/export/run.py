"""Export an estate as a config directory: the same bytes for the same configuration.

Existing files keep their names, `variables.toml` and local paths stay, and only files that an earlier export
wrote are removed. Nothing is removed if the estate was not read completely.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from migrate.archive.blobs import read_verified_chunks
from migrate.archive.id_map import derivations
from migrate.codecs.config_directory import (
    ASSISTANTS_FOLDER,
    BYTES_FOLDER,
    FILES_YAML,
    MANIFEST_PATH,
    VARIABLES_TOML,
    VECTOR_STORES_FOLDER,
    compose,
)
from migrate.codecs.config_directory.validate import raise_for_problems
from migrate.codecs.config_directory.variables import (
    VARIABLES_TEMPLATE,
    EnvironmentRemoval,
    choose_environment,
)
from migrate.codecs.config_directory.variables import read_variables as read_variables
from migrate.errors import OperationRefused
from migrate.model import JSON, KINDS, Entity
from migrate.model.file import BYTES_FROM_PARSED_TEXT, file_on_service
from migrate.model.references import references_of, remap_references
from migrate.model.results.export import ExportResult
from migrate.model.secrets import locate_credentials
from migrate.stages.config_directory.read import is_config_directory
from migrate.stages.config_directory.select import ConfigSelection, select_configuration
from migrate.stages.estate import Estate
from migrate.stages.export.write_file import (
    PreviousExport,
    assign_paths,
    read_previous_export,
    remove_files,
    schema_files,
    write_file,
)
from migrate.stages.filters import ObjectFilter
from migrate.stages.match.lineage import Lineage

# (kind, id) -> key.
KeyById = Mapping[tuple[str, str], str]


@dataclass
class RenderedEstate:
    """`texts`: (kind, key) -> the text of its file; `files`: key -> file; `sources`: key of a file -> id."""

    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    files: dict[str, Entity] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)


def render(estate: Estate, held: ConfigSelection, backward: EnvironmentRemoval) -> RenderedEstate:
    """The texts of assistants and stores, and the entries of files."""
    named = {
        kind: [backward.remove_from(e) for e in estate.objects(kind).values() if held.contains(kind, e.id)]
        for kind in ("assistant", "vector_store")
    }
    files = [file_on_service(e) for e in estate.objects("file").values() if e.id in held.files]
    members = {store: estate.members("vector_store_file", store) for store in held.stores}
    ids, reasons = _keys(estate, named, files, members)
    found = RenderedEstate()
    for file in files:
        key = ids["file", file.id]
        found.files[key], found.sources[key] = file, file.id
    for entity in named["assistant"]:
        whole, absent = _with_keys(entity, ids)
        found.texts["assistant", whole.id] = compose.assistant_text(
            whole, reasons["assistant", entity.id], absent
        )
    for entity in named["vector_store"]:
        rows = [_with_keys(row, ids) for row in members[entity.id]]
        lacking = [one for _, absent in rows for one in absent]
        key = ids["vector_store", entity.id]
        store = Entity(entity.kind, key, "", entity.fields, {}, entity.extras)
        found.texts["vector_store", key] = compose.vector_store_text(
            store, (row for row, _ in rows), reasons["vector_store", entity.id], lacking
        )
    return found


def _keys(
    estate: Estate,
    named: Mapping[str, list[Entity]],
    files: list[Entity],
    members: Mapping[str, list[Entity]],
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """Every object's key, and why that is an id where it is one."""
    ids: dict[tuple[str, str], str] = {}
    reasons: dict[tuple[str, str], str] = {}
    rows = [*named["assistant"], *(row for held in members.values() for row in held)]
    gone = _missing_references(rows, {"file": files, **named})
    for kind, entities in named.items():
        choose_environment = (
            compose.keys_of_config_objects(entities)
            if estate.codec.ids_are_keys
            else compose.keys_of_named_objects(entities, gone[kind])
        )
        for id_, (key, why) in choose_environment.items():
            ids[kind, id_], reasons[kind, id_] = key, why
    own = {file.id: file.id for file in files}
    for id_, key in (
        own if estate.codec.ids_are_keys else compose.keys_of_files(files, gone["file"])
    ).items():
        ids["file", id_] = key
    return ids, reasons


def _missing_references(rows: Iterable[Entity], there: Mapping[str, list[Entity]]) -> dict[str, set[str]]:
    """What is named and is not there, by kind: no key may look like it."""
    known = {kind: {entity.id for entity in entities} for kind, entities in there.items()}
    gone: dict[str, set[str]] = {kind: set() for kind in there}
    for row in rows:
        for _, kind, id_ in references_of(KINDS[row.kind], row):
            if id_ not in known[kind]:
                gone[kind].add(id_)
    return gone


def _with_keys(entity: Entity, ids: KeyById) -> tuple[Entity, list[str]]:
    """The object with keys in the place of ids, and what it names that nobody has."""
    form = KINDS[entity.kind]
    absent = [id_ for _, kind, id_ in references_of(form, entity) if (kind, id_) not in ids]
    whole = remap_references(form, entity, lambda kind, id_: ids.get((kind, id_)))
    key = ids.get((entity.kind, entity.id), str(whole.fields.get("file_id") or entity.id))
    return Entity(entity.kind, key, entity.parent, whole.fields, whole.facts, whole.extras), absent


EXPORTED_KINDS = ("file", "vector_store", "assistant")
OBJECT_FILE_LOCATIONS = {
    "assistant": (ASSISTANTS_FOLDER, ".md"),
    "vector_store": (VECTOR_STORES_FOLDER, ".yaml"),
}


@dataclass(frozen=True)
class ExportOptions:
    """What to export, and where to."""

    folder: Path
    environment: str = ""
    other_side: str = ""
    kinds: frozenset[str] = frozenset()
    object_filter: ObjectFilter = field(default_factory=ObjectFilter)
    bytes: bool = False
    partial: bool = False

    @property
    def is_filtered(self) -> bool:
        """Whether something was left out on purpose, so that absence says nothing."""
        return bool(self.kinds or self.object_filter.include or self.object_filter.exclude)


def export(estate: Estate, asked: ExportOptions) -> ExportResult:
    """Write the directory. Raises `OperationRefused` where that would be unsafe."""
    folder = asked.folder
    _must_be_free(folder)
    gaps = unread_listings(estate)
    if gaps and not asked.partial:
        raise OperationRefused(
            f"{estate.side.url} was not read whole",
            f"what was not read cannot be told from what is not there: {'; '.join(gaps)}",
            "take a complete snapshot, or give --partial: nothing is removed then",
        )
    before = read_previous_export(folder)
    environments, wrong = read_variables(before.variables)
    raise_for_problems([*before.problems, *wrong], str(folder))
    name, values = choose_environment(environments, asked.environment, asked.other_side)
    copies = Lineage(derivations(estate.snapshot.conn)).store_copies(estate)
    held = _filter_selection(
        estate, select_configuration(estate, values.name_prefix, copies), asked.object_filter
    )
    rendered = render(estate, held, EnvironmentRemoval(values))
    result = ExportResult(folder, name, left_out=dict(held.left_out))
    result.counts = {"assistant": len(held.assistants), "vector_store": len(held.stores)}
    result.counts["file"] = len(rendered.files)
    texts = _files_to_write(estate, rendered, before, asked, result)
    for path, text in texts.items():
        write_file(folder, path, text.encode(), result)
    result.notes += _credentials_in_texts(estate, held)
    whole = not gaps and not asked.is_filtered
    kept = before.manifest if not whole else frozenset()
    gone = before.manifest - texts.keys() if whole else frozenset()
    remove_files(folder, gone, result)
    listed = sorted({*texts, *kept} - {VARIABLES_TOML})
    write_file(folder, MANIFEST_PATH, "".join(f"{path}\n" for path in listed).encode(), result)
    return result


def _credentials_in_texts(estate: Estate, held: ConfigSelection) -> Iterator[str]:
    """The texts of an assistant are written exactly as they are; credentials in them are reported."""
    for id_ in sorted(held.assistants):
        entity = estate.objects("assistant")[id_]
        for name in ("name", "description", "instructions"):
            for field_, words in locate_credentials(entity.fields.get(name), name):
                yield f"{entity.name or id_}: {field_} holds a credential ({words}), and is written as it is"


def unread_listings(estate: Estate) -> list[str]:
    """Which listings of configuration were not read to their end, and why."""
    gaps = []
    for kind in EXPORTED_KINDS:
        state, reason = estate.snapshot.listing_state(kind)
        if state != "complete" or (reason := estate.why_filtered(kind)):
            gaps.append(f"{kind}: {reason or state or 'not read'}")
    for store in estate.objects("vector_store"):
        if not estate.is_complete("vector_store_file", store):
            _, reason = estate.snapshot.listing_state("vector_store_file", store)
            gaps.append(f"files of {store}: {reason or 'not read'}")
    missing = [gap for gap in estate.snapshot.missing() if gap.kind in (*EXPORTED_KINDS, "vector_store_file")]
    bytes_only = {("file", id_) for id_ in estate.objects("file")}
    return gaps + [f"{g.kind} {g.id}: {g.reason}" for g in missing if (g.kind, g.id) not in bytes_only]


def _must_be_free(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise OperationRefused(
            f"{folder} is a file", "a config directory is a folder", "choose another place"
        )
    inside = [p for p in folder.iterdir() if not p.name.startswith(".")] if folder.is_dir() else []
    if inside and not is_config_directory(folder):
        raise OperationRefused(
            f"{folder} is not empty, and no config directory",
            f"it holds {inside[0].name}",
            "choose an empty folder, or one that an export wrote",
        )


def _filter_selection(estate: Estate, held: ConfigSelection, choice: ObjectFilter) -> ConfigSelection:
    """What --include and --exclude leave of it."""

    def wanted(kind: str, ids: frozenset[str]) -> frozenset[str]:
        rows = ((id_, estate.objects(kind)[id_]) for id_ in ids)
        return frozenset(id_ for id_, e in rows if choice.matches(kind, {"id": id_, "name": e.name}))

    return replace(
        held,
        assistants=wanted("assistant", held.assistants),
        stores=wanted("vector_store", held.stores),
        files=wanted("file", held.files),
    )


def _files_to_write(
    estate: Estate,
    rendered: RenderedEstate,
    before: PreviousExport,
    asked: ExportOptions,
    result: ExportResult,
) -> dict[str, str]:
    """Path in the directory -> text, of the kinds that were asked for."""
    kinds = asked.kinds or frozenset(EXPORTED_KINDS)
    texts = dict(schema_files())
    for kind, (place, ending) in OBJECT_FILE_LOCATIONS.items():
        keys = [key for one, key in rendered.texts if one == kind]
        names = assign_paths(place, ending, keys, before.places.get(kind, {}))
        if kind in kinds:
            texts |= {names[key]: rendered.texts[kind, key] for key in sorted(keys)}
    if "file" in kinds:
        paths = dict(_write_bytes(estate, rendered, before, asked, result))
        keep = asked.is_filtered or asked.partial  # what was not looked for is not gone
        texts[FILES_YAML] = compose.files_yaml_text(rendered.files, paths, before.entries if keep else {})
    if not (asked.folder / VARIABLES_TOML).exists():
        texts[VARIABLES_TOML] = VARIABLES_TEMPLATE
    return texts


def _write_bytes(
    estate: Estate,
    rendered: RenderedEstate,
    before: PreviousExport,
    asked: ExportOptions,
    result: ExportResult,
) -> Iterator[tuple[str, str]]:
    """Key -> path of the bytes: where they were, or below files/ when they are asked for."""
    names = assign_paths(BYTES_FOLDER, "", rendered.files, {})
    for key, file in sorted(rendered.files.items()):
        path = _previous_path(asked.folder, before.entries.get(key), file.fields, result, key)
        if path:
            yield key, path
            continue
        blob = estate.snapshot.blob(rendered.sources[key]) if asked.bytes else None
        if blob is None or blob.origin == BYTES_FROM_PARSED_TEXT:
            if asked.bytes:
                result.notes.append(f"{key}: its bytes are not there")
            continue
        write_file(
            asked.folder, names[key], b"".join(read_verified_chunks(estate.snapshot.conn, blob)), result
        )
        yield key, names[key]


def _previous_path(
    folder: Path, entry: JSON, fields: Mapping[str, JSON], result: ExportResult, key: str
) -> str:
    """The local path that an entry had, if what lies there is still this file."""
    path = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(path, str):
        return ""
    here = (folder / path).resolve()
    if here.is_relative_to(folder.resolve()) and here.is_file():
        sha, size = fields.get("sha256"), fields.get("bytes")
        same = size in (None, here.stat().st_size)
        if same and (sha is None or hashlib.sha256(here.read_bytes()).hexdigest() == sha):
            return path
    result.notes.append(f"{key}: {path} is not this file any more, so its path is left out")
    return ""
