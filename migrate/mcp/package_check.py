"""Whether the package `mcp` is installed, which only this command needs."""

from __future__ import annotations

from migrate.errors import BadUsage

PACKAGE = '"mcp>=2"'


def check_mcp_package() -> None:
    """Raise `BadUsage`, which says how to install it, if the package `mcp` (2 or later) is not installed."""
    try:
        import mcp_types  # noqa: F401  # of version 2 on
        from mcp.server.lowlevel import Server  # noqa: F401
    except ImportError as error:
        raise BadUsage(
            "the command `mcp` needs the package mcp, version 2 or later",
            f"it is not installed here: {error}",
            f"install it: pip install {PACKAGE}, or pipx inject assistants-migrate {PACKAGE}, or with uv: "
            f"uvx --with {PACKAGE} --from CHECKOUT assistants-migrate mcp ...",
        ) from None
