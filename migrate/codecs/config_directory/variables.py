"""variables.toml in; what changes between an environment and the files out, there and back."""

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
from migrate.model.json_paths import ReplaceString, replace_strings_at
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
    """One `[environments.NAME]`: a prefix of names, and names in the files -> names there."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    name_prefix: str = ""
    models: dict[str, str] = Field(default_factory=dict)
    connections: dict[str, str] = Field(default_factory=dict)


class Variables(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)
    environments: dict[str, Environment] = Field(default_factory=dict)


def read_variables(text: str) -> tuple[Mapping[str, Environment], list[Problem]]:
    """The environments by name, and what is wrong."""
    try:
        data: Any = tomllib.loads(text)
    except ValueError as error:
        line = TOML_ERROR_LINE.search(str(error))
        return {}, [Problem(VARIABLES_TOML, int(line[1]) if line else 1, "", f"no TOML: {error}")]
    try:
        return Variables.model_validate(data).environments, []
    except ValidationError as error:
        return {}, [
            Problem(
                VARIABLES_TOML,
                _line(text, str(one["loc"][-1])),
                ".".join(map(str, one["loc"])),
                _mistake_text(one),
            )
            for one in error.errors(include_url=False)
        ]


def _mistake_text(error: Any) -> str:
    if error["type"] == "extra_forbidden":
        return "is no key here; allowed: environments.NAME with name_prefix, models, connections"
    return str(error["msg"]).lower()


def _line(text: str, name: str) -> int:
    """The first line that names a key: TOML's reader does not tell lines of what it understood."""
    return next((n for n, line in enumerate(text.splitlines(), 1) if name in line), 1)


def choose_environment(
    known: Mapping[str, Environment], wanted: str, other_side: str = ""
) -> tuple[str, Environment]:
    """The environment that was asked for, or the one called like the other side, or none. Raises
    `BadUsage`."""
    if wanted and wanted not in known:
        names = ", ".join(sorted(known)) or "none"
        raise BadUsage(
            f"there is no environment {wanted!r}",
            f"{VARIABLES_TOML} has: {names}",
            f"add [environments.{wanted}] to it",
        )
    name = wanted or (other_side if other_side in known else "")
    return name, known.get(name, Environment())


def apply_environment(contents: ConfigContents, environment: Environment) -> ConfigContents:
    """The objects as this environment has them."""
    prefix = environment.name_prefix
    keys = {
        kind: {one.key: prefix + one.key for one in contents.objects[kind] if one.key == one.body.get("name")}
        for kind in ("assistant", "vector_store")
    }
    for kind in keys:
        for one in contents.objects[kind]:
            one.body.update(_in_environment(kind, one.body, keys, environment))
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
        changed = dict(replace_strings_at(changed, KINDS[kind].references, _swap(keys)))
        changed = _mapped(changed, environment.models, environment.connections)
    return changed


def _swap(keys: Mapping[str, Mapping[str, str]]) -> ReplaceString:
    return lambda kind, old: old if is_template(old) else keys.get(kind, {}).get(old, old)


def _mapped(
    fields: Mapping[str, JSON], models: Mapping[str, str], links: Mapping[str, str]
) -> dict[str, JSON]:
    changed = dict(
        replace_connections(
            fields, lambda old: links.get(old) or links.get(short_connection_name(old)) or old
        )
    )
    if isinstance(changed.get("model"), str):
        changed["model"] = models.get(changed["model"], changed["model"])
    return changed


@dataclass
class EnvironmentRemoval:
    """Takes an environment off again: what an object is called in the files. Raises `BadUsage` where that
    could not be read back."""

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
        """The object as the files have it."""
        fields = dict(entity.fields)
        if fields.get("name"):
            fields["name"] = self._short_name(entity)
        if entity.kind == "assistant":
            self._must_return("models", str(fields.get("model")), self.environment.models, self.models)
            for link in map(short_connection_name, connections_in(fields)):
                self._must_return("connections", link, self.environment.connections, self.connections)
            fields = _mapped(fields, self.models, self.connections)
        return entity.with_fields(**fields)

    def _short_name(self, entity: Entity) -> str:
        """The name without the prefix. What environments share is never renamed by reading."""
        prefix, name = self.environment.name_prefix, entity.name
        if prefix and not (name.startswith(prefix) and len(name) > len(prefix)):
            raise BadUsage(
                f"the {KIND_LABELS[entity.kind]} {name!r} in use there "
                f"would be read back as {prefix + name!r}",
                f"assistants of the environment use it, and its name does not begin with {prefix!r}",
                f"give it a name of this environment there, or take name_prefix out of {VARIABLES_TOML}",
            )
        return name.removeprefix(prefix)

    def _must_return(self, table: str, there: str, names: Mapping[str, str], back: Mapping[str, str]) -> None:
        if there not in back and names.get(there, there) != there:
            raise BadUsage(
                f"{there!r} in use there would be read back as {names[there]!r}",
                f"{table} of the environment map that name to another one",
                f"use {names[there]!r} there, or take the line out of {VARIABLES_TOML}",
            )


def _inverse(names: Mapping[str, str], table: str) -> dict[str, str]:
    back: dict[str, str] = {}
    for old, new in names.items():
        if back.setdefault(new, old) != old:
            raise BadUsage(
                f"{table} of the environment map {back[new]!r} and {old!r} both to {new!r}",
                "so nobody can tell which of them an export should write",
                f"give each its own name in {VARIABLES_TOML}",
            )
    return back
