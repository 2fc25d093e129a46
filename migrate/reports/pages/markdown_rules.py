"""Rules by which `safe_markdown` differs from CommonMark, so that no text is hidden, changed or fetched.

Texts contain places of citations: a number between two characters that no shown text has (noncharacters, see
`visible_text`), inside brackets, so that emphasis beside them works as beside the marker of the service.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from typing import Any, NamedTuple

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.rules_block.state_block import StateBlock
from markdown_it.rules_block.table import escapedSplit, getLine, table
from markdown_it.rules_core.state_core import StateCore
from markdown_it.rules_inline.state_inline import StateInline
from markdown_it.token import Token
from markupsafe import Markup, escape

LINK_RELATION = "noopener noreferrer nofollow"
LINKABLE = re.compile(r"(?:https?://|mailto:)[^\s/]", re.IGNORECASE)
PLACE = re.compile("【\ufdd0([0-9]+)\ufdd1】")
PLACE_IN_ADDRESS = re.compile("%E3%80%90%EF%B7%90([0-9]+)%EF%B7%91%E3%80%91")
# An address in a text; what usually ends a sentence is not a part of it.
BARE_ADDRESS = re.compile("https?://[^\\s<>\"'`【】\\\\^{}|]{1,2000}", re.IGNORECASE)
AFTER_ADDRESS = ".,;:!?*_~]"
# Headings of a message are below those of the page.
HEADINGS_ABOVE = 2
# Beginning -> end of a formula. Answers of models are full of them, and Markdown would take them apart.
FORMULA_ENDS = {"\\(": "\\)", "\\[": "\\]", "$$": "$$"}
MAX_FORMULA_CHARS = 4_000


class CitationMark(NamedTuple):
    """What stands for a citation in a text: its HTML, the address of the cited file ('' for none), and the
    marker of the service that it replaces ('' where it stands behind the text)."""

    html: Markup
    href: str = ""
    replaced: str = ""


Env = MutableMapping[str, Any]


def place(number: int) -> str:
    """The place of a citation in a text."""
    return f"【\ufdd0{number}\ufdd1】"


def text_html(text: str, marks: Sequence[CitationMark], linked: bool = True) -> Markup:
    """A text as HTML, with the marks of its citations, and links for the addresses in it."""
    pieces = PLACE.split(text)
    html = [_linked(piece) if linked else escape(piece) for piece in pieces[::2]]
    for n, number in enumerate(pieces[1::2]):
        html[n] += marks[int(number)].html
    return Markup("").join(html)


def without_marks(text: str, marks: Sequence[CitationMark]) -> str:
    """A text as the service wrote it, where no marks can stand: code and formulas."""
    return PLACE.sub(lambda match: marks[int(match[1])].replaced, text)


def outside_link(href: str, content: Markup, title: str = "") -> Markup:
    """A link to another site, without a referrer. Its address can be seen before it is followed."""
    title = title or ("" if content == escape(href) else href)
    hint = Markup(' title="{}"').format(title) if title else ""
    return Markup('<a href="{}"{} rel="{}">{}</a>').format(href, hint, LINK_RELATION, content)


def _linked(text: str) -> Markup:
    """A text with links for the addresses in it."""
    if "://" not in text:
        return escape(text)
    html, end = Markup(""), 0
    for match in BARE_ADDRESS.finditer(text):
        address = match[0].rstrip(AFTER_ADDRESS)
        while address.endswith(")") and address.count(")") > address.count("("):
            address = address[:-1].rstrip(AFTER_ADDRESS)
        if LINKABLE.match(address):
            html += escape(text[end : match.start()]) + outside_link(address, escape(address))
            end = match.start() + len(address)
    return html + escape(text[end:])


# ------------------------------------------------------------------------------------------------ parsing


def is_safe_address(address: str) -> bool:
    """Whether a text may link to an address: of the web, of a mail, or of a cited file."""
    return bool(LINKABLE.match(address)) or PLACE_IN_ADDRESS.search(address) is not None


def complete_table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """A table, unless a row of it has more cells than its head: those would not be shown."""
    if not table(state, start, end, True):
        return False
    width = _cell_count(state, start)
    for line in range(start + 2, end):
        if "|" not in (text := getLine(state, line)) or not text.strip():
            break
        if _cell_count(state, line) > width:
            return False
    return table(state, start, end, silent)


def _cell_count(state: StateBlock, line: int) -> int:
    cells = escapedSplit(getLine(state, line).strip())
    return len(cells) - (cells[:1] == [""]) - (len(cells) > 1 and cells[-1:] == [""])


def formula(state: StateInline, silent: bool) -> bool:
    r"""A formula between \( and \), \[ and \], or $$: shown as it is."""
    begin = state.src[state.pos : state.pos + 2]
    if begin not in FORMULA_ENDS:
        return False
    ending = FORMULA_ENDS[begin]
    last = min(state.posMax, state.pos + MAX_FORMULA_CHARS)
    end = state.src.find(ending, state.pos + 2, last)
    if end < 0 or not state.src[state.pos + 2 : end].strip():
        return False
    if not silent:
        state.push("formula", "code", 0).content = state.src[state.pos : end + 2]
    state.pos = end + 2
    return True


def keep_as_typed(state: StateCore) -> None:
    """Show backslashes and entities as they were typed: people write paths and patterns, not Markdown."""
    for token in _inline_tokens(state):
        if token.type == "text_special":
            token.content = token.markup


def prepare_tokens(state: StateCore) -> None:
    """Headings below those of the page; numbers of lists as they are written; links to files and sites."""
    for token in state.tokens:
        if token.type.startswith("heading_"):
            token.tag = f"h{min(6, int(token.tag[1]) + HEADINGS_ABOVE)}"
        elif token.type == "list_item_open" and token.info:
            token.attrSet("value", token.info)
        elif token.attrs.get("style"):  # the policy of the page allows no style in an attribute
            token.attrs = {"class": str(token.attrs["style"]).replace("text-align:", "cell-")}
        if token.children:
            _prepare_links(token.children, state.env)


def _prepare_links(children: list[Token], env: Any) -> None:
    opened: list[Token] = []
    for token in children:
        if token.type == "link_open":
            opened.append(token)
            _set_address(token, env["marks"])
        elif token.type == "link_close" and opened:
            begin = opened.pop()
            token.tag, token.meta = begin.tag, begin.meta
        elif opened:
            token.meta["in_link"] = True


def _set_address(token: Token, marks: Sequence[CitationMark]) -> None:
    href = str(token.attrs.get("href", ""))
    file = PLACE_IN_ADDRESS.search(href)
    if file is None:
        title = " ".join(filter(None, (str(token.attrs.get("title", "")), href)))
        token.attrs = {"href": href, "title": title, "rel": LINK_RELATION}
        return
    mark = marks[int(file[1])]
    token.meta["mark"] = mark.html
    token.attrs = {"class": "file-link"}
    if mark.href:
        token.attrs["href"] = mark.href
    else:
        token.tag = "span"


def _inline_tokens(state: StateCore) -> Iterator[Token]:
    for token in state.tokens:
        yield from token.children or ()


# ---------------------------------------------------------------------------------------------- rendering


def render_text(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: Env) -> str:
    """A text, with marks and links."""
    return text_html(tokens[at].content, env["marks"], linked="in_link" not in tokens[at].meta)


def render_code_span(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: Env) -> str:
    """Code inside a line."""
    return Markup("<code>{}</code>").format(without_marks(tokens[at].content, env["marks"]))


def render_formula(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: Env) -> str:
    """A formula as it was written."""
    return Markup('<code class="formula">{}</code>').format(without_marks(tokens[at].content, env["marks"]))


def render_code_block(_: RendererHTML, tokens: Sequence[Token], at: int, __: Any, env: Env) -> str:
    """A block of code, with what stands behind its fence."""
    content, language = (without_marks(text, env["marks"]) for text in (tokens[at].content, tokens[at].info))
    return code_block(content.removesuffix("\n"), language.strip())


def code_block(code: str, label: str = "") -> Markup:
    """Code with a label. It can be scrolled with the keyboard."""
    head = Markup('<p class="code-label">{}</p>').format(label) if label else Markup("")
    return Markup('<div class="code">{}<pre tabindex="0"><code>{}</code></pre></div>\n').format(head, code)


def render_image(renderer: RendererHTML, tokens: Sequence[Token], at: int, options: Any, env: Env) -> str:
    """An image, which is never fetched: its description as a link to it."""
    token = tokens[at]
    source, title = str(token.attrs.get("src", "")), str(token.attrs.get("title", ""))
    words = PLACE.sub("", renderer.renderInlineAsText(token.children, options, env))
    if "in_link" in token.meta or PLACE_IN_ADDRESS.search(source):
        note = " ".join(filter(None, ("image", title, PLACE_IN_ADDRESS.sub("", source))))
        return Markup('{} <span class="image-note">({})</span>').format(words, note)
    label = Markup('{} <span class="image-note">(image)</span>').format(words or source)
    return outside_link(source, label, f"{title} {source}".strip())


def render_link_close(_: RendererHTML, tokens: Sequence[Token], at: int, *__: Any) -> str:
    """The end of a link, and the mark of the cited file that it leads to."""
    token = tokens[at]
    return f"</{token.tag}>{token.meta.get('mark', '')}"


def render_table_open(*_: Any) -> str:
    """A table may be wider than the page: it can be scrolled with the keyboard."""
    return '<div class="cells" tabindex="0"><table>\n'


def render_table_close(*_: Any) -> str:
    return "</table></div>\n"


RENDER_RULES: dict[str, Callable[..., str]] = {
    "text": render_text,
    "code_inline": render_code_span,
    "formula": render_formula,
    "code_block": render_code_block,
    "fence": render_code_block,
    "image": render_image,
    "link_close": render_link_close,
    "table_open": render_table_open,
    "table_close": render_table_close,
}


def markdown_parser(as_typed: bool, max_nesting: int) -> MarkdownIt:
    """CommonMark with tables and strikethrough and with the rules above; HTML is text. `as_typed`:
    backslashes and entities are shown."""
    parser = MarkdownIt("commonmark", {"html": False, "breaks": True, "maxNesting": max_nesting})
    parser.enable(["table", "strikethrough"]).disable(["reference", "html_block", "html_inline"])
    parser.block.ruler.at("table", complete_table, {"alt": ["paragraph", "reference"]})
    parser.inline.ruler.before("escape", "formula", formula)
    parser.core.ruler.push("prepare_tokens", prepare_tokens)
    if as_typed:
        parser.core.ruler.before("text_join", "keep_as_typed", keep_as_typed)
    for name, rule in RENDER_RULES.items():
        parser.add_render_rule(name, rule)
    parser.validateLink = is_safe_address  # type: ignore[method-assign, assignment]
    return parser
