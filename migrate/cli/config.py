"""Read the config file: estates, name mappings, and where secrets come from. It contains no secrets
itself."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field, replace
from functools import cache
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
from migrate.files.text import read_toml
from migrate.model.known_secrets import register_secret

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from migrate.endpoints.settings import Auth


CONFIG_VARIABLE = "ASSISTANTS_MIGRATE_CONFIG"
DEFAULT_CONFIG_FILE = Path("estates.toml")
# Fields of `Config` that the file cannot set.
INTERNAL_FIELDS = {"folder", "environment", "other_side"}


# Unknown keys are errors. pydantic is loaded only if there is a config file: loading it takes longer than
# listing a small archive.
FORBID_EXTRA = {"extra": "forbid"}


@dataclass(frozen=True)
class EstateConfig:
    """One `[estates.NAME]` table."""

    __pydantic_config__: ClassVar[dict[str, str]] = FORBID_EXTRA

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
    # Header -> name of the variable with its value; sent with every request to this estate.
    headers_env: dict[str, str] = field(default_factory=dict)
    # A place for drills: `drill` writes into it, and removes what it wrote, without asking.
    scratch: bool = False


@dataclass(frozen=True)
class Config:
    """The config file."""

    __pydantic_config__: ClassVar[dict[str, str]] = FORBID_EXTRA

    estates: dict[str, EstateConfig] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    connections: dict[str, str] = field(default_factory=dict)
    # Id or name of an assistant -> the name of the agent that is created from it.
    names: dict[str, str] = field(default_factory=dict)
    # The folder of the file: paths in it are relative to this folder.
    folder: str = "."
    # For a config directory: the environment given by --env, and the name of the estate on the other side.
    environment: str = ""
    other_side: str = ""

    def for_command(self, environment: str | None, other_estate: str) -> Config:
        """The config for a command that may read a config directory beside an estate of this name."""
        other_side = other_estate if other_estate in self.estates else ""
        return replace(self, environment=environment or "", other_side=other_side)


def config_file(path: Path | None) -> Path | None:
    """The config file given by --config or by the environment variable."""
    return path or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)


def load_config(path: Path | None) -> Config:
    """Read the file given by `config_file`, or else ./estates.toml, or else nothing. Raises `BadUsage`."""
    given = config_file(path)
    file = given or DEFAULT_CONFIG_FILE
    if not os.path.lexists(file):
        if given:
            raise BadUsage(f"there is no config file {file}", todo="see `[estates.NAME]` in the README")
        return Config()
    data = read_toml(file, "it must be TOML, saved as UTF-8")
    for name in INTERNAL_FIELDS & data.keys():
        raise BadUsage(f"{file}: {name}", "is no key of the config file", "the README shows a config file")
    return parse_config({**data, "folder": str(file.parent)}, file)


@cache
def _config_type() -> TypeAdapter[Config]:
    """pydantic's description of the file. To make it takes longer than to read the file."""
    from pydantic import TypeAdapter

    return TypeAdapter(Config)


