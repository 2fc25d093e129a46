"""The pydantic models of the files of a config directory, and their JSON Schema.

They check only rules that all services share. What one service cannot store is a loss in the plan.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError, core_schema

from migrate.codecs.capabilities import CLASSIC_TOOL_TYPES, MAX_METADATA_PAIRS
from migrate.codecs.foundry.tools import TOOL_ROWS

# Types of tools that this program knows.
TOOL_TYPES = tuple(
    sorted(CLASSIC_TOOL_TYPES | {row.old for row in TOOL_ROWS} | {row.new for row in TOOL_ROWS})
)


class StrictFileModel(BaseModel):
    """Unknown keys are mistakes, and values are not converted: a number is no text."""

    model_config = ConfigDict(extra="forbid", strict=True)


class OpenModel(BaseModel):
    """Other keys are allowed: they belong to one service."""

    model_config = ConfigDict(extra="allow", strict=True)


ExtraFields = Annotated[
    dict[str, Any], Field(description="Fields that this program does not know, as the service returned them.")
]
UncheckedFields = Annotated[list[str], Field(description="Fields of this object that are not checked.")]
MissingNames = Annotated[
    list[str], Field(description="Names or ids in this file of objects that were not in the estate.")
]
ConfigKey = Annotated[
    str,
    Field(
        min_length=1,
        description="Only where the name is not the key: the object's id, or the name it had before.",
    ),
]
Name = Annotated[str, Field(max_length=256)]
Metadata = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
    Field(max_length=MAX_METADATA_PAIRS),
]


class Function(StrictFileModel):
    """What the model may call."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Ranking(StrictFileModel):
    ranker: str | None = None
    score_threshold: Annotated[float, Field(ge=0, le=1)] | None = None
    hybrid_search: dict[str, Any] | None = None


class Search(StrictFileModel):
    max_num_results: Annotated[int, Field(ge=1, le=50)] | None = None
    ranking_options: Ranking | None = None


class Agent(StrictFileModel):
    """Another assistant, by its name."""

    id: str
    name: str | None = None
    description: str | None = None


class Tool(OpenModel):
    """A tool. Its further keys depend on its type."""

    type: Literal[TOOL_TYPES]  # type: ignore[valid-type]
    function: Function | None = None
    file_search: Search | None = None
    connected_agent: Agent | None = None


class CodeFiles(StrictFileModel):
    file_ids: list[str] | None = None


class SearchedStores(StrictFileModel):
    vector_store_ids: list[str] | None = None


class Resources(StrictFileModel):
    """What the tools may use, by name."""

    code_interpreter: CodeFiles | None = None
    file_search: SearchedStores | None = None
    azure_ai_search: dict[str, Any] | None = None
    mcp: list[dict[str, Any]] | None = None


def _format(value: Any) -> Any:
    """Checked by hand: pydantic would report the mistakes of every form of a union."""
    if value is None or value == "auto":
        return value
    type_ = value.get("type") if isinstance(value, dict) else None
    if type_ not in ("text", "json_object", "json_schema"):
        raise PydanticCustomError(
            "format", "allowed are auto, {type: text}, {type: json_object} and {type: json_schema}"
        )
    inner = value.get("json_schema")
    if type_ == "json_schema" and not (isinstance(inner, dict) and isinstance(inner.get("name"), str)):
        raise PydanticCustomError("format", "a json_schema needs json_schema.name and json_schema.schema")
    return value


class _Checked:
    """Makes pydantic call `_format`."""

    @classmethod
    def __get_pydantic_core_schema__(cls, *_: Any) -> Any:
        return core_schema.no_info_plain_validator_function(_format)


Format = Annotated[
    Any,
    _Checked,
    WithJsonSchema(
        {
            "anyOf": [
                {"enum": ["auto", None]},
                {
                    "type": "object",
                    "required": ["type"],
                    "properties": {
                        "type": {"enum": ["text", "json_object", "json_schema"]},
                        "json_schema": {"type": "object", "required": ["name"]},
                    },
                },
            ]
        }
    ),
]


