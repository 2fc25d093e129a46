"""Texts that try to be interpreted as code or markup, and a report that consists of them."""

from __future__ import annotations

from dataclasses import replace

from migrate.model.results.diff import IgnoreCount
from migrate.reports.report import ItemDetail, ObjectCounts, Report, ReportItem, sort_items
from tests.reports.sample_reports import MADE_AT, VERSION, Diagram, DiagramNode

HOSTILE = (
    "<script>window.pwned=1</script>",
    "<img src=x onerror=window.pwned=1>",
    "</script><script>window.pwned=1</script><!--",
    "</code></summary></details><h1>out</h1>",
    "\"><svg onload='window.pwned=1'>",
    "{{ 7*7 }}{% raw %}${7*7}",
    "@everyone @octocat #1 GH-1 https://evil.example/ www.evil.example",
    "[click](https://evil.example/) ![x](https://evil.example/x.png)",
    "a | b\n|---|---|\n| c | d |",
    "```\n\n# out\n~~~\n- [ ] task",
    "line one\n\n<b>line three</b>\r\n\x85end",
    "\x1b[31mred\x1b[0m\x1b]8;;https://evil.example\x07link\x07\x00\x08",
    "[bold red]markup[/] :smile: [link=https://evil.example]x[/link]",
    "\ud800 lone \udfff surrogates \u2028\u2029 \u202eesrever",
    "]]> <![CDATA[ &amp; &#x0; \ufffe\uffff",
    "-->*_~`<!doctype html>",
)


def hostile(pictured: bool = True) -> Report:
    """Every text of every record is hostile."""
    items = [
        ReportItem("differences", verdict, "assistant", text, text, f"{text}2", text, "warning",
             (ItemDetail(text, text, f"{text} and more", text, text),
              ItemDetail("instructions", text, text * 3),
              ItemDetail("tools", {text: [text]}, None)), text, text)
        for text in HOSTILE
        for verdict in ("changed", "removed")
    ]  # fmt: skip
    nodes = tuple(
        DiagramNode(kind, text, text, ("orphan", text))
        for text in HOSTILE
        for kind in ("assistant", "vector_store", "file", "thread")
    )
    picture = Diagram(nodes, tuple((n, n + 1) for n in range(len(nodes) - 1)), {"file": 3})
    everything = "\n".join(HOSTILE)
    return Report(
        "diff", everything, everything, everything, False, everything, (("compared", 4),),
        ObjectCounts(("compared", "changed"), (("assistant", (4, 2)),)), sort_items(items),
        HOSTILE, HOSTILE, tuple(IgnoreCount(text, text, text, 2) for text in HOSTILE), HOSTILE, HOSTILE,
        ((everything, picture),) if pictured else (), MADE_AT, VERSION,
    )  # fmt: skip


def with_names(report: Report, name: str) -> Report:
    """The report with every object named `name`."""
    return replace(report, items=tuple(replace(item, name=name) for item in report.items))
