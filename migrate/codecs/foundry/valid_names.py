"""Valid, stable and readable names of agents, from the names of assistants.

An agent's name is its address: letters, digits and hyphens, at most 63, with a letter or digit at both ends.
Other scripts are transliterated by anyascii, character by character: Chinese characters become Pinyin, also
in a Japanese name. Two assistants with the same name must stay two agents, and an agent of somebody else must
not get a new version, so a name that is in use gets a suffix from the source id. Whether the service ignores
case is unknown, so names never differ in case only.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from itertools import count

MAX_NAME_CHARS = 63
DEFAULT_AGENT_NAME = "agent"
# A valid name of an agent, as the API's description and the SDK have it.
AGENT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
NON_ASCII = re.compile(r"[^\x00-\x7f]+")
# anyascii writes letters that English lacks as these signs; a hyphen for each would make a name unreadable.
TRANSLITERATION_MARKS = re.compile("[`'\"]+")
# Length of a suffix, which comes from the source id.
SUFFIX_CHARS = 8


def valid_name_base(name: str) -> str:
    """The nearest valid name, or '' where it has neither a letter nor a digit in any script."""
    joined = re.sub(r"[^A-Za-z0-9]+", "-", _transliterate(name))
    return joined.strip("-")[:MAX_NAME_CHARS].strip("-")


def _transliterate(name: str) -> str:
    """The name in ASCII. The tables are loaded only for a name that needs them."""
    if name.isascii():
        return name
    from anyascii import anyascii

    composed = unicodedata.normalize("NFC", name)
    return NON_ASCII.sub(lambda part: TRANSLITERATION_MARKS.sub("", anyascii(part[0])), composed)


def why_invalid_name(name: str) -> str:
    """Why no agent can have this name, or '' where one can."""
    if AGENT_NAME.fullmatch(name):
        return ""
    if len(name) > MAX_NAME_CHARS:
        return f"it has {len(name):,} characters; the name of an agent has at most {MAX_NAME_CHARS}"
    return (
        "the name of an agent has only letters a to z, digits and hyphens, and begins and ends with a letter "
        "or a digit"
    )


def id_suffix(source_id: str) -> str:
    """The last letters and digits of an id that has a prefix; else a hash of the id."""
    end = re.sub(r"[^A-Za-z0-9]", "", source_id)[-SUFFIX_CHARS:]
    return end if len(end) == SUFFIX_CHARS and "_" in source_id else _short_hash(source_id)


def agent_name(name: str, source_id: str, same_name_count: int = 0) -> str:
    """The name of the agent created from an assistant.

    It ends in a suffix where `same_name_count` others have the same name. Where nothing of the name can be
    spelled, it is `agent` with a suffix: that is how a nameless assistant is recognised again.
    """
    base = valid_name_base(name)
    if base and not same_name_count:
        return base
    end = id_suffix(source_id)
    return f"{(base or DEFAULT_AGENT_NAME)[: MAX_NAME_CHARS - 1 - len(end)].rstrip('-')}-{end}"


def assign_agent_names(assistants: Iterable[tuple[str, str]], taken: Collection[str]) -> dict[str, str]:
    """Source id -> agent name for rows of (id, name). None is in `taken`. Each is the same in every run, and
    in whatever order the rows are."""
    rows = sorted(assistants)
    bases = Counter(valid_name_base(name).casefold() for _, name in rows)
    used = {name.casefold() for name in taken}
    # Names without a suffix are first, so that no suffixed name takes one of them away.
    rows.sort(key=lambda row: bases[valid_name_base(row[1]).casefold()] > 1)
    names: dict[str, str] = {}
    for id_, name in rows:
        base = valid_name_base(name).casefold()
        candidate = agent_name(name, id_, bases[base] - 1 + (base in used))
        for attempt in count():
            if candidate.casefold() not in used:
                break
            short = candidate[: MAX_NAME_CHARS - 1 - SUFFIX_CHARS].rstrip("-")
            candidate = f"{short}-{_short_hash(f'{id_}{attempt}')}"
        names[id_] = candidate
        used.add(candidate.casefold())
    return names


def _short_hash(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:SUFFIX_CHARS]
