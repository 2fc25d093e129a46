"""Values that may be secrets (headers of tools): compared by a short fingerprint, shown as one."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from urllib.parse import unquote

from migrate.model.entity import JSON, Entity

# Names of query parameters, in small letters, that carry a credential: Azure Functions (code), storage and
# Logic Apps (sig), API Management (subscription-key), Amazon and Google (signatures), OAuth 2.
SECRET_PARAMETERS = frozenset(
    "code key sig signature token auth authorization credential credentials password passwd passphrase pwd"
    " pass secret jwt bearer apikey api-key api_key access_token accesstoken auth_token"
    " id_token refresh_token subscription-key subscription_key"
    " subscriptionkey ocp-apim-subscription-key x-functions-key x-api-key"
    " client_secret clientsecret client-secret x-amz-signature x-amz-security-token x-amz-credential"
    " x-goog-signature x-goog-credential awsaccesskeyid accountkey sharedaccesskey sharedaccesssignature"
    " session_token sessiontoken hmac sas sas_token functions-key master_key".split()
)
SECRET_NAME_ENDING = re.compile(r"(?:key|token|secret|sig|signature|password|passwd|pwd|credentials?)")
# What ends like a credential and is none: places in a listing, and names of columns.
HARMLESS_PARAMETER = re.compile(
    r"(?:next|page|continuation|sync|cursor|max|partition|sort|primary|foreign|public)[-_]?(?:token|key)s?"
    r"|skiptoken|[$]skiptoken"
)
QUERY_PARAMETER = re.compile(
    r"(?P<before>[?&#;]|%3[fF]|%26)(?P<name>[\w.$~-]{1,80})(?P<equals>=|%3[dD])(?P<value>[^\s&#;\"'<>]+)"
)
URL_USER_INFO = re.compile(
    r"(?P<before>(?<![\w+.-])[A-Za-z][\w+.-]{0,30}://)(?P<value>[^\s/?#\"'<>@]+(?:@[^\s/?#\"'<>@]+)*)(?=@)"
)
# Addresses that are a credential as a whole: whoever knows the path may post.
WEBHOOK_PATH = re.compile(
    r"(?P<before>://hooks\.slack\.com/(?:services|workflows)/|://discord(?:app)?\.com/api/webhooks/\d+/"
    r"|://api\.telegram\.org/bot|://[\w.-]+\.webhook\.office\.com/webhookb2/)(?P<value>[^\s?#\"'<>]+)"
)
# Quantities are bounded, or a long text of such signs would take time that grows with its square.
KEY_OR_TOKEN = re.compile(
    r"(?P<before>\b)(?P<value>sk-[\w-]{20,}|gh[pousr]_\w{30,}|github_pat_\w{30,}|xox[abeprs]-[\w-]{10,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35}|eyJ[\w-]{10,4000}\.[\w-]{10,4000}\.[\w-]+)"
)
VARIABLE_PLACEHOLDER = re.compile(
    r"\{[^{}]*\}|\{\{[^{}]*\}\}|\$\{[^{}]*\}|<[^<>]*>|%7B[\w.-]*%7D", re.IGNORECASE
)
MASKED_SECRET = re.compile(r"\(secret [0-9a-f]{8}\)")


def secret_fingerprint(value: object) -> str:
    """What stands for a secret: equal ones have equal ones."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
    return f"(secret {digest})"


def mask_text(text: str) -> str:
    """A text with a fingerprint in the place of each credential; the very same text where there is none."""
    if not _may_hold_credential(text):
        return text
    text = QUERY_PARAMETER.sub(_mask_parameter, text)
    for pattern in (URL_USER_INFO, WEBHOOK_PATH, KEY_OR_TOKEN):
        text = pattern.sub(_mask_value, text)
    return text


def describe_credentials(text: str) -> Iterator[str]:
    """Which credentials a text holds, in words without their values, each once."""
    if not _may_hold_credential(text):
        return
    yield from dict.fromkeys(f"the query parameter {name!r}" for name in _secret_parameter_names(text))
    for pattern, words in (
        (URL_USER_INFO, "a name or password before the host"),
        (WEBHOOK_PATH, "the path of an incoming webhook"),
        (KEY_OR_TOKEN, "what has the form of a key or token"),
    ):
        if any(_mask_value(found) != found.group() for found in pattern.finditer(text)):
            yield words


def remove_masked_secrets(text: str) -> str:
    """A text without the fingerprints in it, and without what held them: a parameter, a user's name."""
    text = re.sub(rf"{MASKED_SECRET.pattern}@", "", text)
    text = re.sub(rf"(?<=[?&#;])[^?&#;=]*={MASKED_SECRET.pattern}(?:&|;)?", "", text)
    text = MASKED_SECRET.sub("", text)
    return re.sub(r"[?&#;]+(?=$|\s|[\"'<>])", "", text)


def is_secret_parameter(name: str) -> bool:
    """Whether a query parameter of this name carries a credential."""
    plain = unquote(name).lower()
    if plain in SECRET_PARAMETERS:
        return True
    tail = re.split(r"[-_.]", plain)[-1]
    return not HARMLESS_PARAMETER.fullmatch(plain) and (
        SECRET_NAME_ENDING.fullmatch(tail) is not None
        or plain.endswith(("token", "secret", "password", "apikey"))
    )


def _may_hold_credential(text: str) -> bool:
    """A quick look: nearly every text holds none of these signs."""
    return "=" in text or "://" in text or "%3" in text or KEY_OR_TOKEN.search(text) is not None


def _mask_parameter(found: re.Match[str]) -> str:
    value = found["value"]
    if not is_secret_parameter(found["name"]):  # an address within this one may hold more
        shown = QUERY_PARAMETER.sub(_mask_parameter, value)
    else:
        shown = value if _is_placeholder(value) else secret_fingerprint(value)
    return f"{found['before']}{found['name']}{found['equals']}{shown}"


def _secret_parameter_names(text: str) -> Iterator[str]:
    for found in QUERY_PARAMETER.finditer(text):
        if not is_secret_parameter(found["name"]):
            yield from _secret_parameter_names(found["value"])
        elif not _is_placeholder(found["value"]):
            yield found["name"]


def _mask_value(found: re.Match[str]) -> str:
    value = found["value"]
    return found.group() if _is_placeholder(value) else f"{found['before']}{secret_fingerprint(value)}"


def _is_placeholder(value: str) -> bool:
    return value.startswith("(secret") or VARIABLE_PLACEHOLDER.fullmatch(value) is not None


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
