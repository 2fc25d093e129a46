"""The templates of conversations, for the environment of pages that show them."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from migrate.reports.pages.conversation_view import head_view, left_out_line, run_views, time_html, turn_view
from migrate.reports.pages.visible_text import as_line

PAGES_FOLDER = Path(__file__).parent
# What the macros of `conversation.html.j2` call.
CONVERSATION_GLOBALS: dict[str, Callable[..., Any]] = {
    "turn_view": turn_view,
    "head_view": head_view,
    "run_views": run_views,
    "left_out_line": left_out_line,
}


def conversation_templates() -> FileSystemLoader:
    """The folder of templates. An environment that uses it also needs `CONVERSATION_GLOBALS`."""
    return FileSystemLoader(PAGES_FOLDER / "templates")


@cache
def conversation_style() -> str:
    """The style sheet of conversations. It follows base.css."""
    return (PAGES_FOLDER / "conversation.css").read_text(encoding="utf-8")


@cache
def transcript_environment() -> Environment:
    """The environment of transcripts as HTML."""
    environment = Environment(
        loader=conversation_templates(),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: as_line(value) if type(value) is str else value,
        auto_reload=False,
    )
    environment.globals.update(CONVERSATION_GLOBALS, time_html=time_html)
    environment.filters["number"] = "{:,}".format
    return environment
