"""The config file in, estates and name mappings out. Secrets only by variable name."""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal
from urllib.parse import urlsplit

from migrate.endpoints.addresses import is_loopback
from migrate.endpoints.settings import (
    CLIENT_HEADERS,
    HEADER_NAME,
    INVALID_IN_HEADER_VALUE,
    INVALID_IN_KEY,
    INVISIBLE_CHARACTERS,
)
from migrate.errors import BadUsage
from migrate.files.text import read_text
from migrate.model.known_secrets import register_secret

if TYPE_CHECKING:
    from migrate.endpoints.settings import Auth


ENV = "ASSISTANTS_MIGRATE_CONFIG"
DEFAULT = Path("estates.toml")
# Fields that no file sets.
OURS = {"folder", "environment", "facing"}


# A key that nobody knows is an error, not a silence. For pydantic, which is loaded for a file alone: that
# takes longer than listing a small archive.
STRICT = {"extra": "forbid"}


@dataclass(frozen=True)
class EstateConfig:
    """One `[estates.NAME]` table."""

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    type: Literal["azure-openai", "openai", "foundry-classic", "foundry"]
    endpoint: str
    api_version: str = ""
    auth: Literal["key", "entra", "token", "none"] | None = None
    key_env: str = ""
    token_env: str = ""
    threads_file: str = ""
    tenant: str = ""
    cloud: Literal["public", "usgov", "china"] | None = None
    scope: str = ""
    ca_file: str = ""
    # Header -> the variable that holds its value; they go with every request to this estate.
    headers_env: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Config:
    """The whole file."""

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    estates: dict[str, EstateConfig] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    connections: dict[str, str] = field(default_factory=dict)
    # Where the file lies: paths in it are relative to that.
    folder: str = "."
    environment: str = ""
    # Of a config directory: the environment that --env chose, and the name of the other side.
    facing: str = ""

    def meeting(self, environment: str | None, other: str) -> Config:
        """The same for a command in which a config directory may stand beside an estate of this name."""
        facing = other if other in self.estates else ""
        return replace(self, environment=environment or "", facing=facing)


def config_file(path: Path | None) -> Path | None:
    """The config file that was named, by --config or by the environment variable."""
    return path or (Path(os.environ[ENV]) if os.environ.get(ENV) else None)


def load(path: Path | None) -> Config:
    """`--config`, else the environment variable, else ./estates.toml, else nothing configured."""
    given = config_file(path)
    file = given or DEFAULT
    if not os.path.lexists(file):
        if given:
            raise BadUsage(f"there is no config file {file}", todo="see `[estates.NAME]` in the README")
        return Config()
    text = read_text(file, "it must be TOML, saved as UTF-8")
    try:
        data = toml(text)
    except (ValueError, RecursionError) as error:
        raise BadUsage(f"cannot read {file}", str(error), "it must be TOML") from None
    for name in OURS & data.keys():
        raise BadUsage(f"{file}: {name}", "is no key of the config file", "the README shows a config file")
    return checked({**data, "folder": str(file.parent)}, file)


def toml(text: str) -> dict[str, Any]:
    """What TOML says. Raises `ValueError`."""
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib

    return tomllib.loads(text)


def checked(data: dict[str, Any], file: Path) -> Config:
    """What a file says, as a configuration. Raises `BadUsage` with the key that is wrong."""
    from pydantic import TypeAdapter, ValidationError

    try:
        return TypeAdapter(Config).validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        unknown = first["type"] == "unexpected_keyword_argument"
        why = "Extra inputs are not permitted" if unknown else first["msg"]
        raise BadUsage(f"{file}: {where}", why, "the README shows a config file") from None


VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# A word that could be the name of a variable, and is rather a key that stands in its place.
LIKE_A_SECRET = re.compile(r"(?=.*[0-9])[A-Za-z0-9]{24,}")


@dataclass(frozen=True)
class SignIn:
    """How a type of service is signed in to. `key` and `token` are the variables looked at where the
    config file names none."""

    key: str = ""
    token: str = ""
    entra: bool = True


# Every type of service. Without a word in the config file: the key or token of the environment if it is
# set, else Entra where there is Entra.
SIGN_IN = {
    "azure-openai": SignIn(key="AZURE_OPENAI_API_KEY"),
    "openai": SignIn(key="OPENAI_API_KEY", entra=False),
    "foundry-classic": SignIn(token="FOUNDRY_TOKEN"),
    "foundry": SignIn(token="FOUNDRY_TOKEN"),
}


