"""Runs a command in this process, with its own environment and config file."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Mapping
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from migrate import cli
from tests.e2e.running import SILENT, CommandResult

OF_NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
QUIET = {**SILENT, **dict.fromkeys(OF_NETWORK, "")}


def run(*arguments: str, config: Path | None = None, env: Mapping[str, str] | None = None) -> CommandResult:
    """The output of a command, and its exit code."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    given = ["--config", str(config)] if config else []
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, {**QUIET, **(env or {})}))
        stack.enter_context(patch.object(sys, "argv", ["assistants-migrate", *arguments, *given]))
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        try:
            cli.main()
        except SystemExit as done:
            code = int(done.code or 0)
    return CommandResult(code, out.getvalue(), err.getvalue())
