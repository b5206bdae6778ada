"""The picture for the README: what a load takes beside what a user would do instead."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

_WIDTH: Final = 760
_LABELS: Final = 300
_BAR: Final = 22
_GAP: Final = 8
_OURS: Final = "#0f766e"
_OTHERS: Final = "#94a3b8"
_STYLE: Final = (
    "text{font:13px system-ui,sans-serif;fill:#1e293b}.head{font-weight:600;font-size:15px}"
    "@media(prefers-color-scheme:dark){text{fill:#e2e8f0}}"
)


def draw(figures: Mapping[str, float]) -> str:
    """Return an SVG with groups of bars.

    :param figures: Values by ``group, unit|name``, in their order; names of ours begin with ``this provider``. The bars
        of a group are shares of its largest.
    """
    groups: dict[str, dict[str, float]] = {}
    for key, value in figures.items():
        group, _, name = key.partition("|")
        groups.setdefault(group, {})[name] = value
    y = 10
    parts = []
    for group, bars in groups.items():
        title, _, unit = group.rpartition(", ")
        y += 22
        parts.append(f'<text class="head" x="10" y="{y}">{html.escape(title)}</text>')
        y += 12
        largest = max(bars.values())
        for name, value in bars.items():
            width = max(2, round((_WIDTH - _LABELS - 110) * value / largest))
            color = _OURS if name.startswith("this provider") else _OTHERS
            shown = f"{value:,.0f}" if value >= 100 else f"{value:.2g}"  # noqa: PLR2004
            parts += [
                f'<text x="{_LABELS - 10}" y="{y + 16}" text-anchor="end">{html.escape(name)}</text>',
                f'<rect x="{_LABELS}" y="{y}" width="{width}" height="{_BAR}" rx="3" fill="{color}"/>',
                f'<text x="{_LABELS + width + 8}" y="{y + 16}">{shown} {html.escape(unit)}</text>',
            ]
            y += _BAR + _GAP
        y += 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {y}" width="{_WIDTH}" height="{y}" role="img">'
        f"<style>{_STYLE}</style>{''.join(parts)}</svg>\n"
    )
