"""Credentials in bodies: fingerprints replace them where objects are compared or shown.

A credential is recognized by the key above it (headers of tools), or inside a text: as a query parameter,
before the host of an address, or by its form. Equal secrets have equal fingerprints, so two different ones
still differ. Bodies in an archive are never changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from urllib.parse import unquote

from migrate.model.entity import JSON, Entity
from migrate.model.json_paths import iter_texts, replace_texts, value_at

# Names of query parameters, in lower case, that carry a credential: Azure Functions (code), storage and
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
# Names that end like a credential and are none: positions in a listing, and names of columns.
HARMLESS_PARAMETER = re.compile(
    r"(?:next|page|continuation|sync|cursor|max|partition|sort|primary|foreign|public)[-_]?(?:token|key)s?"
    r"|skiptoken|[$]skiptoken"
)
# The beginning of a query parameter. `\u0026` and `\u003f`: how JSON inside a text may escape `&` and `?`.
QUERY_PARAMETER = re.compile(
    r"(?P<before>[?&#;]|%3[fF]|%26|\\u0026|\\u003[fF])(?P<name>[\w.$~-]{1,80})(?P<equals>=|%3[dD])"
)
PARAMETER_VALUE = re.compile(r"[^\s&#;\"'<>]+")
URL_USER_INFO = re.compile(
    r"(?P<before>(?<![\w+.-])[A-Za-z][\w+.-]{0,30}://)(?P<value>[^\s/?#\"'<>@]+(?:@[^\s/?#\"'<>@]+)*)(?=@)"
)
# Addresses that are a credential as a whole: knowing the path is enough to post.
WEBHOOK_PATH = re.compile(
    r"(?P<before>://hooks\.slack\.com/(?:services|workflows)/|://discord(?:app)?\.com/api/webhooks/\d+/"
    r"|://api\.telegram\.org/bot|://[\w.-]+\.webhook\.office\.com/webhookb2/)(?P<value>[^\s?#\"'<>]+)"
)
# Parts of connection strings, also the first one, with or without blanks: keys and signatures of Azure,
# which are base64, and passwords of databases.
CONNECTION_STRING_PART = re.compile(
    r"(?P<before>(?<!\w)(?:(?:AccountKey|SharedAccessKey|SharedAccessSignature)\s{0,3}|sig ?)=\s{0,3})"
    r"(?P<value>[\w%+/-]{20,}={0,2})(?![\w(\[]|\.\w)"  # neither a call nor an attribute, as in code
    r"|(?P<before_password>;\s{0,3}(?:Password|Pwd)\s{0,3}=\s{0,3})(?P<password>[^\s&#;\"'<>]+)",
    re.IGNORECASE,
)
CONNECTION_STRING_WORDS = ("accountkey", "sharedaccess", "sig=", "sig =", "password", "pwd")
# Repetitions are bounded: without that, the time for a long text of such characters grows with its square.
KEY_OR_TOKEN = re.compile(
    r"(?P<before>\b)(?P<value>sk-[\w-]{20,}|gh[pousr]_\w{30,}|github_pat_\w{30,}|xox[abeprs]-[\w-]{10,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35})"
)
# JSON web tokens: three parts with dots between them, the first of which ends with that of the token.
TOKEN_PARTS = re.compile(r"(?P<first>(?<![\w-])[\w-]{13,})(?P<rest>\.[\w-]{10,4000}\.[\w-]+)")
TOKEN_BEGINNING = re.compile(r"\beyJ[\w-]{10,}")
MAX_TOKEN_PART_CHARS = 4_003
# Texts with which every match of these begins, by one character of them that is rare in prose.
BEGINNINGS_BY_CHARACTER = (
    ("-", ("sk-",)),
    ("_", ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_")),
    ("x", ("xox",)),
    ("A", ("AKIA", "ASIA", "AIza")),
    ("J", ("eyJ",)),
)
VARIABLE_PLACEHOLDER = re.compile(
    r"\{[^{}]*\}|\{\{[^{}]*\}\}|\$\{[^{}]*\}|<[^<>]*>|%7B[\w.-]*%7D", re.IGNORECASE
)
MASKED_SECRET = re.compile(r"\(secret [0-9a-f]{8}\)")


def secret_fingerprint(value: object) -> str:
    """The fingerprint that replaces a secret. Equal secrets have equal fingerprints."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
    return f"(secret {digest})"


def mask_text(text: str) -> str:
    """A text with a fingerprint instead of each credential; the same object where there is none."""
    if not _may_hold_credential(text):
        return text
    text = _mask_parameters(text)
    text = _mask_places(text, _tokens(text))
    text = _mask_places(text, _connection_secrets(text))
    for pattern in (URL_USER_INFO, WEBHOOK_PATH, KEY_OR_TOKEN):
        text = pattern.sub(_mask_match, text)
    return text


