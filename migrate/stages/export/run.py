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
from migrate.model import JSON, Entity
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


def render(estate: Estate, selection: ConfigSelection, backward: EnvironmentRemoval) -> RenderedEstate:
    """The texts of assistants and stores, and the entries of files."""
    named = {
        kind: [
            backward.remove_from(e) for e in estate.objects(kind).values() if selection.contains(kind, e.id)
        ]
        for kind in ("assistant", "vector_store")
    }
    files = [file_on_service(e) for e in estate.objects("file").values() if e.id in selection.files]
    members = {store: estate.members("vector_store_file", store) for store in selection.stores}
    ids, reasons = _keys(estate, named, files, members)
    rendered = RenderedEstate()
    for file in files:
        key = ids["file", file.id]
        rendered.files[key], rendered.sources[key] = file, file.id
    for entity in named["assistant"]:
        keyed, absent = _with_keys(entity, ids)
        rendered.texts["assistant", keyed.id] = compose.assistant_text(
            keyed, reasons["assistant", entity.id], absent
        )
    for entity in named["vector_store"]:
        rows = [_with_keys(row, ids) for row in members[entity.id]]
        lacking = [id_ for _, absent in rows for id_ in absent]
        key = ids["vector_store", entity.id]
        store = Entity(entity.kind, key, "", entity.fields, {}, entity.extras)
        rendered.texts["vector_store", key] = compose.vector_store_text(
            store, (row for row, _ in rows), reasons["vector_store", entity.id], lacking
        )
    return rendered


