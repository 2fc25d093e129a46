"""Prints the page."""

import sys

from migrate.cli.support.page import page

sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
sys.stdout.write(page())
