"""Any assistant's name in, a valid, stable and readable agent name out.

An agent's name is its address: letters, digits and hyphens, at most 63, beginning and ending with a
letter or digit. Two assistants of one name must stay two agents, and somebody else's agent must not get a
new version from us, so names already taken gain a suffix from the source id. Whether names collide by
case is not known, so they are kept apart by more than case.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Iterable
from itertools import count

MAX_NAME_CHARS = 63
VALID_AGENT_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
DEFAULT_AGENT_NAME = "agent"
# Characters of the source id that make a suffix.
SUFFIX_CHARS = 8


def valid_name_base(name: str) -> str:
    """The nearest valid name, or '' where nothing of it can be spelled (a name in Chinese characters)."""
    ascii_ = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    joined = re.sub(r"[^A-Za-z0-9]+", "-", ascii_)
    return joined.strip("-")[:MAX_NAME_CHARS].strip("-")


def id_suffix(source_id: str) -> str:
    """The end of an id where it is made of letters and digits, else a fingerprint of it."""
    end = re.sub(r"[^A-Za-z0-9]", "", source_id)[-SUFFIX_CHARS:]
    return end if len(end) == SUFFIX_CHARS and "_" in source_id else _fingerprint(source_id)


def agent_name(name: str, source_id: str, others: int = 0) -> str:
    """The name of an agent made from an assistant. `others`: how many wanted to be called the same, or
    already are; with any, and where nothing of the name is left, the id tells them apart."""
    base = valid_name_base(name)
    if base and not others:
        return base
    end = id_suffix(source_id)
    return f"{(base or DEFAULT_AGENT_NAME)[: MAX_NAME_CHARS - 1 - len(end)].rstrip('-')}-{end}"


def assign_agent_names(wanted: Iterable[tuple[str, str]], taken: Collection[str]) -> dict[str, str]:
    """Source id -> agent name for every (id, name), none of them `taken`, each stable between runs."""
    rows = list(wanted)
    bases = Counter(valid_name_base(name).casefold() for _, name in rows)
    used = {name.casefold() for name in taken}
    chosen: dict[str, str] = {}
    for id_, name in rows:
        base = valid_name_base(name).casefold()
        found = agent_name(name, id_, bases[base] - 1 + (base in used))
        for again in count():
            if found.casefold() not in used:
                break
            short = found[: MAX_NAME_CHARS - 1 - SUFFIX_CHARS].rstrip("-")
            found = f"{short}-{_fingerprint(f'{id_}{again}')}"
        chosen[id_] = found
        used.add(found.casefold())
    return chosen


def _fingerprint(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:SUFFIX_CHARS]