def _keys(
    estate: Estate,
    named: Mapping[str, list[Entity]],
    files: list[Entity],
    members: Mapping[str, list[Entity]],
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """The key of every object, and the reason where the key is an id."""
    ids: dict[tuple[str, str], str] = {}
    reasons: dict[tuple[str, str], str] = {}
    rows = [*named["assistant"], *(row for rows in members.values() for row in rows)]
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


def _missing_references(rows: Iterable[Entity], existing: Mapping[str, list[Entity]]) -> dict[str, set[str]]:
    """Ids of missing objects to which something refers, by kind: no key may be equal to one."""
    known = {kind: {entity.id for entity in entities} for kind, entities in existing.items()}
    gone: dict[str, set[str]] = {kind: set() for kind in existing}
    for row in rows:
        for _, kind, id_ in references_of(row):
            if id_ not in known[kind]:
                gone[kind].add(id_)
    return gone


def _with_keys(entity: Entity, ids: KeyById) -> tuple[Entity, list[str]]:
    """The object with keys instead of ids, and the ids of missing objects to which it refers."""
    absent = [id_ for _, kind, id_ in references_of(entity) if (kind, id_) not in ids]
    keyed = remap_references(entity, lambda kind, id_: ids.get((kind, id_)))
    key = ids.get((entity.kind, entity.id), str(keyed.fields.get("file_id") or entity.id))
    return Entity(entity.kind, key, entity.parent, keyed.fields, keyed.facts, keyed.extras), absent


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
        """Whether objects were left out on purpose, so that absence proves nothing."""
        return bool(self.kinds) or not self.object_filter.is_whole


def export(estate: Estate, options: ExportOptions) -> ExportResult:
    """Write the directory. Raises `OperationRefused` where that would be unsafe."""
    folder = options.folder
    _must_be_free(folder)
    gaps = unread_listings(estate)
    if gaps and not options.partial:
        raise OperationRefused(
            f"{estate.side.url} was not read completely",
            f"objects that were not read look like deleted ones: {'; '.join(gaps)}",
            "take a complete snapshot, or give --partial: nothing is removed then",
        )
    before = read_previous_export(folder)
    environments, wrong = read_variables(before.variables)
    raise_for_problems([*before.problems, *wrong], str(folder))
    name, values = choose_environment(environments, options.environment, options.other_side)
    copies = Lineage(derivations(estate.snapshot.conn)).store_copies(estate)
    selection = _filter_selection(
        estate, select_configuration(estate, values.name_prefix, copies), options.object_filter
    )
    rendered = render(estate, selection, EnvironmentRemoval(values))
    result = ExportResult(folder, name, left_out=dict(selection.left_out))
    result.counts = {"assistant": len(selection.assistants), "vector_store": len(selection.stores)}
    result.counts["file"] = len(rendered.files)
    texts = _files_to_write(estate, rendered, before, options, result)
    for path, text in texts.items():
        write_file(folder, path, text.encode(), result)
    result.notes += _credentials_in_texts(estate, selection)
    complete = not gaps and not options.is_filtered
    kept = before.manifest if not complete else frozenset()
    gone = before.manifest - texts.keys() if complete else frozenset()
    remove_files(folder, gone, result)
    listed = sorted({*texts, *kept} - {VARIABLES_TOML})
    write_file(folder, MANIFEST_PATH, "".join(f"{path}\n" for path in listed).encode(), result)
    return result


def _credentials_in_texts(estate: Estate, selection: ConfigSelection) -> Iterator[str]:
    """The texts of an assistant are written exactly as they are; credentials in them are reported."""
    for id_ in sorted(selection.assistants):
        entity = estate.objects("assistant")[id_]
        for name in ("name", "description", "instructions"):
            for field_, words in locate_credentials(entity.fields.get(name), name):
                yield f"{entity.name or id_}: {field_} holds a credential ({words}), and is written as it is"


def unread_listings(estate: Estate) -> list[str]:
    """The listings of configuration that were not read completely, and why."""
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


def _filter_selection(
    estate: Estate, selection: ConfigSelection, object_filter: ObjectFilter
) -> ConfigSelection:
    """The part of a selection that passes --include and --exclude."""

    def passing(kind: str, ids: frozenset[str]) -> frozenset[str]:
        rows = ((id_, estate.objects(kind)[id_]) for id_ in ids)
        return frozenset(id_ for id_, e in rows if object_filter.matches(kind, {"id": id_, "name": e.name}))

    return replace(
        selection,
        assistants=passing("assistant", selection.assistants),
        stores=passing("vector_store", selection.stores),
        files=passing("file", selection.files),
    )


def _files_to_write(
    estate: Estate,
    rendered: RenderedEstate,
    before: PreviousExport,
    options: ExportOptions,
    result: ExportResult,
) -> dict[str, str]:
    """Path in the directory -> text, of the requested kinds."""
    kinds = options.kinds or frozenset(EXPORTED_KINDS)
    texts = dict(schema_files())
    for kind, (place, ending) in OBJECT_FILE_LOCATIONS.items():
        keys = [key for text_kind, key in rendered.texts if text_kind == kind]
        names = assign_paths(place, ending, keys, before.places.get(kind, {}))
        if kind in kinds:
            texts |= {names[key]: rendered.texts[kind, key] for key in sorted(keys)}
    if "file" in kinds:
        paths = dict(_write_bytes(estate, rendered, before, options, result))
        keep = options.is_filtered or options.partial  # objects that were left out are not deleted
        texts[FILES_YAML] = compose.files_yaml_text(rendered.files, paths, before.entries if keep else {})
    if not (options.folder / VARIABLES_TOML).exists():
        texts[VARIABLES_TOML] = VARIABLES_TEMPLATE
    return texts


def _write_bytes(
    estate: Estate,
    rendered: RenderedEstate,
    before: PreviousExport,
    options: ExportOptions,
    result: ExportResult,
) -> Iterator[tuple[str, str]]:
    """(key, path of the bytes) rows: the previous path, or a path below files/ with `bytes`."""
    names = assign_paths(BYTES_FOLDER, "", rendered.files, {})
    for key, file in sorted(rendered.files.items()):
        path = _previous_path(options.folder, before.entries.get(key), file.fields, result, key)
        if path:
            yield key, path
            continue
        blob = estate.snapshot.blob(rendered.sources[key]) if options.bytes else None
        if blob is None or blob.origin == BYTES_FROM_PARSED_TEXT:
            if options.bytes:
                result.notes.append(f"{key}: its bytes are not in the archive")
            continue
        write_file(
            options.folder, names[key], b"".join(read_verified_chunks(estate.snapshot.conn, blob)), result
        )
        yield key, names[key]


def _previous_path(
    folder: Path, entry: JSON, fields: Mapping[str, JSON], result: ExportResult, key: str
) -> str:
    """The local path of an existing entry, if the file there is still this one."""
    path = entry.get("path") if isinstance(entry, dict) else None
    if not isinstance(path, str):
        return ""
    local = (folder / path).resolve()
    if local.is_relative_to(folder.resolve()) and local.is_file():
        sha, size = fields.get("sha256"), fields.get("bytes")
        same = size in (None, local.stat().st_size)
        if same and (sha is None or hashlib.sha256(local.read_bytes()).hexdigest() == sha):
            return path
    result.notes.append(f"{key}: {path} is not this file any more, so its path is left out")
    return ""
