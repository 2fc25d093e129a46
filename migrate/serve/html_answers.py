"""Pages from templates: everything in them is text, unless a template of this program made it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import ChoiceLoader, Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.responses import HTMLResponse

from migrate import __version__
from migrate.model import JSON
from migrate.model.secrets import mask_text
from migrate.reports.formats.html import PAGE_FOLDER, page_asset
from migrate.reports.pages.environment import (
    CONVERSATION_GLOBALS,
    conversation_style,
    conversation_templates,
)
from migrate.reports.sizes import size_text
from migrate.reports.text_table import escape_control, single_line
from migrate.reports.values import brief
from migrate.serve.addresses import with_query

SERVE_FOLDER = Path(__file__).parent
SCRIPT_TYPE, STYLE_TYPE = "text/javascript; charset=utf-8", "text/css; charset=utf-8"
IMAGE_TYPE = "image/svg+xml"
# Characters that a page shows of a value as JSON, of a text with line breaks, and of one on a single line.
# Services take instructions of 256,000 characters, and names of 512.
MAX_JSON_CHARS, MAX_BLOCK_CHARS, MAX_LINE_CHARS = 200_000, 300_000, 4_000


@cache
def static_files() -> dict[str, tuple[str, str]]:
    """Name -> text and type of every file that pages load."""
    own = SERVE_FOLDER / "static"
    return {
        "base.css": (page_asset("base.css"), STYLE_TYPE),
        "conversation.css": (conversation_style(), STYLE_TYPE),
        "report.css": (page_asset("report.css"), STYLE_TYPE),
        "report.js": (page_asset("report.js"), SCRIPT_TYPE),
        "serve.css": (own.joinpath("serve.css").read_text(encoding="utf-8"), STYLE_TYPE),
        "serve.js": (own.joinpath("serve.js").read_text(encoding="utf-8"), SCRIPT_TYPE),
        "icon.svg": (own.joinpath("icon.svg").read_text(encoding="utf-8"), IMAGE_TYPE),
    }


def page(template: str, status: int = 200, **context: Any) -> HTMLResponse:
    """The page of a template in `templates/`."""
    return HTMLResponse(_environment().get_template(template).render(context), status)


def message_page(status: int, what: str, why: str = "", todo: str = "", **context: Any) -> HTMLResponse:
    """A page that says what happened, why, and what to do next."""
    return page("message.html.j2", status, what=what, why=why, todo=todo, **context)


def sign_in_page(status: int, note: str = "", path: str = "/") -> HTMLResponse:
    """The page that asks for the key. `path`: the page that was asked for."""
    return page("sign_in.html.j2", status, note=note, path=path)


def signed_in_page(path: str) -> HTMLResponse:
    """A page that opens another one. It comes in the place of a redirect: behind a link of another site,
    a browser would not send the new cookie with one."""
    return page("signed_in.html.j2", path=path)


def compile_templates() -> None:
    """Compile every template, so that no visitor waits for it."""
    environment = _environment()
    for name in environment.list_templates(extensions=["j2"]):
        environment.get_template(name)


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=ChoiceLoader(
            [FileSystemLoader([SERVE_FOLDER / "templates", PAGE_FOLDER]), conversation_templates()]
        ),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=visible,
        auto_reload=False,
    )
    environment.globals.update(CONVERSATION_GLOBALS)
    environment.globals.update(version=__version__, static=_static_address, with_query=with_query)
    environment.filters.update(
        number="{:,}".format,
        size=size_text,
        moment=moment,
        day=day,
        block=text_block,
        words=kind_words,
        json=json_block,
    )
    return environment


@cache
def _static_address(name: str) -> str:
    """The address of a file, which changes with its content."""
    digest = hashlib.sha256(static_files()[name][0].encode()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def visible(value: object) -> object:
    """A text on one line, with every character visible and without credentials, unless it is marked as safe
    HTML."""
    if not isinstance(value, str) or hasattr(value, "__html__"):
        return value
    return single_line(brief(mask_text(value), MAX_LINE_CHARS))


def text_block(text: str) -> Markup:
    """A text with its line breaks, every other character visible, without credentials."""
    return escape(escape_control(brief(mask_text(text), MAX_BLOCK_CHARS)))


def json_block(value: JSON) -> Markup:
    """A value as indented JSON."""
    return text_block(brief(json.dumps(value, indent=2, ensure_ascii=False, default=str), MAX_JSON_CHARS))


def moment(value: JSON) -> Markup:
    """Seconds since 1970, or ISO 8601, as a time in UTC; nothing where it is no time."""
    when = _parse_time(value)
    if when is None:
        return Markup("")
    return Markup('<time datetime="{}">{}</time>').format(
        when.strftime("%Y-%m-%dT%H:%M:%SZ"), when.strftime("%Y-%m-%d %H:%M")
    )


def day(value: JSON) -> Markup:
    """The day of a time."""
    when = _parse_time(value)
    if when is None:
        return Markup("")
    return Markup('<time datetime="{0}">{0}</time>').format(when.strftime("%Y-%m-%d"))


def _parse_time(value: JSON) -> datetime | None:
    try:
        if isinstance(value, (int, float)) and not isinstance(value, bool):
            return datetime.fromtimestamp(value, timezone.utc)
        if isinstance(value, str) and value:
            when = datetime.fromisoformat(value.replace("Z", "+00:00"))
            return when.astimezone(timezone.utc) if when.tzinfo else when
    except (ValueError, OverflowError, OSError):
        return None
    return None


def kind_words(kind: str) -> str:
    """`vector_store` as words."""
    return kind.replace("_", " ")
