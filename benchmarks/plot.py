"""Draw an SVG with one panel for each series of numbers. It needs no library."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

WIDTH, HEIGHT, LEFT, TOP, BELOW = 420, 240, 60, 34, 44


def svg_panels(across: Sequence[float], name: str, series: Sequence[tuple[str, Sequence[float]]]) -> str:
    """Panels side by side. Each axis starts at zero, so that a constant value looks constant."""
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
    max_x, max_y = max([*across, 1e-9]), 1.15 * max([*values, 1e-9])
    width, height = WIDTH - LEFT - 20, HEIGHT - TOP - BELOW

    def point(x: float, y: float) -> tuple[float, float]:
        return LEFT + width * x / max_x, TOP + height * (1 - y / max_y)

    elements = []
    for part in range(5):
        _, y = point(0, max_y * part / 4)
        elements.append(f'<line x1="{LEFT}" x2="{LEFT + width}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        elements.append(_label(LEFT - 6, y + 4, f"{max_y * part / 4:,.0f}", "end"))
    points = [point(x, y) for x, y in zip(across, values, strict=True)]
    for (x, y), value in zip(points, across, strict=True):
        elements.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.5" fill="#1f5f8b"/>')
        elements.append(_label(x, TOP + height + 16, f"{value:,.0f}", "middle"))
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    elements.append(f'<polyline points="{line}" fill="none" stroke="#1f5f8b" stroke-width="2"/>')
    elements.append(_label(LEFT, TOP - 14, title, "start"))
    elements.append(_label(LEFT + width / 2, HEIGHT - 10, name, "middle"))
    return "".join(elements)


def _label(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="#222">{escape(text)}</text>'
