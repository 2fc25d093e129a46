"""Write the files of tests/golden/ again: `python -m tests.reports.golden`. Look at what changed before
committing it."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from migrate.cli.report_options import ENDINGS, FORMATS, rendered
from tests.reports.sample_reports import documents, reports

GOLDEN = Path(__file__).parents[1] / "golden"
PAGE = Path(__file__).parents[2] / "migrate/reports/formats/page"
# Files that every page contains completely; the golden files have only their names.
ASSETS = ("base.css", "report.css", "report.js")


def golden() -> dict[str, str]:
    """File name -> expected content: each format of a small report of each command."""
    endings = {format_: ending for ending, format_ in reversed(ENDINGS.items())}
    given = documents()
    return {
        f"{command}{endings[format_]}": f"{_short(rendered(format_, given[command], report))}\n"
        for command, report in reports().items()
        for format_ in FORMATS
    }


def _short(text: str) -> str:
    for name in ASSETS:
        text = text.replace(PAGE.joinpath(name).read_text(encoding="utf-8").strip(), f"({name})")
    return re.sub(r"'sha256-[^']+'", "'sha256-(of it)'", text)


def write(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in golden().items():
        folder.joinpath(name).write_text(text, encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else GOLDEN)
