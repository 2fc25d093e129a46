"""A config directory as it is before an export: which file is whose, and what must stay."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from migrate.codecs.config_directory import ASSISTANTS, FILES, MANIFEST, STORES, VARIABLES, assistant_file
from migrate.codecs.config_directory.parse import key_of
from migrate.codecs.config_directory.problems import Problem
from migrate.codecs.config_directory.yaml_reader import NotYaml, read
from migrate.model import JSON
from migrate.stages.config_directory.read import texts
from migrate.stages.safe_filenames import safe_names

MARK = 8
"""Hex digits that tell file names apart."""


@dataclass(frozen=True)
class Former:
    """`places`: kind -> key -> path; `entries`: files.yaml; `manifest`: what an export wrote."""

    places: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    entries: Mapping[str, JSON] = field(default_factory=dict)
    variables: str = ""
    manifest: frozenset[str] = frozenset()
    problems: tuple[Problem, ...] = ()


def former(folder: Path) -> Former:
    """What is there. A file that cannot be read belongs to nobody; of files.yaml that is a problem, since
    local paths would be lost."""
    if not folder.is_dir():
        return Former()
    found, problems = texts(folder)
    places: dict[str, dict[str, str]] = {"assistant": {}, "vector_store": {}}
    entries: JSON = {}
    keys: Counter[tuple[str, str]] = Counter()
    for path, text in found.items():
        try:
            if path.startswith(f"{ASSISTANTS}/"):
                kind, value = "assistant", assistant_file.parsed(text).value
            elif path.startswith(f"{STORES}/"):
                kind, value = "vector_store", read(text).value
            else:
                entries = (read(text).value or {}) if path == FILES else entries
                continue
        except NotYaml as error:
            problems += [Problem(path, error.line, "", error.reason)] if path == FILES else []
            continue
        keys[kind, key_of(value)] += 1
        places[kind][key_of(value)] = path
    for (kind, key), uses in keys.items():
        if uses > 1 or not key:
            del places[kind][key]
    manifest = folder / MANIFEST
    listed = manifest.read_text("utf-8-sig", errors="replace").splitlines() if manifest.is_file() else []
    own = frozenset(line for line in listed if _inside(line))
    rows = entries if isinstance(entries, dict) else {}
    return Former(places, rows, found.get(VARIABLES, ""), own, tuple(problems))


def _inside(path: str) -> bool:
    """Whether a line of the manifest is a path of ours: nothing else is ever removed."""
    steps = path.split("/")
    return ".." not in steps and (
        path == FILES or (len(steps) == 2 and steps[0] in (ASSISTANTS, STORES, "schema"))
    )


def file_names(place: str, ending: str, keys: Iterable[str], known: Mapping[str, str]) -> dict[str, str]:
    """Key -> path in the directory: the one it has, else a safe one that no other has."""
    rows = sorted(keys)
    marks = {hashlib.sha256(key.encode(errors="surrogatepass")).hexdigest(): key for key in rows}
    names = safe_names((mark, _flat(key)) for mark, key in marks.items())
    chosen = {key: known[key] for key in rows if key in known}
    used = {path.casefold() for path in {*chosen.values(), *known.values()}}
    for mark, key in marks.items():
        if key in chosen:
            continue
        path = f"{place}/{names[mark]}{ending}"
        if path.casefold() in used:
            path = f"{place}/{names[mark]}-{mark[:MARK]}{ending}"
        chosen[key] = path
        used.add(path.casefold())
    return chosen


def _flat(key: str) -> str:
    """A name with separators stays whole: it is no path."""
    return key.replace("/", "-").replace("\\", "-")
