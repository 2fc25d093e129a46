"""The APIs: which paths each of them has, which versions it accepts, and how it says what it refuses.

Each estate is served by the API that it was read through, and by no other.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace

from migrate.model.results.archive import SnapshotInfo
from migrate.serve.api.api_paths import (
    AGENT_PATHS,
    ASSISTANT_PATHS,
    CONVERSATION_PATHS,
    FILE_PATHS,
    INVENTORY_PATHS,
    MODEL_PATHS,
    PARSED_TEXT_PATHS,
    RESPONSE_PATHS,
    STORE_PATHS,
    THREAD_PATHS,
    UNPAGED_FILE_PATHS,
    UNREAD_CONVERSATION_PATHS,
    ApiPaths,
)
from migrate.serve.api.refusals import (
    ApiRefusal,
    RefusalForm,
    azure_refusal,
    not_in_archive,
    openai_refusal,
    project_refusal,
    unknown_path,
    unsupported_version,
)

# Families of paths, as `serve --api` names them -> the types of estates that each of them serves.
FAMILY_TYPES: Mapping[str, tuple[str, ...]] = {
    "azure": ("azure-openai",),
    "openai": ("openai",),
    "foundry": ("foundry-classic", "foundry"),
}

# The only dated version with `file_ids` and `retrieval`. Its bodies have other shapes than all later ones.
OLDEST_DATED_VERSION = "2024-02-15-preview"
DATED_VERSIONS_WITH_V2 = frozenset(
    "2024-05-01-preview 2024-07-01-preview 2024-08-01-preview 2024-09-01-preview 2024-10-01-preview"
    " 2024-12-01-preview 2025-01-01-preview 2025-02-01-preview 2025-03-01-preview"
    " 2025-04-01-preview".split()
)
UNDATED_VERSIONS = (None, "v1", "preview")
CLASSIC_VERSIONS = frozenset({"v1", "2025-05-01", "2025-05-15-preview"})
# Those that a project names in its answers (recorded 2026-02), and the one of its SDK.
PROJECT_VERSIONS = frozenset({"v1", "2025-05-15-preview", "2025-11-15-preview"})
BETA_HEADER, BETA_VALUE = "openai-beta", "assistants=v2"
PATHS_WITHOUT_BETA = ("files", "vector_stores", "models", "responses", "conversations")

CLASSIC_PATHS = (*ASSISTANT_PATHS, *THREAD_PATHS)
V1_PATHS = (*FILE_PATHS, *STORE_PATHS, *PARSED_TEXT_PATHS, *RESPONSE_PATHS)

SUPPORTED_VERSIONS = {"api-supported-versions": "1.0,2025-05-15-preview,2025-11-15-preview"}


@dataclass(frozen=True)
class ApiHead:
    """A request without its body. `segments`: the parts of the path below the prefix of the API, decoded;
    `path`: the path as it was sent."""

    method: str
    path: str
    segments: tuple[str, ...]
    query: Mapping[str, str]
    headers: Mapping[str, str]


VersionCheck = Callable[[ApiHead, SnapshotInfo], None]


@dataclass(frozen=True)
class ServedApi:
    """One API of one type of estate. `check`: raises `ApiRefusal` where a version or a header is missing or
    wrong."""

    type: str
    paths: ApiPaths
    form: RefusalForm
    check: VersionCheck
    request_id_headers: tuple[str, ...] = ("x-request-id", "apim-request-id")
    fixed_headers: Mapping[str, str] | None = None
    unknown_path: Callable[[ApiHead], ApiRefusal] = lambda _head: unknown_path()


def _check_dated(head: ApiHead, info: SnapshotInfo) -> None:
    """A version whose bodies have the shapes that were read: nothing is translated here."""
    version = head.query.get("api-version")
    if version == info.api_version and version:
        return
    if version not in DATED_VERSIONS_WITH_V2 and version != OLDEST_DATED_VERSION:
        raise unknown_path()
    if (version == OLDEST_DATED_VERSION) is not (info.api_version == OLDEST_DATED_VERSION):
        raise not_in_archive(
            f"The archive was read with api-version {info.api_version}, whose objects have other shapes than "
            f"those of {version}: send api-version={info.api_version}.",
            "api-version",
        )


def _check_version(versions: Collection[str | None]) -> VersionCheck:
    """What accepts these versions in the query; None: that there is none."""

    def check(head: ApiHead, _info: SnapshotInfo) -> None:
        if head.query.get("api-version") not in versions:
            raise unsupported_version()

    return check


def _check_beta(head: ApiHead, _info: SnapshotInfo) -> None:
    if OPENAI_PLATFORM.paths.find(head.segments) is None:
        return  # an unknown path is named first
    features = [feature.strip() for feature in head.headers.get(BETA_HEADER, "").split(",")]
    if head.segments[0] not in PATHS_WITHOUT_BETA and BETA_VALUE not in features:
        message = f"The Assistants API needs the header 'OpenAI-Beta: {BETA_VALUE}'."
        raise ApiRefusal(400, message, code="invalid_beta")


def _check_unversioned(head: ApiHead, _info: SnapshotInfo) -> None:
    """Projects refuse a version in the query of these paths (reported 2026-05)."""
    if "api-version" in head.query:
        raise unsupported_version("A version is not accepted in the query of a v1 path.")


def _unknown_url(head: ApiHead) -> ApiRefusal:
    """OpenAI's answer to a path that it does not know."""
    return ApiRefusal(404, f"Unknown request URL: {head.method} {head.path}.", code="unknown_url")