def parse_config(data: dict[str, Any], file: Path) -> Config:
    """The content of a config file as `Config`. Raises `BadUsage` with the wrong key."""
    from pydantic import ValidationError

    try:
        return _config_type().validate_python(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        unknown = first["type"] == "unexpected_keyword_argument"
        why = "is no key of the config file" if unknown else first["msg"]
        raise BadUsage(f"{file}: {key}", why, "the README shows a config file") from None


VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
# Could be the name of a variable, but is more likely a key in its place.
SECRET_LIKE_NAME = re.compile(r"(?=.*[0-9])[A-Za-z0-9]{24,}")


@dataclass(frozen=True)
class SignIn:
    """How to sign in to a type of service. `key`, `token`: variables that are used if the config file has
    none."""

    key: str = ""
    token: str = ""
    entra: bool = True


# By type of service. If the config file says nothing: the key or token of the environment if it is set, or
# else Entra, if the service has it.
SIGN_IN = {
    "azure-openai": SignIn(key="AZURE_OPENAI_API_KEY"),
    "openai": SignIn(key="OPENAI_API_KEY", entra=False),
    "foundry-classic": SignIn(token="FOUNDRY_TOKEN"),
    "foundry": SignIn(token="FOUNDRY_TOKEN"),
}


def credential(name: str, entry: EstateConfig) -> tuple[Auth, str]:
    """How to sign in, and the key or token. Raises `BadUsage` if there is none that can be sent."""
    row = SIGN_IN[entry.type]
    whose = name or entry.endpoint
    auth = entry.auth or _default(entry, row)
    if auth == "entra" and not row.entra:
        raise BadUsage(f"{whose} cannot be reached with Entra", "OpenAI takes keys", 'set auth = "key"')
    if auth in ("entra", "none"):
        return auth, ""
    variable = entry.token_env if auth == "token" else entry.key_env
    variable = variable or (row.token if auth == "token" else "") or row.key
    if not variable:
        raise BadUsage(
            f"no {auth} for {whose}",
            f"{auth}_env names no variable",
            f"name the variable that contains it with {auth}_env in the config file",
        )
    what = f"no {auth} for {whose}"
    advice = f"export {variable}=..., or name another with {auth}_env in the config file"
    return auth, _secret(variable, entry, f"{auth}_env of {whose}", what, advice, INVALID_IN_KEY)


def extra_headers(name: str, entry: EstateConfig) -> tuple[tuple[str, str], ...]:
    """Headers and values to send with every request to an estate. Raises `BadUsage` if one cannot be sent."""
    headers: dict[str, tuple[str, str]] = {}
    for header, variable in entry.headers_env.items():
        where = f"headers_env of {name or entry.endpoint}"
        if not HEADER_NAME.fullmatch(header) or header.lower() in CLIENT_HEADERS:
            reserved = header.lower() in CLIENT_HEADERS
            raise BadUsage(
                f"{where}: {header!r} cannot be set",
                "the HTTP client sets it" if reserved else "it is no name of a header",
                "remove it from headers_env"
                if reserved
                else 'write "HEADER" = "VARIABLE", such as "Ocp-Apim-Subscription-Key" = "APIM_KEY"',
            )
        if header.lower() in headers:
            raise BadUsage(f"{where} names {header} twice", "capital letters make no difference")
        what = f"no value for the header {header} of {name or entry.endpoint}"
        advice = f"export {variable}=..., or remove the header from headers_env"
        place = f"{where}: the variable of {header}"
        value = _secret(variable, entry, place, what, advice, INVALID_IN_HEADER_VALUE)
        headers[header.lower()] = (header, value)
    return tuple(headers.values())


def _secret(
    variable: str, entry: EstateConfig, place: str, what: str, advice: str, invalid: re.Pattern[str]
) -> str:
    """The value of a variable without blanks around it; from now on no output shows it.

    `place`: the key of the config file with the name of the variable. `what`, `advice`: of the error if the
    variable is not set. Raises `BadUsage`, before anything is sent, also for a value that no header can
    carry.
    """
    _check_variable_name(variable, place)
    value = os.environ.get(variable, "")
    host = urlsplit(entry.endpoint.strip(INVISIBLE_CHARACTERS)).hostname or ""
    register_secret(value, is_loopback(host))
    value = value.strip(INVISIBLE_CHARACTERS)
    if not value:
        state = "empty" if variable in os.environ else "not set"
        raise BadUsage(what, f"the environment variable {variable} is {state}", advice)
    _check_sendable(value, variable, invalid)
    return value


def _check_variable_name(variable: str, place: str) -> None:
    """Raises `BadUsage`, without the text: it may be the secret itself."""
    unknown_word = variable not in os.environ and SECRET_LIKE_NAME.fullmatch(variable)
    if VARIABLE_NAME.fullmatch(variable) and not unknown_word:
        return
    register_secret(variable)
    raise BadUsage(
        f"{place} is not the name of an environment variable",
        "its value is not shown: it may be a secret, and secrets may only be in variables",
        'write the name: key_env = "EAST_KEY", and export EAST_KEY=...',
    )


def _check_sendable(value: str, variable: str, invalid: re.Pattern[str]) -> None:
    match = invalid.search(value)
    if not match:
        return
    character = match.group()
    kind = (
        "a line break" if character in "\r\n"
        else "a blank" if character.isspace()
        else "a control character" if character < " " or character == "\x7f"
        else "a character that is not ASCII"
    )  # fmt: skip
    bearer = value[:7].lower() == "bearer "
    raise BadUsage(
        f"the value of the environment variable {variable} cannot be sent",
        'it begins with "Bearer ", which the program adds' if bearer else f"it contains {kind}",
        f"set {variable} again, to the value alone",
    )


def _default(entry: EstateConfig, row: SignIn) -> Auth:
    if entry.token_env:
        return "token"
    if entry.key_env or (row.key and os.environ.get(row.key)):
        return "key"
    if row.token and os.environ.get(row.token):
        return "token"
    return "entra" if row.entra else "key"
