"""A fast test whether a stored body may have something to mask.

Nearly no body has. The patterns below are wider than those of `model.secrets`, and look at the JSON text
without parsing it: whatever `mask_body` would change is found, and some more is. They are matched by
pydantic's regular expressions, which look for many words in one pass: that takes 0.02 ms for a page of
80 KB, and 1 ms with `re`.
"""

from __future__ import annotations

from pydantic_core import SchemaValidator, core_schema

from migrate.model.masked_values import SCHEMA_KEYS
from migrate.model.secrets import SECRET_KEY_NAMES

# A text with a credential has one of these, or `=`. `\\u` and `\\/`: an escape may hide any character.
_HINTS = (
    "%3", r"\\u", r"\\/", "://", "sk-", "gh[pousr]_", "github_pat_", "xox", "AKIA", "ASIA", "AIza", "eyJ",
)  # fmt: skip
_CREDENTIALS = (
    r"\\[u/]",
    r'(?:[?&#;]|%3[fF]|%26)[^\s"=&#;?]{1,80}(?:=|%3[dD])[^\s&#;"<>]',  # a query parameter
    r"(?i:accountkey|sharedaccesskey|sharedaccesssignature|sig|password|pwd)[^=]{0,20}=",
    r'://[^\s/?#"]+@',  # a name or a password before the host
    r'://[^\s"/]*(?:slack\.com|discord|telegram|webhook\.office)',
    r'sk-[^\s"\\]{20}',
    r'gh[pousr]_[^\s"\\]{30}',
    r'github_pat_[^\s"\\]{30}',
    r'xox[abeprs]-[^\s"\\]{10}',
    r"A(?:KIA|SIA)[0-9A-Z]{16}",
    r'AIza[^\s"\\]{35}',
    r'eyJ[^\s"\\]{20}',
)


def _pattern(*alternatives: str, flags: str = "") -> SchemaValidator:
    return SchemaValidator(core_schema.str_schema(pattern=f"{flags}(?:{'|'.join(alternatives)})"))


_has_words = _pattern(*_HINTS).isinstance_python
_has_credential = _pattern(*_CREDENTIALS).isinstance_python
_has_secret_key = _pattern(
    *(f'"{name}"' for name in sorted(SECRET_KEY_NAMES | SCHEMA_KEYS)), flags="(?i)"
).isinstance_python


def has_mask_hint(json_text: str) -> bool:
    """Whether `may_need_mask` may be true for a JSON text, or for one of several that are joined."""
    return "=" in json_text or _has_words(json_text) or _has_secret_key(json_text)


def may_need_mask(json_text: str) -> bool:
    """Whether `mask_body` may change the body with this JSON text. Where it is False, nothing is masked."""
    if ("=" in json_text or _has_words(json_text)) and _has_credential(json_text):
        return True
    return _has_secret_key(json_text)
