"""Draw the picture of the README, docs/segments.svg, from a report of `riskseg report`.

    riskseg demo
    riskseg -w riskseg-demo report --as-of 2026-06-30 --compare 2026-03-31 --out report.html
    python docs/picture.py report.html

Two charts of the report stand one below the other: what each segment owes, and how accounts moved.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

PLACE = Path(__file__).parent / "segments.svg"
CHARTS = ("overdue-by-segment", "flows")
WIDTH, MARGIN, HEADING = 820, 24, 44


def chart(report: str, name: str) -> tuple[str, float]:
    """What is drawn in a chart of a report, and how high it is."""
    found = re.search(
        rf'<svg viewBox="0 0 {WIDTH} ([0-9.]+)"[^>]*aria-labelledby="{name}-t[^>]*>(.*?)</svg>',
        report,
        re.DOTALL,
    )
    if found is None:
        raise SystemExit(f"The report has no chart {name}.")
    # Titles of single shapes are shown by pointing at them, which a picture cannot be.
    drawn = re.sub(r"<(title|desc)\b.*?</\1>", "", found[2], flags=re.DOTALL)
    return drawn, float(found[1])


def heading(text: str) -> str:
    return f'<text x="0" y="24" font-size="17" font-weight="bold" fill="#1F2933">{text}</text>'


def picture(report: str) -> str:
    titles = ("What each segment owes", "How accounts moved between segments in three months")
    parts, top = [], MARGIN
    for name, title in zip(CHARTS, titles, strict=True):
        drawn, high = chart(report, name)
        parts.append(f'<g transform="translate({MARGIN} {top})">{heading(title)}')
        parts.append(f'<g transform="translate(0 {HEADING})">{drawn}</g></g>')
        top += HEADING + round(high) + MARGIN
    wide = WIDTH + 2 * MARGIN
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {wide} {top}" role="img" '
        'font-family="system-ui, Segoe UI, Helvetica, Arial, sans-serif">'
        f"<title>{' and '.join(titles)}</title>"
        f'<rect width="{wide}" height="{top}" fill="#fff"/>'
        f"{''.join(parts)}</svg>\n"
    )


if __name__ == "__main__":
    PLACE.write_text(picture(Path(sys.argv[1]).read_text(encoding="utf-8")), encoding="utf-8")
