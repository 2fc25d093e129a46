"""The place where an estate lies, and how a text names it: by its host, its account or its project."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

# What hosts of Azure's clouds end in; the account is the first label of such a host.
AZURE_DOMAINS = (
    "azure.com",
    "azure.us",
    "azure.cn",
)
# Hosts that belong to nobody's estate: to name one is to name no place.
SHARED_HOSTS = frozenset({"api.openai.com"})
PROJECT_IN_PATH = re.compile(r"/projects/([^/?#]+)")


@dataclass(frozen=True)
class EstateLocation:
    """`host` with its port, in small letters; `account` and `project` where the address has them."""

    host: str
    account: str = ""
    project: str = ""

    @classmethod
    def from_url(cls, url: str) -> EstateLocation | None:
        """The place of an address; None where it is none, or one that everybody shares."""
        try:
            parts = urlsplit(url)
            host = parts.netloc.rpartition("@")[2].lower()
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or not host or host in SHARED_HOSTS:
            return None
        first, _, rest = host.partition(".")
        account = first if any(rest == end or rest.endswith(f".{end}") for end in AZURE_DOMAINS) else ""
        found = PROJECT_IN_PATH.search(parts.path)
        return cls(host, account, found[1] if found else "")

    def is_same_place(self, other: EstateLocation | None) -> bool:
        """Whether the other is this very place: then no name of it leads anywhere else."""
        same = other is not None and (self.account, self.project) == (other.account, other.project)
        return same and other is not None and (self.account != "" or self.host == other.host)

    def name_in(self, text: str) -> str:
        """The words by which a text names this place, or ''."""
        found = self._pattern.search(text)
        return found[0] if found else ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        ends = "|".join(map(re.escape, AZURE_DOMAINS))
        account = re.escape(self.account)
        ways = [rf"(?<![\w.-]){re.escape(self.host)}(?![\w-]|\.\w)"]
        if self.account:
            ways.append(rf"(?<![\w.-]){account}(?:\.[\w-]+)*\.(?:{ends})(?![\w-]|\.\w)")
            ways.append(rf"/accounts/{account}(?![\w-])(?:/projects/[\w.-]+)?")
        return re.compile("|".join(ways), re.IGNORECASE)
