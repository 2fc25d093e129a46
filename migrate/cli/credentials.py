"""A config entry in, how to sign in out: key, token or Entra. Secrets only by the name of a variable."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from migrate.cli.config import EstateConfig
from migrate.errors import BadUsage

if TYPE_CHECKING:
    from migrate.endpoints.settings import Auth


@dataclass(frozen=True)
class SignIn:
    """How a type of service is signed in to. `key` and `token` are the variables looked at where the
    config file names none."""

    key: str = ""
    token: str = ""
    entra: bool = True


SIGN_IN = {
    "azure-openai": SignIn(key="AZURE_OPENAI_API_KEY"),
    "openai": SignIn(key="OPENAI_API_KEY", entra=False),
    "foundry-classic": SignIn(token="FOUNDRY_TOKEN"),
    "foundry": SignIn(token="FOUNDRY_TOKEN"),
}
"""Every type of service. Without a word in the config file: the key or token of the environment if it is
set, else Entra where there is Entra."""


def credential(name: str, entry: EstateConfig) -> tuple[Auth, str]:
    """How to sign in, and the key or token. Raises `BadUsage` when there is none."""
    row = SIGN_IN[entry.type]
    auth = entry.auth or _default(entry, row)
    if auth == "entra" and not row.entra:
        raise BadUsage(
            f"{name or entry.endpoint} cannot be reached with Entra", "OpenAI takes keys", 'set auth = "key"'
        )
    if auth == "entra":
        return auth, ""
    variable = (entry.token_env or row.token or row.key) if auth == "token" else (entry.key_env or row.key)
    secret = os.environ.get(variable, "") if variable else ""
    if not secret:
        raise BadUsage(
            f"no {auth} for {name or entry.endpoint}",
            f"the environment variable {variable} is not set"
            if variable
            else f"{auth}_env names no variable",
            f"export {variable or 'NAME'}=..., or name another with {auth}_env in the config file",
        )
    return auth, secret


def _default(entry: EstateConfig, row: SignIn) -> Auth:
    if entry.token_env:
        return "token"
    if entry.key_env or (row.key and os.environ.get(row.key)):
        return "key"
    if row.token and os.environ.get(row.token):
        return "token"
    return "entra" if row.entra else "key"
