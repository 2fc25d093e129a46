"""The config file in, estates and name mappings out. Secrets only by variable name."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from migrate.errors import BadUsage

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ENV = "ASSISTANTS_MIGRATE_CONFIG"
DEFAULT = Path("estates.toml")
OURS = {"folder", "environment", "facing"}
"""Fields that no file sets."""


class Strict(BaseModel):
    """A key that nobody knows is an error, not a silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EstateConfig(Strict):
    """One `[estates.NAME]` table."""

    type: Literal["azure-openai", "openai", "foundry-classic", "foundry"]
    endpoint: str
    api_version: str = ""
    auth: Literal["key", "entra", "token"] | None = None
    key_env: str = ""
    token_env: str = ""
    threads_file: str = ""
    tenant: str = ""


class Config(Strict):
    """The whole file."""

    estates: dict[str, EstateConfig] = Field(default_factory=dict)
    models: dict[str, str] = Field(default_factory=dict)
    connections: dict[str, str] = Field(default_factory=dict)
    folder: str = "."
    """Where the file lies: paths in it are relative to that."""
    environment: str = ""
    facing: str = ""
    """Of a config directory: the environment that --env chose, and the name of the other side."""

    def meeting(self, environment: str | None, other: str) -> Config:
        """The same for a command in which a config directory may stand beside an estate of this name."""
        facing = other if other in self.estates else ""
        return self.model_copy(update={"environment": environment or "", "facing": facing})


def load(path: Path | None) -> Config:
    """`--config`, else the environment variable, else ./estates.toml, else nothing configured."""
    given = path or (Path(os.environ[ENV]) if os.environ.get(ENV) else None)
    file = given or DEFAULT
    if not file.exists():
        if given:
            raise BadUsage(f"there is no config file {file}", todo="see `[estates.NAME]` in the README")
        return Config()
    try:
        data: Any = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadUsage(f"cannot read {file}", str(error), "it must be TOML") from None
    for name in OURS & data.keys():
        raise BadUsage(f"{file}: {name}", "is no key of the config file", "the README shows a config file")
    try:
        return Config(**data, folder=str(file.parent))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise BadUsage(f"{file}: {where}", first["msg"], "the README shows a config file") from None