AZURE_DATED = ServedApi(
    "azure-openai", ApiPaths((*CLASSIC_PATHS, *FILE_PATHS, *STORE_PATHS)), azure_refusal, _check_dated
)
AZURE_UNDATED = ServedApi(
    "azure-openai", ApiPaths((*V1_PATHS, *MODEL_PATHS)), azure_refusal, _check_version(UNDATED_VERSIONS)
)
OPENAI_PLATFORM = ServedApi(
    "openai",
    ApiPaths((*CLASSIC_PATHS, *V1_PATHS, *MODEL_PATHS, *UNREAD_CONVERSATION_PATHS)),
    openai_refusal,
    _check_beta,
    request_id_headers=("x-request-id",),
    unknown_path=_unknown_url,
)
CLASSIC_AGENTS = ServedApi(
    "foundry-classic",
    ApiPaths((*CLASSIC_PATHS, *UNPAGED_FILE_PATHS, *STORE_PATHS)),
    azure_refusal,
    _check_version(CLASSIC_VERSIONS),
)
PROJECT_AGENTS = ServedApi(
    "foundry",
    ApiPaths((*AGENT_PATHS, *INVENTORY_PATHS)),
    project_refusal,
    _check_version(PROJECT_VERSIONS),
    request_id_headers=("x-request-id",),
    fixed_headers=SUPPORTED_VERSIONS,
)
PROJECT_CONVERSATIONS = replace(PROJECT_AGENTS, paths=ApiPaths(CONVERSATION_PATHS), check=_check_unversioned)
PROJECT_FILES = ServedApi("foundry", ApiPaths(V1_PATHS), azure_refusal, _check_unversioned)
# The paths of 2025, with a version in the query (recorded 2025-11).
PROJECT_CONVERSATIONS_2025 = replace(PROJECT_CONVERSATIONS, check=PROJECT_AGENTS.check)
PROJECT_FILES_2025 = replace(PROJECT_FILES, check=PROJECT_AGENTS.check)

PROJECT_SEGMENTS = frozenset({"agents", "deployments", "connections"})


@dataclass(frozen=True)
class ApiAddress:
    """A path, taken apart. `family`: of the paths; `estate`: the number in `/estates/{n}`, None without;
    `project`: the name in the path of a project; `segments`: what follows the prefix of the API."""

    family: str
    api: ServedApi
    estate: str | None
    project: str
    segments: tuple[str, ...]


def find_served_api(segments: tuple[str, ...]) -> ApiAddress | None:
    """The API that a path belongs to, or None. `segments`: the parts of the whole path, decoded."""
    estate = None
    if len(segments) > 2 and segments[0] == "estates":
        estate, segments = segments[1], segments[2:]
    match segments:
        case ("openai", "v1", *rest):
            return ApiAddress("azure", AZURE_UNDATED, estate, "", tuple(rest))
        case ("openai", *rest):
            return ApiAddress("azure", AZURE_DATED, estate, "", tuple(rest))
        case ("v1", *rest):
            return ApiAddress("openai", OPENAI_PLATFORM, estate, "", tuple(rest))
        case ("api", "projects", project, *rest):
            api, below = _project_api(tuple(rest))
            return ApiAddress("foundry", api, estate, project, below)
    return None


def _project_api(segments: tuple[str, ...]) -> tuple[ServedApi, tuple[str, ...]]:
    """The API of a project that a path below the project belongs to, and the rest of the path."""
    match segments:
        case ("openai", "v1", *rest):
            conversations, files = PROJECT_CONVERSATIONS, PROJECT_FILES
        case ("openai", *rest):
            conversations, files = PROJECT_CONVERSATIONS_2025, PROJECT_FILES_2025
        case (first, *_) if first in PROJECT_SEGMENTS:
            return PROJECT_AGENTS, segments
        case _:
            return CLASSIC_AGENTS, segments
    return (conversations if rest[:1] == ["conversations"] else files), tuple(rest)
