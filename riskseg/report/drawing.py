"""Charts as SVG text: scales, axes and marks, in the order they are drawn.

Text is 12.5 units high and half-width charts are 400 units wide, so that at a page 800 pixels
wide, where two stand side by side, text is still over 11 pixels.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from markupsafe import Markup, escape

# Okabe and Ito's colours: colour-blind readers can distinguish them, and they differ in lightness
# in grey print.
BLUE, ORANGE, GREEN, GREY, PALE = "#0072B2", "#D55E00", "#009E73", "#5F6B76", "#DCE6EE"
INK, RULE = "#1F2933", "#D9DFE5"
LETTER = 12.5  # height of text
GLYPH = 7.0  # a generous mean width of one letter

HALF, WHOLE, THIRD = 400, 820, 262  # widths of charts
# More bars than this are not read; the tables beneath the charts hold everything.
MOST_BARS = 24

Form = Literal["linear", "sqrt", "log"]
Format = Callable[[float], str]
Point = tuple[float, float]


# Beyond it, steps of a scale are no numbers any more.
HUGE = 1e300


@dataclass(frozen=True)
class Scale:
    """Values to places on the paper."""

    low: float
    high: float
    start: float
    end: float
    form: Form = "linear"

    def _bent(self, value: float) -> float:
        if self.form == "sqrt":
            return math.copysign(math.sqrt(abs(value)), value)
        if self.form == "log":
            return math.log(max(value, self.low))
        return value / 4  # a quarter: between two huge numbers, the difference is infinite

    def __call__(self, value: float) -> float:
        low, high = self._bent(self.low), self._bent(self.high)
        if high == low:
            return (self.start + self.end) / 2
        bent_share = (self._bent(min(max(value, self.low), self.high)) - low) / (high - low)
        return self.start + bent_share * (self.end - self.start)

    def ticks(self, gap: float) -> list[float]:
        """Round values at least `gap` units apart, the roundest first."""
        if self.form == "linear":
            return self._even(gap)
        ticks_chosen: list[float] = []
        ends = [0.0] if self.low <= 0 <= self.high else []
        magnitude = math.floor(math.log10(max(abs(self.high), abs(self.low), 1e-12)))
        powers = range(magnitude - 6, magnitude + 1)
        candidates = [
            sign * mantissa * 10.0**power
            for mantissa in (1, 5, 2, 3)
            for power in reversed(powers)
            for sign in ((1, -1) if self.low < 0 else (1,))
        ]
        for tick in [*ends, *candidates]:
            tick = round(tick, 12)
            is_inside = self.low - 1e-12 <= tick <= self.high + 1e-12
            if is_inside and all(
                abs(self(tick) - self(chosen_tick)) >= gap for chosen_tick in ticks_chosen
            ):
                ticks_chosen.append(tick)
        return sorted(ticks_chosen)

    def _even(self, gap: float) -> list[float]:
        span = self.high - self.low
        if span <= 0:
            return [self.low]
        if span > HUGE:
            return [self.low, self.high]
        most_ticks = max(1, int(abs(self.end - self.start) // gap))
        rough = span / most_ticks
        power_of_ten = 10.0 ** math.floor(math.log10(rough))
        tick_step = next(
            multiple * power_of_ten
            for multiple in (1, 2, 2.5, 5, 10)
            if multiple * power_of_ten >= rough * 0.999
        )
        first_tick = math.ceil(self.low / tick_step - 1e-9)
        last_tick = math.floor(self.high / tick_step + 1e-9)
        return [
            round(tick_number * tick_step, 12) for tick_number in range(first_tick, last_tick + 1)
        ]


def bent(values: Iterable[float]) -> Form:
    """The square root where most values crowd near zero."""
    rising_values = sorted(values)
    if not rising_values or rising_values[0] < 0:
        return "linear"
    return "sqrt" if rising_values[len(rising_values) // 2] < 0.2 * rising_values[-1] else "linear"


def rounded_up(value: float) -> float:
    """A round number at or above a share, to end an axis with."""
    for step in (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8):
        if value <= step:
            return step
    return max(1.0, value)


class Drawing:
    """One chart. Plot area: `left`..`right` by `top`..`bottom`, in the units of the viewBox."""

    def __init__(
        self,
        key: str,
        title: str,
        about: str,
        size: tuple[int, int],
        *,
        left: float = 54,
        right: float = 14,
        top: float = 14,
        bottom: float = 46,
    ) -> None:
        self.key, self.title, self.about = key, title, about
        self.width, self.height = size
        self.left, self.right = left, self.width - right
        self.top, self.bottom = top, self.height - bottom
        self._parts: list[str] = []

    def x(self, low: float, high: float, form: Form = "linear") -> Scale:
        return Scale(low, high, self.left, self.right, form)

    def y(self, low: float, high: float, form: Form = "linear") -> Scale:
        return Scale(low, high, self.bottom, self.top, form)

    def line(
        self, start: Point, end: Point, colour: str = GREY, wide: float = 1, dash: str = ""
    ) -> None:
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<line x1="{_n(start[0])}" y1="{_n(start[1])}" x2="{_n(end[0])}" y2="{_n(end[1])}" '
            f'stroke="{colour}" stroke-width="{_n(wide)}"{dashed}/>'
        )

    def path(
        self,
        points: Iterable[Point],
        colour: str,
        wide: float = 2,
        dash: str = "",
        *,
        filled: bool = False,
        faint: float = 0.12,
    ) -> None:
        """A line through points, or the area they enclose."""
        path_line = "L".join(f"{_n(x)} {_n(y)}" for x, y in points)
        if not path_line:
            return
        if filled:
            self._parts.append(
                f'<path d="M{path_line}Z" fill="{colour}" fill-opacity="{_n(faint, 2)}"/>'
            )
            return
        dashed = f' stroke-dasharray="{dash}"' if dash else ""
        self._parts.append(
            f'<path d="M{path_line}" fill="none" stroke="{colour}" stroke-width="{_n(wide)}" '
            f'stroke-linejoin="round"{dashed}/>'
        )

    def box(
        self,
        x: float,
        y: float,
        wide: float,
        high: float,
        colour: str,
        hover: str = "",
        faint: float = 1,
    ) -> None:
        clear = f' fill-opacity="{_n(faint, 2)}"' if faint < 1 else ""
        self._parts.append(
            f'<rect x="{_n(x)}" y="{_n(y)}" width="{_n(max(wide, 0))}" height="{_n(max(high, 0))}" '
            f'fill="{colour}"{clear}{_hover("rect", hover)}'
        )

    def dot(
        self, at: Point, colour: str, hover: str = "", *, shape: str = "circle", size: float = 4
    ) -> None:
        """A mark: circle, square, diamond, or `open` (a hollow diamond)."""
        x, y = at
        if shape == "circle":
            self._parts.append(
                f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(size)}" fill="{colour}" '
                f'stroke="#fff" stroke-width="1"{_hover("circle", hover)}'
            )
        elif shape == "square":
            self._parts.append(
                f'<rect x="{_n(x - size)}" y="{_n(y - size)}" width="{_n(2 * size)}" '
                f'height="{_n(2 * size)}" fill="{colour}" stroke="#fff" '
                f'stroke-width="1"{_hover("rect", hover)}'
            )
        else:
            h = size * 1.3
            look = (
                f'fill="#fff" stroke="{colour}" stroke-width="1.8"'
                if shape == "open"
                else f'fill="{colour}" stroke="#fff" stroke-width="1"'
            )
            self._parts.append(
                f'<path d="M{_n(x)} {_n(y - h)}L{_n(x + h)} {_n(y)}L{_n(x)} {_n(y + h)}'
                f'L{_n(x - h)} {_n(y)}Z" {look}{_hover("path", hover)}'
            )

    def whisker(
        self, at: Point, low: float, high: float, colour: str, *, upright: bool = True
    ) -> None:
        """An interval from place `low` to place `high` through a point."""
        x, y = at
        if upright:
            self.line((x, low), (x, high), colour, 1.6)
            for end in (low, high):
                self.line((x - 3.5, end), (x + 3.5, end), colour, 1.6)
        else:
            self.line((low, y), (high, y), colour, 1.6)
            for end in (low, high):
                self.line((end, y - 3.5), (end, y + 3.5), colour, 1.6)

    def text(
        self,
        at: Point,
        text: str,
        *,
        anchor: str = "start",
        colour: str = INK,
        size: float = LETTER,
        bold: bool = False,
        turned: bool = False,
        hover: str = "",
    ) -> None:
        x, y = at
        turn = f' transform="rotate(-90 {_n(x)} {_n(y)})"' if turned else ""
        weight = ' font-weight="600"' if bold else ""
        hover_title = f"<title>{escape(hover)}</title>" if hover else ""
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}" fill="{colour}" '
            f'font-size="{_n(size)}"{weight}{turn}>{hover_title}{escape(text)}</text>'
        )

    def note(self, at: Point, text: str, *, anchor: str = "start", colour: str = INK) -> None:
        """Text with a white halo, to be read over lines."""
        x, y = at
        self._parts.append(
            f'<text x="{_n(x)}" y="{_n(y)}" text-anchor="{anchor}" fill="{colour}" '
            f'font-size="{_n(LETTER)}" font-weight="600" stroke="#fff" stroke-width="4" '
            f'paint-order="stroke" stroke-linejoin="round">{escape(text)}</text>'
        )

    def across(
        self,
        scale: Scale,
        ticks: Sequence[float],
        shown: Format,
        label: str = "",
        *,
        grid: bool = True,
    ) -> None:
        """The axis below, with light rules upward."""
        for tick in ticks:
            tick_x = scale(tick)
            if grid:
                self.line((tick_x, self.top), (tick_x, self.bottom), RULE)
            anchor = "middle"
            wide = len(shown(tick)) * GLYPH / 2
            if tick_x + wide > self.width:
                anchor, tick_x = "end", float(self.width)
            self.text((tick_x, self.bottom + 17), shown(tick), anchor=anchor, colour=GREY)
        self.line((scale.start, self.bottom), (scale.end, self.bottom), GREY)
        if label:
            middle = (scale.start + scale.end) / 2
            self.text((middle, self.bottom + 37), label, anchor="middle")

    def upright(
        self,
        scale: Scale,
        ticks: Sequence[float],
        shown: Format,
        label: str = "",
        *,
        grid: bool = True,
    ) -> None:
        """The axis on the left, with light rules across."""
        for tick in ticks:
            tick_y = scale(tick)
            if grid:
                self.line((self.left, tick_y), (self.right, tick_y), RULE)
            self.text((self.left - 6, tick_y + 4.3), shown(tick), anchor="end", colour=GREY)
        if label:
            self.text((13, (self.top + self.bottom) / 2), label, anchor="middle", turned=True)

    def legend(self, marks: Sequence[tuple[str, str, str]], at: Point | None = None) -> None:
        """(words, colour, look) one after the other; a look is a shape, `line`, `dash` or `box`."""
        x, y = at or (self.left, 12)
        for legend_text, colour, look in marks:
            if look in ("line", "dash"):
                self.line((x, y - 4), (x + 18, y - 4), colour, 2, "5 3" if look == "dash" else "")
                x += 23
            elif look == "box":
                self.box(x, y - 10, 12, 11, colour)
                x += 17
            elif look == "tick":
                self.line((x + 5, y - 10), (x + 5, y + 1), colour, 2)
                x += 13
            else:
                self.dot((x + 6, y - 4.5), colour, shape=look)
                x += 17
            self.text((x, y), legend_text)
            x += len(legend_text) * GLYPH + 16

    def done(self) -> Markup:
        """The chart as an `svg` element."""
        escaped_key = escape(self.key)
        return Markup(  # noqa: S704 (what is text in it is escaped where it is drawn)
            f'<svg viewBox="0 0 {self.width} {self.height}" role="img" '
            f'aria-labelledby="{escaped_key}-t {escaped_key}-d">'
            f'<title id="{escaped_key}-t">{escape(self.title)}</title>'
            f'<desc id="{escaped_key}-d">{escape(self.about)}</desc>'
            f"{''.join(self._parts)}</svg>"
        )


def _n(number: float, digits: int = 1) -> str:
    """A coordinate: a tenth of a unit is finer than the eye."""
    text = f"{number + 0.0:.{digits}f}"
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text == "-0" else text


def _hover(tag: str, hover: str) -> str:
    return f"><title>{escape(hover)}</title></{tag}>" if hover else "/>"
