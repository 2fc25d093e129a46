"""Transcripts as HTML: pages that open from a disk, run no script and load nothing but files beside them."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Iterator, Mapping
from functools import cache

from markupsafe import Markup

from migrate import __version__
from migrate.model.results.transcripts import IndexPage, TranscriptForm, TranscriptPage
from migrate.reports.formats.html import page_asset
from migrate.reports.pages.environment import PAGES_FOLDER, conversation_style, transcript_environment
from migrate.reports.pages.visible_text import as_line

STYLE_PATH = "style.css"
# `file:` beside 'self': some browsers treat each file as a site of its own.
SITE_POLICY = (
    "default-src 'none'; style-src 'self' file:; img-src 'self' file: data:; base-uri 'none'; "
    "form-action 'none'"
)
PAGE_POLICY_BEGIN = "default-src 'none'; img-src data:; base-uri 'none'; form-action 'none'; style-src "


@cache
def site_style() -> str:
    """The style sheet of all pages."""
    own = (PAGES_FOLDER / "site.css").read_text(encoding="utf-8")
    return page_asset("base.css") + conversation_style() + own


class HtmlSite(TranscriptForm):
    """A folder of pages: one or more for each thread, and a list of them."""

    name, extension = "html", ".html"
    page_messages = 500
    index_rows = 200

    def assets(self) -> Mapping[str, str]:
        return {STYLE_PATH: site_style()}

    def thread(self, page: TranscriptPage) -> Iterator[str]:
        return _thread_page(page, SITE_POLICY, _style_link(page.root), f"{page.root}index.html")

    def index(self, page: IndexPage) -> Iterator[str]:
        """A page of the list."""
        pages = [
            (path, " – ".join(dict.fromkeys(filter(None, (newest[:10], oldest[:10])))))
            for path, newest, oldest in page.pages
        ]
        template = transcript_environment().get_template("transcript_index.html.j2")
        yield from template.generate(
            policy=Markup(SITE_POLICY), style=_style_link(""), index=page, pages=pages, version=__version__
        )


class HtmlPage(TranscriptForm):
    """One page that stands alone, with its style and its images inside."""

    name, extension = "html", ".html"

    def thread(self, page: TranscriptPage) -> Iterator[str]:
        style = site_style()
        digest = b64encode(hashlib.sha256(style.encode()).digest()).decode("ascii")
        policy = f"{PAGE_POLICY_BEGIN}'sha256-{digest}'"
        return _thread_page(page, policy, Markup("<style>{}</style>").format(Markup(style)), "")


def _thread_page(page: TranscriptPage, policy: str, style: Markup, index: str) -> Iterator[str]:
    found = page.conversation()
    title = as_line(page.summary.first_words) or as_line(page.summary.id)
    template = transcript_environment().get_template("transcript.html.j2")
    yield from template.generate(
        policy=Markup(policy),
        style=style,
        index=index,
        title=title,
        page=page,
        head=found.head,
        messages=found.messages,
        trailing_runs=found.trailing_runs,
        links=page.links,
        version=__version__,
    )


def _style_link(root: str) -> Markup:
    return Markup('<link rel="stylesheet" href="{}">').format(f"{root}{STYLE_PATH}")
