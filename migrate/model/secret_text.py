"""Credentials inside a text: in a query parameter, before the host of an address, or known by their form.

`https://host/sse?code=KEY` is a secret wherever it stands, under whatever key. What is shown has a short
fingerprint in its place, so that two different secrets still differ. Archived bodies are never changed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from urllib.parse import unquote

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