def describe_credentials(text: str) -> Iterator[str]:
    """The credentials in a text, described without their values, each once."""
    if not _may_hold_credential(text):
        return
    yield from dict.fromkeys(f"the query parameter {name!r}" for name in _secret_parameter_names(text))
    if any(_connection_secrets(text)):
        yield "a key or password of a connection string"
    for pattern, words in (
        (URL_USER_INFO, "a name or password before the host"),
        (WEBHOOK_PATH, "the path of an incoming webhook"),
        (KEY_OR_TOKEN, "what has the form of a key or token"),
    ):
        is_found = any(_mask_match(match) != match.group() for match in pattern.finditer(text))
        if is_found or (pattern is KEY_OR_TOKEN and any(_tokens(text))):
            yield words


def remove_masked_secrets(text: str) -> str:
    """A text without fingerprints, and without the query parameters and user names that contained them."""
    text = re.sub(rf"{MASKED_SECRET.pattern}@", "", text)
    text = re.sub(rf"(?<=[?&#;])[^?&#;=]*={MASKED_SECRET.pattern}(?:&|;)?", "", text)
    text = MASKED_SECRET.sub("", text)
    return re.sub(r"[?&#;]+(?=$|\s|[\"'<>])", "", text)


@lru_cache(4_096)
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
    """A quick test: nearly every text fails it."""
    if "=" in text or (":" in text and "://" in text) or ("%" in text and "%3" in text):
        return True
    # One character is found many times as fast as several, and those ten times as fast as an expression.
    for character, beginnings in BEGINNINGS_BY_CHARACTER:
        if character in text and any(beginning in text for beginning in beginnings):
            return KEY_OR_TOKEN.search(text) is not None or any(_tokens(text))
    return False


def _mask_parameters(text: str) -> str:
    """A text with its secret parameters masked."""
    places = ((start, value) for _, start, value in _secret_parameters(text) if not _is_placeholder(value))
    return _mask_places(text, places)


def _secret_parameters(text: str) -> Iterator[tuple[str, int, str]]:
    """Name, place of the value, and value of each secret parameter. The value of another parameter may be an
    address with parameters of its own: the search continues inside it."""
    place = 0
    while begin := QUERY_PARAMETER.search(text, place):
        place = begin.end()
        value = PARAMETER_VALUE.match(text, place) if is_secret_parameter(begin["name"]) else None
        if value:
            yield begin["name"], place, value[0]
            place = value.end()


def _secret_parameter_names(text: str) -> Iterator[str]:
    return (name for name, _, value in _secret_parameters(text) if not _is_placeholder(value))


def _tokens(text: str) -> Iterator[tuple[int, str]]:
    """Place and text of each JSON web token."""
    place = 0
    while "eyJ" in text and (parts := TOKEN_PARTS.search(text, place)):
        place = parts.end("first")
        begin = TOKEN_BEGINNING.search(text, max(parts.start(), place - MAX_TOKEN_PART_CHARS), place)
        if begin:
            yield begin.start(), text[begin.start() : parts.end()]
            place = parts.end()


def _connection_secrets(text: str) -> Iterator[tuple[int, str]]:
    """Place and text of each credential of a connection string that is no query parameter."""
    lowered = text.lower() if "=" in text else ""
    if any(word in lowered for word in CONNECTION_STRING_WORDS):
        for match in CONNECTION_STRING_PART.finditer(text):
            group = "value" if match["value"] else "password"
            if not _is_placeholder(match[group]):
                yield match.start(group), match[group]


def _mask_places(text: str, places: Iterable[tuple[int, str]]) -> str:
    """A text with a fingerprint in the place of each of these parts of it, which are in order."""
    pieces: list[str] = []
    done = 0
    for start, value in places:
        pieces += [text[done:start], secret_fingerprint(value)]
        done = start + len(value)
    return "".join([*pieces, text[done:]]) if pieces else text


def _mask_match(match: re.Match[str]) -> str:
    value = match["value"]
    return match.group() if _is_placeholder(value) else f"{match['before']}{secret_fingerprint(value)}"


def _is_placeholder(value: str) -> bool:
    return value.startswith("(secret") or VARIABLE_PLACEHOLDER.fullmatch(value) is not None


# Keys of a tool whose value is a document of its owner in another language.
VERBATIM_KEYS = frozenset({"parameters", "spec", "schema", "default_params"})

# Keys of a tool, and of a row of `tool_resources.mcp`, whose purpose is a secret. No move writes them.
SECRET_KEYS = frozenset({"headers", "authorization"})

# Fields of an assistant in whose texts credentials are masked when files are written.
FIELDS_WITH_ADDRESSES = ("tools", "tool_resources", "definition", "metadata")

# Keys, in lower case, whose value may be a secret anywhere in a tool. It is never shown.
SECRET_KEY_NAMES = SECRET_KEYS.union("api-key x-api-key api_key token password environment_variables".split())


def mask_value(value: JSON) -> JSON:
    """A fingerprint instead of a secret; a mapping keeps its keys."""
    if isinstance(value, Mapping):
        return {name: mask_value(member) for name, member in value.items()}
    if isinstance(value, list):
        return [mask_value(member) for member in value]
    if value is None or value == "" or str(value).startswith("(secret "):
        return value
    return secret_fingerprint(value)