def credential(name: str, entry: EstateConfig) -> tuple[Auth, str]:
    """How to sign in, and the key or token. Raises `BadUsage` when there is none that can be sent."""
    row = SIGN_IN[entry.type]
    whose = name or entry.endpoint
    auth = entry.auth or _default(entry, row)
    if auth == "entra" and not row.entra:
        raise BadUsage(f"{whose} cannot be reached with Entra", "OpenAI takes keys", 'set auth = "key"')
    if auth in ("entra", "none"):
        return auth, ""
    named = entry.token_env if auth == "token" else entry.key_env
    variable = named or (row.token if auth == "token" else "") or row.key
    if not variable:
        raise BadUsage(
            f"no {auth} for {whose}",
            f"{auth}_env names no variable",
            f"name the variable that holds it with {auth}_env in the config file",
        )
    _must_be_name(variable, f"{auth}_env of {whose}")
    secret = _value(variable, _of_this_machine(entry))
    if not secret:
        raise BadUsage(
            f"no {auth} for {whose}",
            f"the environment variable {variable} is {'empty' if variable in os.environ else 'not set'}",
            f"export {variable}=..., or name another with {auth}_env in the config file",
        )
    _must_be_sendable(secret, variable, INVALID_IN_KEY)
    return auth, secret


def extra_headers(name: str, entry: EstateConfig) -> tuple[tuple[str, str], ...]:
    """Headers and values that go with every request to an estate. Raises `BadUsage` for what cannot."""
    found: dict[str, tuple[str, str]] = {}
    for header, variable in entry.headers_env.items():
        where = f"headers_env of {name or entry.endpoint}"
        if not HEADER_NAME.fullmatch(header) or header.lower() in CLIENT_HEADERS:
            of_client = header.lower() in CLIENT_HEADERS
            raise BadUsage(
                f"{where}: {header!r} cannot be set",
                "it says how a request travels" if of_client else "it is no name of a header",
                "take it out of headers_env"
                if of_client
                else 'write "HEADER" = "VARIABLE", such as "Ocp-Apim-Subscription-Key" = "APIM_KEY"',
            )
        if header.lower() in found:
            raise BadUsage(f"{where} names {header} twice", "capital letters make no difference")
        _must_be_name(variable, f"{where}: the variable of {header}")
        value = _value(variable, _of_this_machine(entry))
        if not value:
            raise BadUsage(
                f"no value for the header {header} of {name or entry.endpoint}",
                f"the environment variable {variable} is {'empty' if variable in os.environ else 'not set'}",
                f"export {variable}=..., or take the header out of headers_env",
            )
        _must_be_sendable(value, variable, INVALID_IN_HEADER_VALUE)
        found[header.lower()] = (header, value)
    return tuple(found.values())


def _value(variable: str, loopback: bool) -> str:
    """What a variable holds, without blanks around it; from now on no output shows it."""
    value = os.environ.get(variable, "")
    register_secret(value, loopback)
    return value.strip(INVISIBLE_CHARACTERS)


def _must_be_name(variable: str, where: str) -> None:
    """Raises `BadUsage` for what is no variable's name. It may be the secret itself: it is not repeated."""
    unknown_word = variable not in os.environ and LIKE_A_SECRET.fullmatch(variable)
    if VARIABLE.fullmatch(variable) and not unknown_word:
        return
    register_secret(variable)
    raise BadUsage(
        f"{where} is not the name of an environment variable",
        "what stands there is not shown: it may be a secret, and secrets stand in variables only",
        'write the name: key_env = "EAST_KEY", and export EAST_KEY=...',
    )


def _must_be_sendable(value: str, variable: str, unusable: re.Pattern[str]) -> None:
    """Raises `BadUsage`, before anything is sent, for a value that no header can carry."""
    found = unusable.search(value)
    if not found:
        return
    sign = found.group()
    kind = (
        "a line break" if sign in "\r\n"
        else "a blank" if sign.isspace()
        else "a control character" if sign < " " or sign == "\x7f"
        else "a character that is not ASCII"
    )  # fmt: skip
    bearer = value[:7].lower() == "bearer "
    raise BadUsage(
        f"the value of the environment variable {variable} cannot be sent",
        'it begins with "Bearer ", which is added by itself' if bearer else f"it holds {kind}",
        f"set {variable} again, to the value alone",
    )


def _of_this_machine(entry: EstateConfig) -> bool:
    return is_loopback(urlsplit(entry.endpoint.strip(INVISIBLE_CHARACTERS)).hostname or "")


def _default(entry: EstateConfig, row: SignIn) -> Auth:
    if entry.token_env:
        return "token"
    if entry.key_env or (row.key and os.environ.get(row.key)):
        return "key"
    if row.token and os.environ.get(row.token):
        return "token"
    return "entra" if row.entra else "key"
