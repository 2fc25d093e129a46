"""Agents as the text of agents.tf: one resource of Terraform's azapi provider for each.

The id of an import is `HOST/api/projects/PROJECT/agents/NAME|TYPE@VERSION`, as in the source of the provider
(2.9.0 and later).
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from migrate.model import JSON
from migrate.model.results.export import TerraformAgents
from migrate.model.secrets import VERBATIM_KEYS, describe_credentials, is_secret_key

HCL_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
HCL_KEYWORDS = frozenset({"for", "if", "in", "null", "true", "false", "endfor", "else", "endif"})
HCL_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}
# The start of a template. With the last sign doubled it is plain text.
HCL_TEMPLATE = re.compile(r"([$%]+)\{")
# More signs before a template start: a heredoc could not say which of them is doubled.
AMBIGUOUS_HCL_TEMPLATE = re.compile(r"[$%]{2}\{")


class HclExpression(str):
    """An expression that is written without quotes: `var.name`."""


def quote_hcl(text: str) -> str:
    """A text on one line. HCL cannot write half of a character pair, which becomes U+FFFD."""
    return f'"{HCL_TEMPLATE.sub(_escape_template, "".join(map(_escape_char, text)))}"'


def _escape_template(match: re.Match[str]) -> str:
    before, last = match[1][:-1], match[1][-1]
    return "".join(f"\\u{ord(sign):04x}" for sign in before) + last * 2 + "{"


def _escape_char(char: str) -> str:
    if char in HCL_ESCAPES:
        return HCL_ESCAPES[char]
    if char.isprintable():
        return char
    code = 0xFFFD if 0xD800 <= ord(char) < 0xE000 else ord(char)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def format_hcl(value: JSON, indent: str = "") -> str:
    """A value as an expression. `indent`: the indent of the line on which it begins."""
    if isinstance(value, HclExpression):
        return str(value)
    if isinstance(value, str):
        return _heredoc(value) if _is_long(value) else quote_hcl(value)
    if isinstance(value, Mapping):
        lines = (f"{indent}  {key} = {format_hcl(v, indent + '  ')}\n" for key, v in _entries(value))
        return f"{{\n{''.join(lines)}{indent}}}" if value else "{}"
    if isinstance(value, list):
        items = "".join(f"{indent}  {format_hcl(member, indent + '  ')},\n" for member in value)
        return f"[\n{items}{indent}]" if value else "[]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return repr(value) if value == value and value not in (float("inf"), float("-inf")) else "null"


def _entries(value: Mapping[str, JSON]) -> Iterator[tuple[str, JSON]]:
    for key, inner in value.items():
        plain = HCL_IDENTIFIER.fullmatch(key) and key not in HCL_KEYWORDS
        yield (key if plain else quote_hcl(key)), inner


def _is_long(text: str) -> bool:
    """Whether a text has several lines and a heredoc gives exactly this text."""
    lines = text.replace("\t", "").split("\n")
    return (
        len(lines) > 1
        and not AMBIGUOUS_HCL_TEMPLATE.search(text)
        and all(line.isprintable() for line in lines)
    )


def _heredoc(text: str) -> str:
    """The text as a heredoc, whose last line feed is removed again."""
    lines, mark, number = text.split("\n"), "EOT", 2
    while any(line.strip() == mark for line in lines):
        mark, number = f"EOT{number}", number + 1
    body = HCL_TEMPLATE.sub(_escape_template, text)
    return f'trimsuffix(<<{mark}\n{body}\n{mark}\n, "\\n")'


AGENT_RESOURCE_TYPE = "Microsoft.Foundry/agents@v1"

TERRAFORM_HEADER = """\
# Written by: assistants-migrate export --format azapi
# Ids of files, vector stores and connections are those of the project, or variables without a value.

terraform {{
  required_version = ">= 1.6"
  required_providers {{
    azapi = {{
      source  = "Azure/azapi"
      version = ">= 2.9.0"
    }}
  }}
}}

