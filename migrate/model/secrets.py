"""Values that may be secrets (headers of tools): compared by a short fingerprint, shown as one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from migrate.model.entity import JSON, Entity
from migrate.model.secret_text import (
    MASKED_SECRET,
    describe_credentials,
    mask_text,
    remove_masked_secrets,
    secret_fingerprint,
)

# Keys under which a tool holds what its owner wrote in another language.
VERBATIM_KEYS = frozenset({"parameters", "spec", "schema", "default_params"})

SECRET_FINGERPRINT = re.compile(r"\(secret [0-9a-f]{8}\)")

# Keys of a tool, and of a row of `tool_resources.mcp`, that are there for secrets. No move writes them.
SECRET_KEYS = frozenset({"headers", "authorization"})

# Fields of an assistant in whose texts credentials are masked when files are written.
FIELDS_WITH_ADDRESSES = ("tools", "tool_resources", "definition", "metadata")

# Keys, in small letters, whose value may be a secret wherever in a tool they stand. It is never shown.
SECRET_KEY_NAMES = SECRET_KEYS | {
    "api-key",
    "x-api-key",
    "api_key",
    "token",
    "password",
    "environment_variables",
}


def mask_value(value: JSON) -> JSON:
    """A fingerprint in the place of a secret; a mapping keeps its keys. Equal secrets stay equal."""
    if isinstance(value, Mapping):
        return {name: mask_value(member) for name, member in value.items()}
    if isinstance(value, list):
        return [mask_value(member) for member in value]
    if value is None or value == "" or str(value).startswith("(secret "):
        return value
    return secret_fingerprint(value)


def remove_owner_secrets(entity: Entity) -> Entity:
    """An assistant without what only its owner sets: no move ever writes it, so it is no difference."""
    fields = dict(entity.fields)
    for tools in [fields.get("tools")] if entity.kind == "assistant" else []:
        if isinstance(tools, list):
            fields["tools"] = [_without_secret_keys(tool) for tool in tools]
    resources = fields.get("tool_resources")
    if (
        entity.kind == "assistant"
        and isinstance(resources, Mapping)
        and isinstance(resources.get("mcp"), list)
    ):
        rows = [_without_secret_keys(row) for row in resources["mcp"]]
        fields["tool_resources"] = {**resources, "mcp": [row for row in rows if set(row) - {"server_label"}]}
    return entity.with_fields(**fields)


def with_target_secrets(entity: Entity, target: Entity) -> Entity:
    """An assistant with the secrets that its owner set on the target, tool by tool of the same server."""
    held: dict[str, dict[str, JSON]] = {}
    resources = target.fields.get("tool_resources") or {}
    rows = resources.get("mcp") if isinstance(resources, Mapping) else None
    for row in [*(target.fields.get("tools") or []), *(rows if isinstance(rows, list) else [])]:
        if isinstance(row, Mapping) and row.get("server_label"):
            secrets = {k: v for k, v in row.items() if k in SECRET_KEYS and v}
            held.setdefault(str(row["server_label"]), {}).update(secrets)
    tools = [
        {**tool, **held.get(str(tool.get("server_label")), {})} if isinstance(tool, Mapping) else tool
        for tool in entity.fields.get("tools") or []
    ]
    return entity.with_fields(tools=tools) if any(held.values()) else entity


def with_target_credentials(entity: Entity, target: Entity) -> Entity:
    """An assistant of a config directory with the credentials that its addresses have on the target.
    Files hold only fingerprints of them; a text of the target with the same fingerprint is that text."""
    if entity.kind != "assistant":
        return entity
    known: dict[str, str] = {}
    for name in FIELDS_WITH_ADDRESSES:
        _remember_texts(target.fields.get(name), known)
    fields = {
        name: _restore_texts(entity.fields[name], known)
        for name in FIELDS_WITH_ADDRESSES
        if known and entity.fields.get(name)
    }
    return entity.with_fields(**fields) if fields else entity


def _remember_texts(value: JSON, known: dict[str, str]) -> None:
    """Masked text -> text, for each text that holds a credential. A fingerprint is of the credential, so two
    different texts do not look alike."""
    if isinstance(value, str):
        shown = mask_text(value)
        if shown != value:
            known[shown] = value
    else:
        for inner in (
            value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        ):
            _remember_texts(inner, known)


def _restore_texts(value: JSON, known: Mapping[str, str]) -> JSON:
    if isinstance(value, str):
        return known.get(value, value)
    if isinstance(value, Mapping):
        return {key: _restore_texts(inner, known) for key, inner in value.items()}
    return [_restore_texts(inner, known) for inner in value] if isinstance(value, list) else value


def _without_secret_keys(row: JSON) -> JSON:
    return {k: v for k, v in row.items() if k not in SECRET_KEYS} if isinstance(row, Mapping) else row


def is_secret_key(key: str) -> bool:
    """Whether what stands under a key may be a secret."""
    return key.lower() in SECRET_KEY_NAMES


def mask_tool_secrets(tool: Mapping[str, JSON]) -> dict[str, JSON]:
    """A tool, or a row about one, with its secrets masked; empty ones say nothing."""
    return {
        name: mask_value(value) if is_secret_key(name) else mask_nested(value, name)
        for name, value in tool.items()
        if value or not is_secret_key(name)
    }


def mask_nested(value: JSON, name: str = "") -> JSON:
    """The same of what lies deeper, and of credentials within texts. In schemas and specifications, which are
    their owner's words, names of keys say nothing: only credentials in addresses are masked."""
    if isinstance(value, str):
        return mask_text(value)
    if name in VERBATIM_KEYS:
        return mask_texts(value)
    if isinstance(value, Mapping):
        return {k: mask_value(v) if is_secret_key(k) else mask_nested(v, k) for k, v in value.items()}
    return [mask_nested(member) for member in value] if isinstance(value, list) else value


def mask_texts(value: JSON) -> JSON:
    """Any value with the credentials masked that stand within its texts; keys say nothing here."""
    if isinstance(value, str):
        return mask_text(value)
    if isinstance(value, Mapping):
        return {k: mask_texts(v) for k, v in value.items()}
    return [mask_texts(member) for member in value] if isinstance(value, list) else value


def locate_credentials(value: JSON, path: str) -> Iterator[tuple[str, str]]:
    """Each place in a value where a text holds credentials, and which, in words without their values."""
    if isinstance(value, str):
        words = ", ".join(describe_credentials(value))
        if words:
            yield path, words
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from locate_credentials(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for inner in value:
            yield from locate_credentials(inner, path)


def is_secret_fingerprint(value: JSON) -> bool:
    """Whether a fingerprint stands where a secret was."""
    return isinstance(value, str) and SECRET_FINGERPRINT.fullmatch(value) is not None


def remove_secret_fingerprints(value: JSON) -> JSON:
    """A value without what only stands for a secret, however deep."""
    if isinstance(value, Mapping):
        return {k: remove_secret_fingerprints(v) for k, v in value.items() if not is_secret_fingerprint(v)}
    if isinstance(value, list):
        return [remove_secret_fingerprints(member) for member in value if not is_secret_fingerprint(member)]
    return remove_masked_secrets(value) if isinstance(value, str) and MASKED_SECRET.search(value) else value