class Assistant(StrictFileModel):
    """The front matter of an assistant. Its instructions are the text below it."""

    id: ConfigKey | None = None
    name: Name | None = None
    description: Annotated[str, Field(max_length=512)] | None = None
    model: str | None = None
    instructions: Annotated[str, Field(max_length=256_000)] | None = None
    tools: Annotated[list[Tool], Field(max_length=128)] | None = None
    tool_resources: Resources | None = None
    temperature: Annotated[float, Field(ge=0, le=2)] | None = None
    top_p: Annotated[float, Field(ge=0, le=1)] | None = None
    response_format: Format = None
    reasoning_effort: str | None = None
    definition: dict[str, Any] | None = None
    metadata: Metadata | None = None
    extras: ExtraFields | None = None
    not_here: MissingNames | None = None
    unchecked: UncheckedFields | None = None
    unchecked_tools: (
        Annotated[list[str], Field(description="Types of tools that are not checked.")] | None
    ) = None


class Expiry(StrictFileModel):
    anchor: Literal["last_active_at"]
    days: Annotated[int, Field(ge=1, le=365)]


class Sizes(StrictFileModel):
    max_chunk_size_tokens: Annotated[int, Field(ge=100, le=4096)]
    chunk_overlap_tokens: Annotated[int, Field(ge=0, le=2048)]


class Chunking(StrictFileModel):
    type: Literal["auto", "static", "other"]
    static: Sizes | None = None


class StoredFile(StrictFileModel):
    """The settings of a file in a vector store."""

    attributes: Annotated[dict[str, str | float | bool | None], Field(max_length=16)] | None = None
    chunking_strategy: Chunking | None = None
    extras: ExtraFields | None = None


class Store(StrictFileModel):
    """A vector store, and the files in it by their keys in files.yaml."""

    id: ConfigKey | None = None
    name: Name | None = None
    description: str | None = None
    expires_after: Expiry | None = None
    metadata: Metadata | None = None
    extras: ExtraFields | None = None
    not_here: MissingNames | None = None
    unchecked: UncheckedFields | None = None
    files: dict[str, StoredFile | None] | None = None


class File(StrictFileModel):
    """A file: its key is its name unless `name` says another one."""

    name: str | None = None
    purpose: str | None = None
    bytes: Annotated[int, Field(ge=0)] | None = None
    sha256: Annotated[str, Field(pattern="^[0-9a-f]{64}$")] | None = None
    path: Annotated[str, Field(description="The place of its bytes, relative to this directory.")] | None = (
        None
    )
    extras: ExtraFields | None = None
    unchecked: UncheckedFields | None = None


MODEL_BY_KIND: dict[str, type[StrictFileModel]] = {
    "assistant": Assistant,
    "vector_store": Store,
    "file": File,
}


def json_schemas() -> dict[str, dict[str, Any]]:
    """The JSON Schema of each file, by the name of its schema file."""
    files = {"type": ["object", "null"], "additionalProperties": {"$ref": "#/$defs/File"}}
    schema = File.model_json_schema()
    inner = schema.pop("$defs", {})
    return {
        "assistant.json": _relaxed(Assistant),
        "vector-store.json": _relaxed(Store),
        "files.json": {
            "$schema": JSON_SCHEMA_DIALECT,
            "title": "files.yaml",
            **files,
            "$defs": {**inner, "File": {"anyOf": [_unless_unchecked(schema), {"type": "null"}]}},
        },
    }


JSON_SCHEMA_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _relaxed(form: type[StrictFileModel]) -> dict[str, Any]:
    """The JSON Schema of a file. With `unchecked` in it, only the keys are checked."""
    schema = form.model_json_schema()
    inner = schema.pop("$defs", {})
    return {
        "$schema": JSON_SCHEMA_DIALECT,
        "title": schema["title"],
        **_unless_unchecked(schema),
        "$defs": inner,
    }


def _unless_unchecked(schema: dict[str, Any]) -> dict[str, Any]:
    names = schema["properties"]
    marks = [{"required": [name]} for name in ("unchecked", "unchecked_tools") if name in names]
    keys_only = {"properties": dict.fromkeys(names, True), "additionalProperties": False}
    return {"type": "object", "if": {"anyOf": marks}, "then": keys_only, "else": schema}