variable "project" {{
  description = "The project's address without its scheme: HOST/api/projects/PROJECT."
  type        = string{default}
}}
"""


def agents_as_terraform(
    agents: Mapping[str, Mapping[str, JSON]], project: str, existing: bool
) -> TerraformAgents:
    """agents.tf. `agents`: name -> body without the name. `existing`: the project has them: import."""
    result = TerraformAgents(resources=_resources(agents))
    blocks = []
    for name in sorted(agents):
        resource = result.resources[name]
        body = _without_secrets(dict(agents[name]), resource, result.secrets, False)
        blocks.append(_block(name, resource, body))
        result.normalized += [f"{name}: {path}" for path in _texts_where(_is_not_nfc, {"name": name, **body})]
        result.replaced += [
            f"{name}: {path}" for path in _texts_where(_has_surrogate, {"name": name, **body})
        ]
        if existing:
            blocks.append(_import(name, resource))
    default = f"\n  default     = {quote_hcl(project)}" if project else ""
    result.required_variables = sorted(_variables(agents))
    variables = [_variable(name, True) for name in result.secrets]
    variables += [_variable(name, False) for name in result.required_variables]
    result.text = "\n".join([TERRAFORM_HEADER.format(default=default), *variables, *blocks])
    return result


def _block(name: str, resource: str, body: Mapping[str, JSON]) -> str:
    whole = format_hcl({"name": name, **body}, "  ")
    return (
        f'resource "azapi_data_plane_resource" "{resource}" {{\n'
        f'  type      = "{AGENT_RESOURCE_TYPE}"\n'
        "  parent_id = var.project\n"
        f"  name      = {quote_hcl(name)}\n\n"
        f"  body = {whole}\n}}\n"
    )


def _import(name: str, resource: str) -> str:
    tail = quote_hcl(f"/agents/{name}|{AGENT_RESOURCE_TYPE}")[1:]
    return f'import {{\n  to = azapi_data_plane_resource.{resource}\n  id = "${{var.project}}{tail}\n}}\n'


def _variable(name: str, sensitive: bool) -> str:
    more = "  sensitive = true\n" if sensitive else ""
    return f'variable "{name}" {{\n  type      = string\n{more}}}\n'


def _resources(names: Iterable[str]) -> dict[str, str]:
    """Agent -> a valid and unique name of its resource."""
    bases = {name: terraform_identifier(name, "agent") for name in sorted(names)}
    uses = Counter(bases.values())
    return {
        name: base if uses[base] == 1 else f"{base}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        for name, base in bases.items()
    }


def terraform_identifier(text: str, prefix: str) -> str:
    """A text as a name in Terraform: letters, digits and underscores, with a letter first."""
    base = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")[:60]
    return base if base[:1].isalpha() else f"{prefix}_{base}".rstrip("_")


def _without_secrets(value: Any, at: str, secrets: list[str], hidden: bool, exact: bool = False) -> Any:
    """The value with sensitive variables in the places of secrets.

    `at`: path, as the name of a variable. `hidden`: inside a secret key. `exact`: inside a schema or
    specification, where the names of keys mean nothing, and only texts with a credential are secrets.
    """
    if isinstance(value, Mapping):
        return {
            k: _without_secrets(
                v,
                f"{at}_{terraform_identifier(k, 'key')}",
                secrets,
                hidden or (is_secret_key(k) and not exact),
                exact or k in VERBATIM_KEYS,
            )
            for k, v in value.items()
        }
    if isinstance(value, list):
        return [
            _without_secrets(member, f"{at}_{n}", secrets, hidden, exact) for n, member in enumerate(value)
        ]
    has_credential = isinstance(value, str) and any(describe_credentials(value))
    if not (hidden or has_credential) or value in (None, ""):
        return value
    name, number = at, 2
    while name in secrets:
        name, number = f"{at}_{number}", number + 1
    secrets.append(name)
    return HclExpression(f"var.{name}")


def _is_not_nfc(text: str) -> bool:
    """Whether a text is not in the Unicode form NFC, to which Terraform changes every text that it reads."""
    return not unicodedata.is_normalized("NFC", text)


def _has_surrogate(text: str) -> bool:
    """Whether a text contains half of a character pair."""
    return any("\ud800" <= char <= "\udfff" for char in text)


def _texts_where(condition: Callable[[str], bool], value: JSON, at: str = "") -> Iterator[str]:
    """The paths of texts and keys that meet a condition."""
    if isinstance(value, str):
        if condition(value):
            yield at
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            place = f"{at}.{key}" if at else str(key)
            if condition(str(key)):
                yield f"{place} (the key)"
            yield from _texts_where(condition, inner, place)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from _texts_where(condition, inner, f"{at}[{number}]")


def _variables(value: JSON) -> set[str]:
    """Names of the variables in the place of ids of another project."""
    if isinstance(value, HclExpression):
        return {value.removeprefix("var.")}
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return {name for member in inner for name in _variables(member)}
