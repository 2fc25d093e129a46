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
PARAMETERS = frozenset(
    "code key sig signature token auth authorization credential credentials password passwd passphrase pwd"
    " pass secret jwt bearer apikey api-key api_key access_token accesstoken auth_token"
    " id_token refresh_token subscription-key subscription_key"
    " subscriptionkey ocp-apim-subscription-key x-functions-key x-api-key"
    " client_secret clientsecret client-secret x-amz-signature x-amz-security-token x-amz-credential"
    " x-goog-signature x-goog-credential awsaccesskeyid accountkey sharedaccesskey sharedaccesssignature"
    " session_token sessiontoken hmac sas sas_token functions-key master_key".split()
)
ENDINGS = re.compile(r"(?:key|token|secret|sig|signature|password|passwd|pwd|credentials?)")
# What ends like a credential and is none: places in a listing, and names of columns.
HARMLESS = re.compile(
    r"(?:next|page|continuation|sync|cursor|max|partition|sort|primary|foreign|public)[-_]?(?:token|key)s?"
    r"|skiptoken|[$]skiptoken"
)
PARAMETER = re.compile(
    r"(?P<before>[?&#;]|%3[fF]|%26)(?P<name>[\w.$~-]{1,80})(?P<equals>=|%3[dD])(?P<value>[^\s&#;\"'<>]+)"
)
USER_INFO = re.compile(
    r"(?P<before>(?<![\w+.-])[A-Za-z][\w+.-]{0,30}://)(?P<value>[^\s/?#\"'<>@]+(?:@[^\s/?#\"'<>@]+)*)(?=@)"
)
# Addresses that are a credential as a whole: whoever knows the path may post.
PATH = re.compile(
    r"(?P<before>://hooks\.slack\.com/(?:services|workflows)/|://discord(?:app)?\.com/api/webhooks/\d+/"
    r"|://api\.telegram\.org/bot|://[\w.-]+\.webhook\.office\.com/webhookb2/)(?P<value>[^\s?#\"'<>]+)"
)
# Quantities are bounded, or a long text of such signs would take time that grows with its square.
TOKEN = re.compile(
    r"(?P<before>\b)(?P<value>sk-[\w-]{20,}|gh[pousr]_\w{30,}|github_pat_\w{30,}|xox[abeprs]-[\w-]{10,}"
    r"|(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35}|eyJ[\w-]{10,4000}\.[\w-]{10,4000}\.[\w-]+)"
)
PLACEHOLDER = re.compile(r"\{[^{}]*\}|\{\{[^{}]*\}\}|\$\{[^{}]*\}|<[^<>]*>|%7B[\w.-]*%7D", re.IGNORECASE)
MASKED = re.compile(r"\(secret [0-9a-f]{8}\)")


def fingerprint(value: object) -> str:
    """What stands for a secret: equal ones have equal ones."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:8]
    return f"(secret {digest})"


def masked_text(text: str) -> str:
    """A text with a fingerprint in the place of each credential; the very same text where there is none."""
    if not _may_hold(text):
        return text
    text = PARAMETER.sub(_masked_parameter, text)
    for pattern in (USER_INFO, PATH, TOKEN):
        text = pattern.sub(_masked_value, text)
    return text


def credentials_in(text: str) -> Iterator[str]:
    """Which credentials a text holds, in words without their values, each once."""
    if not _may_hold(text):
        return
    yield from dict.fromkeys(f"the query parameter {name!r}" for name in _names_of_secrets(text))
    for pattern, words in (
        (USER_INFO, "a name or password before the host"),
        (PATH, "the path of an incoming webhook"),
        (TOKEN, "what has the form of a key or token"),
    ):
        if any(_masked_value(found) != found.group() for found in pattern.finditer(text)):
            yield words


def without_masked(text: str) -> str:
    """A text without the fingerprints in it, and without what held them: a parameter, a user's name."""
    text = re.sub(rf"{MASKED.pattern}@", "", text)
    text = re.sub(rf"(?<=[?&#;])[^?&#;=]*={MASKED.pattern}(?:&|;)?", "", text)
    text = MASKED.sub("", text)
    return re.sub(r"[?&#;]+(?=$|\s|[\"'<>])", "", text)


def is_secret_parameter(name: str) -> bool:
    """Whether a query parameter of this name carries a credential."""
    plain = unquote(name).lower()
    if plain in PARAMETERS:
        return True
    tail = re.split(r"[-_.]", plain)[-1]
    return not HARMLESS.fullmatch(plain) and (
        ENDINGS.fullmatch(tail) is not None or plain.endswith(("token", "secret", "password", "apikey"))
    )


def _may_hold(text: str) -> bool:
    """A quick look: nearly every text holds none of these signs."""
    return "=" in text or "://" in text or "%3" in text or TOKEN.search(text) is not None


def _masked_parameter(found: re.Match[str]) -> str:
    value = found["value"]
    if not is_secret_parameter(found["name"]):  # an address within this one may hold more
        shown = PARAMETER.sub(_masked_parameter, value)
    else:
        shown = value if _stands_for_one(value) else fingerprint(value)
    return f"{found['before']}{found['name']}{found['equals']}{shown}"


def _names_of_secrets(text: str) -> Iterator[str]:
    for found in PARAMETER.finditer(text):
        if not is_secret_parameter(found["name"]):
            yield from _names_of_secrets(found["value"])
        elif not _stands_for_one(found["value"]):
            yield found["name"]


def _masked_value(found: re.Match[str]) -> str:
    value = found["value"]
    return found.group() if _stands_for_one(value) else f"{found['before']}{fingerprint(value)}"


def _stands_for_one(value: str) -> bool:
    return value.startswith("(secret") or PLACEHOLDER.fullmatch(value) is not None
