"""The config file in, estates and name mappings out. Secrets only by variable name."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar, Literal

from migrate.errors import BadUsage
from migrate.files.text import read_text

ENV = "ASSISTANTS_MIGRATE_CONFIG"
DEFAULT = Path("estates.toml")
OURS = {"folder", "environment", "facing"}
"""Fields that no file sets."""


STRICT = {"extra": "forbid"}
"""A key that nobody knows is an error, not a silence. For pydantic, which is loaded for a file alone: that
takes longer than listing a small archive."""


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
    headers_env: dict[str, str] = field(default_factory=dict)
    """Header -> the variable that holds its value; they go with every request to this estate."""


@dataclass(frozen=True)
class Config:
    """The whole file."""

    __pydantic_config__: ClassVar[dict[str, str]] = STRICT

    estates: dict[str, EstateConfig] = field(default_factory=dict)
    models: dict[str, str] = field(default_factory=dict)
    connections: dict[str, str] = field(default_factory=dict)
    folder: str = "."
    """Where the file lies: paths in it are relative to that."""
    environment: str = ""
    facing: str = ""
    """Of a config directory: the environment that --env chose, and the name of the other side."""

    def meeting(self, environment: str | None, other: str) -> Config:
        """The same for a command in which a config directory may stand beside an estate of this name."""
        facing = other if other in self.estates else ""
        return replace(self, environment=environment or "", facing=facing)


def load(path: Path | None) -> Config:
    """`--config`, else the environment variable, else ./estates.toml, else nothing configured."""
    given = path or (Path(os.environ[ENV]) if os.environ.get(ENV) else None)
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
