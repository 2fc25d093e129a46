"""Scripts that measure a page from inside: contrast of every text, what has focus, what scrolls."""

from __future__ import annotations

from pathlib import Path

CONTRAST, OVERFLOW, FOCUSED = (
    Path(__file__).with_name(f"{name}.js").read_text(encoding="utf-8")
    for name in ("contrast", "overflow", "focused")
)
BACKGROUND = "() => getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
