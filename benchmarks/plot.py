"""Numbers in, an SVG with one panel for each series out. No library: two lines and their axes."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, TOP, BELOW = 420, 240, 60, 34, 44


def drawn(across: Sequence[float], name: str, series: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Panels side by side, each from zero, so that flat looks flat."""
    panels = "".join(
        f'<g transform="translate({n * WIDTH} 0)">{_panel(across, name, title, values)}</g>'
        for n, (title, values) in enumerate(series)
    )
    whole = WIDTH * len(series)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {whole} {HEIGHT}" width="{whole}" '
        f'height="{HEIGHT}" font-family="sans-serif" font-size="12" role="img">'
        f'<rect width="{whole}" height="{HEIGHT}" fill="#fff"/>{panels}</svg>\n'
    )


def _panel(across: Sequence[float], name: str, title: str, values: Sequence[float]) -> str:
    most_x, most_y = max([*across, 1e-9]), 1.15 * max([*values, 1e-9])
    wide, high = WIDTH - LEFT - 20, HEIGHT - TOP - BELOW

    def place(x: float, y: float) -> tuple[float, float]:
        return LEFT + wide * x / most_x, TOP + high * (1 - y / most_y)

    marks = []
    for part in range(5):
        _, y = place(0, most_y * part / 4)
        marks.append(f'<line x1="{LEFT}" x2="{LEFT + wide}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        marks.append(_word(LEFT - 6, y + 4, f"{most_y * part / 4:,.0f}", "end"))
    dots = [place(x, y) for x, y in zip(across, values, strict=True)]
    for (x, y), value in zip(dots, across, strict=True):
        marks.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#1f5f8b"/>')
        marks.append(_word(x, TOP + high + 16, f"{value:,.0f}", "middle"))
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in dots)
    marks.append(f'<polyline points="{line}" fill="none" stroke="#1f5f8b" stroke-width="2"/>')
    marks.append(_word(LEFT, TOP - 14, title, "start"))
    marks.append(_word(LEFT + wide / 2, HEIGHT - 10, name, "middle"))
    return "".join(marks)


def _word(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222">{escape(text)}</text>'
