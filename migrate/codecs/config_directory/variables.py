"""variables.toml: what differs between the files and an environment, applied to objects and removed."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from migrate.codecs.config_directory import VARIABLES_TOML
from migrate.codecs.config_directory.parse import KIND_LABELS, ConfigBody, ConfigContents
from migrate.codecs.config_directory.validate import Problem
from migrate.errors import BadUsage
from migrate.model import JSON, KINDS, Entity
from migrate.model.json_paths import replace_strings_at
from migrate.model.project_resources import connections_in, replace_connections, short_connection_name
from migrate.model.references import is_template

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VARIABLES_TEMPLATE = """\
# What differs between environments. The files say what is the same everywhere.
# Choose one with --env NAME on export, plan, assess and diff; without it, the one that is called
# like the other side in the config file.
#
# [environments.prod]
# name_prefix = "prod-"                        # of assistants and vector stores
# models = { "gpt-4.1" = "gpt-4.1-prod" }      # in the files = there
# connections = { "search" = "search-prod" }
"""
TOML_ERROR_LINE = re.compile(r"at line (\d+)")


class Environment(BaseModel):
    """One `[environments.NAME]`: a prefix of names, and name in the files -> name in the environment."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name_prefix: str = ""
    models: dict[str, str] = Field(default_factory=dict)
    connections: dict[str, str] = Field(default_factory=dict)


class Variables(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    environments: dict[str, Environment] = Field(default_factory=dict)


def read_variables(text: str) -> tuple[Mapping[str, Environment], list[Problem]]:
    """The environments by name, and the mistakes in the text."""
    try:
        data: Any = tomllib.loads(text)
    except ValueError as error:
        line = TOML_ERROR_LINE.search(str(error))
        return {}, [Problem(VARIABLES_TOML, int(line[1]) if line else 1, "", f"no TOML: {error}")]
    try:
        return Variables.model_validate(data).environments, []
    except ValidationError as error:
        return {}, [_problem(text, row) for row in error.errors(include_url=False)]


def _problem(text: str, error: Any) -> Problem:
    """A mistake from pydantic's error, on the first line with the key: `tomllib` returns no line numbers."""
    key = str(error["loc"][-1])
    line = next((n for n, line in enumerate(text.splitlines(), 1) if key in line), 1)
    mistake = str(error["msg"]).lower()
    if error["type"] == "extra_forbidden":
        mistake = "is no key here; allowed: environments.NAME with name_prefix, models, connections"
    return Problem(VARIABLES_TOML, line, ".".join(map(str, error["loc"])), mistake)


def choose_environment(
    known: Mapping[str, Environment], requested: str, other_side: str = ""
) -> tuple[str, Environment]:
    """The requested environment, else the one with the name of the other side, else none.

    Raises `BadUsage` where the requested environment does not exist.
    """
    if requested and requested not in known:
        names = ", ".join(sorted(known)) or "none"
        raise BadUsage(
            f"there is no environment {requested!r}",
            f"{VARIABLES_TOML} has: {names}",
            f"add [environments.{requested}] to it",
        )
    name = requested or (other_side if other_side in known else "")
    return name, known.get(name, Environment())


def apply_environment(contents: ConfigContents, environment: Environment) -> ConfigContents:
    """The objects with the names of this environment."""
    prefix = environment.name_prefix
    keys = {
        kind: {row.key: prefix + row.key for row in contents.objects[kind] if row.key == row.body.get("name")}
        for kind in ("assistant", "vector_store")
    }
    for kind in keys:
        for row in contents.objects[kind]:
            row.body.update(_in_environment(kind, row.body, keys, environment))
    members = {keys["vector_store"].get(key, key): rows for key, rows in contents.members.items()}
    return ConfigContents(contents.objects, members, contents.paths)


def _in_environment(
    kind: str, body: ConfigBody, keys: Mapping[str, Mapping[str, str]], environment: Environment
) -> dict[str, JSON]:
    changed = dict(body)
    if isinstance(body.get("name"), str) and body["name"]:
        changed["name"] = environment.name_prefix + body["name"]
    changed["id"] = keys[kind].get(body["id"], body["id"])
    if kind == "assistant":

        def new_key(kind: str, key: str) -> str:
            return key if is_template(key) else keys.get(kind, {}).get(key, key)

        changed = dict(replace_strings_at(changed, KINDS[kind].references, new_key))
        changed = _with_names(changed, environment.models, environment.connections)
    return changed


def _with_names(
    fields: Mapping[str, JSON], models: Mapping[str, str], connections: Mapping[str, str]
) -> dict[str, JSON]:
    """An assistant's fields with the model and the connections renamed."""

    def new_name(name: str) -> str:
        return connections.get(name) or connections.get(short_connection_name(name)) or name

    changed = dict(replace_connections(fields, new_name))
    if isinstance(changed.get("model"), str):
        changed["model"] = models.get(changed["model"], changed["model"])
    return changed


@dataclass
class EnvironmentRemoval:
    """Replaces the names of an environment by those in the files.

    Raises `BadUsage` for a name that would not be read back as the same one.
    """

    environment: Environment
    models: dict[str, str] = field(init=False)
    connections: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self.models = _inverse(self.environment.models, "models")
        self.connections = _inverse(
            {old: short_connection_name(new) for old, new in self.environment.connections.items()},
            "connections",
        )

    def remove_from(self, entity: Entity) -> Entity:
        """The object with the names in the files."""
        fields = dict(entity.fields)
        if fields.get("name"):
            fields["name"] = self._short_name(entity)
        if entity.kind == "assistant":
            self._check("models", str(fields.get("model")), self.environment.models, self.models)
            for name in map(short_connection_name, connections_in(fields)):
                self._check("connections", name, self.environment.connections, self.connections)
            fields = _with_names(fields, self.models, self.connections)
        return entity.with_fields(**fields)

    def _short_name(self, entity: Entity) -> str:
        """The name without the prefix. Reading would add the prefix to a name without it."""
        prefix, name = self.environment.name_prefix, entity.name
        if prefix and not (name.startswith(prefix) and len(name) > len(prefix)):
            raise BadUsage(
                f"the {KIND_LABELS[entity.kind]} {name!r} in use there "
                f"would be read back as {prefix + name!r}",
                f"assistants of the environment use it, and its name does not begin with {prefix!r}",
                f"give it a name of this environment there, or take name_prefix out of {VARIABLES_TOML}",
            )
        return name.removeprefix(prefix)

    def _check(self, table: str, name: str, names: Mapping[str, str], inverse: Mapping[str, str]) -> None:
        if name not in inverse and names.get(name, name) != name:
            raise BadUsage(
                f"{name!r} in use there would be read back as {names[name]!r}",
                f"{table} of the environment map that name to another one",
                f"use {names[name]!r} there, or take the line out of {VARIABLES_TOML}",
            )


def _inverse(names: Mapping[str, str], table: str) -> dict[str, str]:
    inverse: dict[str, str] = {}
    for old, new in names.items():
        if inverse.setdefault(new, old) != old:
            raise BadUsage(
                f"{table} of the environment map {inverse[new]!r} and {old!r} both to {new!r}",
                "so an export cannot know which of them to write",
                f"give each its own name in {VARIABLES_TOML}",
            )
    return inverse
