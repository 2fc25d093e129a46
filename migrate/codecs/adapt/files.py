"""Files, vector stores and the files in them adapted to a service; all have the same API for them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from typing import Any

from migrate.codecs.adapt.context import LossCollector, Target
from migrate.codecs.adapt.metadata import fit_metadata
from migrate.codecs.capabilities import SEARCHABLE_EXTENSIONS
from migrate.codecs.write_forms import assistants
from migrate.model import JSON, Entity
from migrate.model.file import BYTES_ABSENT, BYTES_FROM_PARSED_TEXT, normalize_filename
from migrate.model.normalize import DEFAULT_CHUNKINGS
from migrate.model.vector_store import ingestion_error

IMAGE_EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".gif", ".webp"})
# Characters that a multipart form cannot contain unescaped (as the SDK escapes them).
ESCAPED_IN_FORM_DATA = re.compile(r'["\\\x00-\x1a\x1c-\x1f]')
MAX_ATTRIBUTES = 16
MAX_ATTRIBUTE_TEXT_CHARS = 512
MAX_ATTRIBUTE_KEY_CHARS = 64
# The longest name on common file systems; no recording shows a longer one uploaded.
MAX_PROVEN_FILENAME_CHARS = 255
# Added to the name of a file of which the archive has the parsed text only.
PARSED_TEXT_SUFFIX = ".parsed.txt"
ORIGINALS_HINT = (
    "take the bytes from a folder: snapshot ESTATE -o ARCHIVE --originals DIR; then run this again"
)


def adapt_file(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """A file with a purpose and a name that the target accepts for uploads."""
    if target.in_place("file", entity.id):
        return entity
    size = entity.fields.get("bytes") or 0
    if isinstance(size, int) and size > target.capabilities.file_max:
        reason = f"{size:,} bytes, the target takes {target.capabilities.file_max:,} a file"
        losses.add_blocked("bytes", reason, "split the file")
    if entity.facts.get("bytes_from") == BYTES_ABSENT:
        losses.add_blocked(
            "bytes",
            "it is not on the target, and the directory does not have its bytes",
            "export --bytes, or name its `path` in files.yaml",
        )
    elif target.bytes_later and not entity.fields.get("sha256"):
        losses.add_adapted("bytes", "not read yet; a snapshot shows whether the service returns them")
    elif not entity.fields.get("sha256"):
        losses.add_blocked(
            "bytes",
            "the archive has no bytes of this file, so there is nothing to upload",
            ORIGINALS_HINT,
        )
    if ESCAPED_IN_FORM_DATA.search(entity.name):
        losses.add_adapted(
            "filename", "form encoding writes some of its characters as %XX; they may arrive in this form"
        )
    if entity.facts.get("expires_at"):
        losses.add_adapted("expires_at", "the file expires on its service; the new one does not")
    purpose = str(entity.fields.get("purpose") or "")
    accepted = target.capabilities.purposes.get(purpose) or _fallback_purpose(entity, target)
    if accepted != purpose:
        losses.add_adapted("purpose", f"{purpose} cannot be uploaded as such; it becomes {accepted}")
    if not entity.name:
        losses.add_adapted("filename", "the file has no name; its id becomes the name")
    name = _upload_name(entity, target)
    if entity.name and name != entity.name:
        losses.add_adapted(
            "filename", f"it becomes {name!r}: vector stores require an extension in lower case"
        )
    if len(name) > MAX_PROVEN_FILENAME_CHARS:
        losses.add_adapted(
            "filename", f"{len(name):,} characters: whether the target accepts so many is tried at apply"
        )
    if entity.facts.get("bytes_from") == BYTES_FROM_PARSED_TEXT:
        name = filename_on_target(entity, target)
        losses.add_adapted("filename", f"it becomes {name}: only the text of the file is uploaded")
        losses.add_lost(
            "bytes",
            f"the archive has only the text that the service parsed; it is uploaded as {name}",
            ORIGINALS_HINT,
        )
    return entity.with_fields(purpose=accepted, filename=name)


def _upload_name(file: Entity, target: Target) -> str:
    """The name for the upload: normalized where the file is in a vector store, which checks the extension."""
    in_store = bool(file.name) and bool(target.vector_store_states(file.id))
    return (normalize_filename(file.name) if in_store else file.name) or file.id


def filename_on_target(file: Entity, target: Target) -> str:
    """The name that a file of the source has on the target, or will have when it is uploaded."""
    if target.in_place("file", file.id):
        return file.name
    name = _upload_name(file, target)
    return f"{name}{PARSED_TEXT_SUFFIX}" if file.facts.get("bytes_from") == BYTES_FROM_PARSED_TEXT else name


def _fallback_purpose(entity: Entity, target: Target) -> str:
    """Images get the purpose that the service requires for images, all other files get `assistants`."""
    image = PurePosixPath(entity.name.lower()).suffix in IMAGE_EXTENSIONS
    return target.capabilities.image_purpose if image else "assistants"


def adapt_vector_store(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """A vector store with settings that the target accepts."""
    if target.in_place("vector_store", entity.id):
        return entity
    fields: dict[str, Any] = dict(entity.fields)
    if not target.capabilities.store_description:
        if fields.get("description"):
            losses.add_lost("description", f"{target.capabilities.service} stores have no description")
        fields["description"] = None
    name = fields.get("name")
    if isinstance(name, str) and len(name) > target.capabilities.name_max:
        losses.add_lost("name", f"longer than {target.capabilities.name_max} characters: cut")
        fields["name"] = name[: target.capabilities.name_max]
    expires = fields.get("expires_after")
    if expires and list(assistants.expiry_form(expires, "")):
        losses.add_lost("expires_after", f"{expires} is not accepted; the new store does not expire")
        fields["expires_after"] = None
    if entity.facts.get("status") == "expired":
        losses.add_adapted(
            "status", "expired on the source; the new store is not, and its period starts again"
        )
    fields["metadata"] = fit_metadata(entity, target, losses)
    return entity.with_fields(**fields)


def adapt_vector_store_file(entity: Entity, target: Target, losses: LossCollector) -> Entity:
    """A file in a vector store: its attributes and chunking."""
    if target.in_place("vector_store", entity.parent):
        return entity
    file_id = str(entity.fields.get("file_id") or entity.id)
    if not target.has("file", file_id):
        losses.add_blocked(
            "file_id", f"file {file_id} cannot be moved or no longer exists", "see its own line"
        )
    _check_searchable(entity, file_id, target, losses)
    blocked = any(loss.grade == "blocked" for loss in losses.rows)
    if not blocked and entity.facts.get("status") in ("failed", "cancelled"):
        why = ingestion_error(entity.facts)
        losses.add_adapted("status", f"not searchable on the source either ({why}); tried again at apply")
    chunking = entity.fields.get("chunking_strategy")
    if isinstance(chunking, dict) and chunking.get("type") not in ("auto", "static"):
        losses.add_adapted(
            "chunking_strategy", f"{chunking.get('type')!r} cannot be requested; the default is used"
        )
        chunking = None
    elif chunking and (wrong := list(assistants.chunking_form(chunking, ""))):
        losses.add_lost("chunking_strategy", f"it cannot be requested: {wrong[0]}; the default is used")
        chunking = None
    if chunking and not target.capabilities.chunking:
        if chunking not in DEFAULT_CHUNKINGS:
            way_out = "use a later api_version for the target"
            losses.add_lost("chunking_strategy", "this API version takes none; the default is used", way_out)
        chunking = None
    return entity.with_fields(chunking_strategy=chunking, attributes=_attributes(entity, target, losses))


def _check_searchable(entity: Entity, file_id: str, target: Target, losses: LossCollector) -> None:
    """Report a file that the target may refuse because of its extension.

    Some services refuse it when it is attached to a store, not when it is uploaded. A file that the same
    service has indexed already is accepted.
    """
    file = target.find_file(file_id)
    if not file or file.facts.get("bytes_from") == BYTES_FROM_PARSED_TEXT:
        return
    extension = PurePosixPath(_upload_name(file, target)).suffix
    if extension in (target.capabilities.searchable_extensions or SEARCHABLE_EXTENSIONS):
        return
    indexed = target.source_type == target.capabilities.service and entity.facts.get("status") == "completed"
    label = f"{extension} files" if extension else "files without an extension"
    if indexed:
        reason = f"the source searches it, but no list of searchable files names {label}: tried at apply"
        losses.add_adapted("file_id", reason, "if it is refused, convert it to a listed file type")
    elif not target.capabilities.searchable_extensions:
        reason = f"no list of searchable files names {label}: tried at apply"
        losses.add_adapted(
            "file_id", reason, "files that cannot be searched are named after the store has indexed them"
        )
    else:
        losses.add_blocked(
            "file_id",
            f"{target.capabilities.service} refuses {label} in vector stores",
            "convert it to a supported file type, or give it to code_interpreter",
        )


def _attributes(entity: Entity, target: Target, losses: LossCollector) -> dict[str, JSON]:
    given = entity.fields.get("attributes") or {}
    if given and target.capabilities.attributes == "none":
        losses.add_lost("attributes", f"{target.capabilities.service} of this API version has no attributes")
        return {}
    kept: dict[str, JSON] = {}
    for key, value in given.items():
        fits = isinstance(value, (bool, int, float)) or (
            isinstance(value, str) and len(value) <= MAX_ATTRIBUTE_TEXT_CHARS
        )
        if fits and len(key) <= MAX_ATTRIBUTE_KEY_CHARS and len(kept) < MAX_ATTRIBUTES:
            kept[key] = value
        else:
            losses.add_lost("attributes", f"{key!r} does not fit the target's limits", "kept in the archive")
    return kept
