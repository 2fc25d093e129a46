"""Gaps that a service makes by its own declared rule: nobody can close them, so they make no reading partial.

Only what is certain has a row. What Azure OpenAI and the new generation of a Foundry project answer to the
download of an upload was recorded nowhere, so a refusal there stays a gap like any other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from migrate.errors import NotDownloadable, RequestFailed


def _declared(failed: RequestFailed) -> bool:
    """The service says in its own words that it does not give files of this purpose back."""
    return isinstance(failed, NotDownloadable)


def _declared_or_refused(failed: RequestFailed) -> bool:
    """The same, or a 400, whose words were recorded nowhere. No 403: that may be a missing role."""
    return _declared(failed) or failed.status == 400


@dataclass(frozen=True)
class Rule:
    """`service` never gives back the bytes of files of these `purposes`, and answers with such an error."""

    service: str
    purposes: frozenset[str]
    error: Callable[[RequestFailed], bool]
    source: str


RULES = (
    Rule(
        "openai",
        frozenset({"assistants", "user_data", "evals"}),
        _declared,
        "the answer itself: 400 'Not allowed to download files of purpose', as users report it",
    ),
    Rule(
        "foundry-classic",
        frozenset({"assistants"}),
        _declared_or_refused,
        "the description of azure-ai-agents 1.1.0: files uploaded by agents cannot be retrieved back",
    ),
)


def is_expected(service: str, purpose: str, failed: RequestFailed) -> bool:
    """Whether the bytes of a file stay away because its service never gives such bytes back."""
    return any(rule.service == service and purpose in rule.purposes and rule.error(failed) for rule in RULES)
