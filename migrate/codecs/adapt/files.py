"""Files, vector stores and the files in them made to fit an Assistants resource."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from migrate.codecs.adapt.context import Ledger, Target
from migrate.codecs.adapt.metadata import fit_metadata
from migrate.codecs.capabilities import SEARCHABLE
from migrate.codecs.write_forms import assistants
from migrate.model import JSON, Entity
from migrate.model.file import BYTES_ABSENT, BYTES_FROM_PARSED_TEXT, normalize_filename
from migrate.model.normalize import DEFAULT_CHUNKING
from migrate.model.vector_store import ingestion_error

IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
UNSENDABLE = re.compile(r'["\\\x00-\x1a\x1c-\x1f]')
"""Characters that a multipart form cannot carry as they are (the SDK's own table)."""
ATTRIBUTES_MAX = 16
ATTRIBUTE_TEXT_MAX = 512
ATTRIBUTE_KEY_MAX = 64
NAME_SEEN = 255
"""Characters of the longest name that common file systems hold; a longer one was never seen sent."""
PARSED_ENDING = ".parsed.txt"
"""What the name of a file ends in of which only the parsed text was had."""


def adapt_file(entity: Entity, target: Target, ledger: Ledger) -> Entity:
    """A file under a purpose that the target accepts for uploads."""
    if target.in_place("file", entity.id):
        return entity
    size = entity.fields.get("bytes") or 0
    if isinstance(size, int) and size > target.profile.file_max:
        reason = f"{size:,} bytes, the target takes {target.profile.file_max:,} a file"
        ledger.blocked("bytes", reason, "split the file")
    if entity.facts.get("bytes_from") == BYTES_ABSENT:
        ledger.blocked(
            "bytes",
            "it is not on the target, and the directory does not have its bytes",
            "export --bytes, or name its `path` in files.yaml",
        )
    elif target.bytes_later and not entity.fields.get("sha256"):
        ledger.adapted("bytes", "not read yet; a snapshot tells whether the service gives them back")
    elif not entity.fields.get("sha256"):
        ledger.blocked(
            "bytes",
            "the archive has no bytes of this file, so there is nothing to upload",
            "give a folder of originals: snapshot --originals DIR",
        )
    if UNSENDABLE.search(entity.name):
        ledger.adapted("filename", "form encoding spells some of its characters as %XX; they may arrive so")
    if entity.facts.get("expires_at"):
        ledger.adapted("expires_at", "the file expires on its service; the new one does not")
    purpose = str(entity.fields.get("purpose") or "")
    accepted = target.profile.purposes.get(purpose) or _other_purpose(entity, target)
    if accepted != purpose:
        ledger.adapted("purpose", f"{purpose} cannot be uploaded as such; it becomes {accepted}")
    if not entity.name:
        ledger.adapted("filename", "the file has no name; its id serves as one")
    name = _name(entity, target)
    if entity.name and name != entity.name:
        ledger.adapted(
            "filename", f"it becomes {name!r}: vector stores know a file by an ending in small letters"
        )
    if len(name) > NAME_SEEN:
        ledger.adapted(
            "filename", f"{len(name):,} characters: whether the target takes that is tried at apply"
        )
    if entity.facts.get("bytes_from") == BYTES_FROM_PARSED_TEXT:
        name = f"{name}{PARSED_ENDING}"
        ledger.adapted("filename", f"it becomes {name}: what is uploaded is not the file itself")
        ledger.lost(
            "bytes",
            f"only the text that the service read out of it is there; it is uploaded as {name}",
            "give a folder of originals: snapshot --originals DIR",
        )
    return entity.with_fields(purpose=accepted, filename=name)


def _name(file: Entity, target: Target) -> str:
    """The name to upload a file under. In a vector store its ending counts; that another place took it by the
    name that it has does not say that this one does."""
    plain = normalize_filename(file.name)
    stored = bool(file.name) and plain != file.name and bool(target.searched(file.id))
    return (plain if stored else file.name) or file.id


def _other_purpose(entity: Entity, target: Target) -> str:
    """Images made by a tool go as the service wants images, all else as `assistants`."""
    image = PurePosixPath(entity.name.lower()).suffix in IMAGES
    return target.profile.image_purpose if image else "assistants"


def adapt_store(entity: Entity, target: Target, ledger: Ledger) -> Entity:
    """A vector store's own settings."""
    if target.in_place("vector_store", entity.id):
        return entity
    fields: dict[str, Any] = dict(entity.fields)
    if not target.profile.store_description:
        if fields.get("description"):
            ledger.lost("description", f"{target.profile.service} stores have no description")
        fields["description"] = None
    name = fields.get("name")
    if isinstance(name, str) and len(name) > target.profile.name_max:
        ledger.lost("name", f"longer than {target.profile.name_max} characters: cut")
        fields["name"] = name[: target.profile.name_max]
    expires = fields.get("expires_after")
    if expires and list(assistants.expiry(expires, "")):
        ledger.lost("expires_after", f"{expires} is not accepted; the new store does not expire")
        fields["expires_after"] = None
    if entity.facts.get("status") == "expired":
        ledger.adapted("status", "expired on the source; the new store is alive and its clock starts again")
    fields["metadata"] = fit_metadata(entity, target, ledger)
    return entity.with_fields(**fields)


def adapt_store_file(entity: Entity, target: Target, ledger: Ledger) -> Entity:
    """A file's place in a store: attributes and chunking."""
    if target.in_place("vector_store", entity.parent):
        return entity
    file_id = str(entity.fields.get("file_id") or entity.id)
    if not target.has("file", file_id):
        ledger.blocked("file_id", f"file {file_id} cannot be moved or no longer exists", "see its own line")
    _must_be_searchable(entity, file_id, target, ledger)
    blocked = any(loss.grade == "blocked" for loss in ledger.losses)
    if not blocked and entity.facts.get("status") in ("failed", "cancelled"):
        why = ingestion_error(entity.facts)
        ledger.adapted("status", f"not searchable on the source either ({why}); it is tried again")
    chunking = entity.fields.get("chunking_strategy")
    if isinstance(chunking, dict) and chunking.get("type") not in ("auto", "static"):
        ledger.adapted("chunking_strategy", f"{chunking.get('type')!r} is no request; the default is used")
        chunking = None
    elif chunking and (wrong := list(assistants.chunking(chunking, ""))):
        ledger.lost("chunking_strategy", f"it cannot be asked for: {wrong[0]}; the default is used")
        chunking = None
    if chunking and not target.profile.chunking:
        if chunking not in ({"type": "auto"}, DEFAULT_CHUNKING):
            way_out = "use a later api_version for the target"
            ledger.lost("chunking_strategy", "this API version takes none; the default is used", way_out)
        chunking = None
    return entity.with_fields(chunking_strategy=chunking, attributes=_attributes(entity, target, ledger))


def _must_be_searchable(entity: Entity, file_id: str, target: Target, ledger: Ledger) -> None:
    """Some services refuse a file by its ending when it is attached, not when it is uploaded. One that
    the same service has taken in already is no such file."""
    file = target.file_named(file_id)
    if not file or file.facts.get("bytes_from") == BYTES_FROM_PARSED_TEXT:
        return
    ending = PurePosixPath(_name(file, target)).suffix
    if ending in (target.profile.searchable or SEARCHABLE):
        return
    taken = target.source_type == target.profile.service and entity.facts.get("status") == "completed"
    what = f"{ending} files" if ending else "files without an ending"
    if taken:
        reason = (
            f"the source searches it, and no list of what vector stores search has {what}: tried at apply"
        )
        ledger.adapted("file_id", reason, "where it is refused, convert it to a kind of file that is listed")
    elif not target.profile.searchable:
        reason = f"no list of what vector stores search has {what}: tried at apply"
        ledger.adapted("file_id", reason, "what cannot be searched is named when the store has taken it in")
    else:
        ledger.blocked(
            "file_id",
            f"{target.profile.service} refuses {what} in vector stores",
            "convert it to a supported kind of file, or give it to code_interpreter",
        )


def _attributes(entity: Entity, target: Target, ledger: Ledger) -> dict[str, JSON]:
    given = entity.fields.get("attributes") or {}
    if given and target.profile.attributes == "none":
        ledger.lost("attributes", f"{target.profile.service} of this API version has no attributes")
        return {}
    kept: dict[str, JSON] = {}
    for key, value in given.items():
        fits = isinstance(value, (bool, int, float)) or (
            isinstance(value, str) and len(value) <= ATTRIBUTE_TEXT_MAX
        )
        if fits and len(key) <= ATTRIBUTE_KEY_MAX and len(kept) < ATTRIBUTES_MAX:
            kept[key] = value
        else:
            ledger.lost("attributes", f"{key!r} does not fit the target's limits", "kept in the archive")
    return kept
