"""The location of an estate, and how a text refers to it: by its host, its account or its project."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

# Domains of Azure's clouds; the account is the first label of a host in them.
AZURE_DOMAINS = (
    "azure.com",
    "azure.us",
    "azure.cn",
)
# Hosts that all customers share: such a host does not identify an estate.
SHARED_HOSTS = frozenset({"api.openai.com"})
PROJECT_IN_PATH = re.compile(r"/projects/([^/?#]+)")


@dataclass(frozen=True)
class EstateLocation:
    """`host` with its port, in lower case; `account` and `project` where the address has them."""

    host: str
    account: str = ""
    project: str = ""

    @classmethod
    def from_url(cls, url: str) -> EstateLocation | None:
        """The location of an address; None where the text is no address, or its host is shared."""
        try:
            parts = urlsplit(url)
            host = parts.netloc.rpartition("@")[2].lower()
        except ValueError:
            return None
        if parts.scheme not in ("http", "https") or not host or host in SHARED_HOSTS:
            return None
        first, _, rest = host.partition(".")
        account = first if any(rest == end or rest.endswith(f".{end}") for end in AZURE_DOMAINS) else ""
        project = PROJECT_IN_PATH.search(parts.path)
        return cls(host, account, project[1] if project else "")

    def is_same_place(self, other: EstateLocation | None) -> bool:
        """Whether two locations are the same account and project, or the same host where there is no
        account."""
        if other is None or (self.account, self.project) != (other.account, other.project):
            return False
        return self.account != "" or self.host == other.host

    def name_in(self, text: str) -> str:
        """The part of a text that refers to this location, or ''."""
        match = self._pattern.search(text)
        return match[0] if match else ""

    @cached_property
    def _pattern(self) -> re.Pattern[str]:
        ends = "|".join(map(re.escape, AZURE_DOMAINS))
        account = re.escape(self.account)
        patterns = [rf"(?<![\w.-]){re.escape(self.host)}(?![\w-]|\.\w)"]
        if self.account:
            patterns.append(rf"(?<![\w.-]){account}(?:\.[\w-]+)*\.(?:{ends})(?![\w-]|\.\w)")
            patterns.append(rf"/accounts/{account}(?![\w-])(?:/projects/[\w.-]+)?")
        return re.compile("|".join(patterns), re.IGNORECASE)