def remove_owner_secrets(entity: Entity) -> Entity:
    """An assistant without secrets that only its owner sets. No move writes them, so they are no
    difference."""
    if entity.kind != "assistant":
        return entity
    fields = dict(entity.fields)
    if isinstance(fields.get("tools"), list):
        fields["tools"] = [_without_secret_keys(tool) for tool in fields["tools"]]
    if isinstance(servers := value_at(fields, "tool_resources", "mcp"), list):
        rows = [
            row
            for row in map(_without_secret_keys, servers)
            if not isinstance(row, Mapping) or set(row) - {"server_label"}
        ]
        fields["tool_resources"] = {**fields["tool_resources"], "mcp": rows}
    return entity.with_fields(**fields)


def with_target_secrets(entity: Entity, target: Entity) -> Entity:
    """An assistant with the secrets that its owner set on the target, for tools of the same server."""
    secrets_by_server: dict[str, dict[str, JSON]] = {}
    rows = value_at(target.fields, "tool_resources", "mcp")
    for row in [*(target.fields.get("tools") or []), *(rows if isinstance(rows, list) else [])]:
        if isinstance(row, Mapping) and row.get("server_label"):
            secrets = {k: v for k, v in row.items() if k in SECRET_KEYS and v}
            secrets_by_server.setdefault(str(row["server_label"]), {}).update(secrets)
    tools = [
        {**tool, **secrets_by_server.get(str(tool.get("server_label")), {})}
        if isinstance(tool, Mapping)
        else tool
        for tool in entity.fields.get("tools") or []
    ]
    return entity.with_fields(tools=tools) if any(secrets_by_server.values()) else entity


def with_target_credentials(entity: Entity, target: Entity) -> Entity:
    """An assistant of a config directory with the credentials that its addresses have on the target. The
    files contain only fingerprints; a text of the target with the same fingerprint is the same text."""
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
    """Add masked text -> text to `known`, for each text with a credential."""
    for _, text in iter_texts(value):
        masked = mask_text(text)
        if masked != text:
            known[masked] = text


def _restore_texts(value: JSON, known: Mapping[str, str]) -> JSON:
    return replace_texts(value, lambda _, text: known.get(text, text))


def _without_secret_keys(row: JSON) -> JSON:
    return {k: v for k, v in row.items() if k not in SECRET_KEYS} if isinstance(row, Mapping) else row


def is_secret_key(key: str) -> bool:
    """Whether the value of a key may be a secret."""
    return key.lower() in SECRET_KEY_NAMES


def mask_tool_secrets(tool: Mapping[str, JSON]) -> dict[str, JSON]:
    """A tool, or a row about one, with its secrets masked and without empty ones."""
    return {
        name: mask_value(value) if is_secret_key(name) else mask_nested(value, name)
        for name, value in tool.items()
        if value or not is_secret_key(name)
    }


def mask_nested(value: JSON, name: str = "") -> JSON:
    """A nested value with its secrets masked, and credentials in its texts. In schemas and specifications the
    keys are those of the owner: there only credentials in texts are masked."""
    if isinstance(value, str):
        return mask_text(value)
    if name in VERBATIM_KEYS:
        return mask_texts(value)
    if isinstance(value, Mapping):
        return {k: mask_value(v) if is_secret_key(k) else mask_nested(v, k) for k, v in value.items()}
    return [mask_nested(member) for member in value] if isinstance(value, list) else value


def mask_texts(value: JSON) -> JSON:
    """Any value with the credentials in its texts masked, whatever the keys."""
    return replace_texts(value, lambda _, text: mask_text(text))


def mask_all_texts(value: JSON) -> JSON:
    """As `mask_texts`, and in the keys too: metadata may have an address as a key, and the description of an
    API has paths. For what is shown: a key that was masked could not be written back."""
    if isinstance(value, Mapping):
        return {mask_text(str(key)): mask_all_texts(member) for key, member in value.items()}
    if isinstance(value, list):
        return [mask_all_texts(member) for member in value]
    return mask_text(value) if isinstance(value, str) else value


def locate_credentials(value: JSON, path: str) -> Iterator[tuple[str, str]]:
    """Each path in a value at which a text contains credentials, and a description without their values."""
    for steps, text in iter_texts(value, (path,) if path else ()):
        if words := ", ".join(describe_credentials(text)):
            yield ".".join(steps), words


def is_secret_fingerprint(value: JSON) -> bool:
    """Whether a value is the fingerprint of a secret."""
    return isinstance(value, str) and MASKED_SECRET.fullmatch(value) is not None


def remove_secret_fingerprints(value: JSON) -> JSON:
    """A value without fingerprints of secrets, at any depth."""
    if isinstance(value, Mapping):
        return {k: remove_secret_fingerprints(v) for k, v in value.items() if not is_secret_fingerprint(v)}
    if isinstance(value, list):
        return [remove_secret_fingerprints(member) for member in value if not is_secret_fingerprint(member)]
    return remove_masked_secrets(value) if isinstance(value, str) and MASKED_SECRET.search(value) else value
