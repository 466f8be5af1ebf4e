"""Measures picture: the numbers of one case as a picture, for viewers that show pictures alone."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from textwrap import wrap

from PIL import Image, ImageDraw

from cardioseg.image.flag import Flag
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.reference_values import STUDY, ReferenceValue
from cardioseg.measure.wall_measures import WallMeasures
from cardioseg.report.bullseye import Bullseye, bullseyes
from cardioseg.report.case_names import drawn_name
from cardioseg.report.drawing import text_font
from cardioseg.report.measure_columns import (
    in_words,
    known_columns,
    pairs,
    reference_text,
    sides,
    spread_text,
    value_text,
)
from cardioseg.report.palette import FAINT, FLAGGED, INK, PAPER
from cardioseg.report.plain_letters import ascii_text

_WIDTH, _EDGE, _TOP, _LINE, _NOTE_LINE = 1230, 32, 76, 25, 20
_TITLE_PX, _TEXT_PX, _SMALL_PX = 22, 16, 12
_LIMITS_PX, _LIMITS_STEP = 66, 108  # from a unit to the limits of healthy people for one ventricle, to the next
_SIDES = {"": "", "low": "low: ", "high": "high: "}
_VALUE_X, _VALUE_STEP, _UNIT_GAP = 320, 110, 16  # right edge of the first column of values, to the next, to the unit
_RIGHT = 770  # left edge of the bullseyes
_SCALE, _BULLSEYE_PX = 1.25, 300
_FLAG_LETTERS = 62  # in a line
_NOTE = "cardioseg, research use only, not a medical device."
_LIMITS = f"Limits: 95 % of healthy people of the same sex, {STUDY.ages} years ({STUDY.citation})."

References = Mapping[str, ReferenceValue]


@dataclass(frozen=True)
class Line:
    """One line of the table.

    Attributes:
        title: of the measure.
        values: one for each ventricle, or one of the body or the scan.
        unit: their unit.
        limits: of healthy people, for each value; empty where there are none. It says so if the value lies outside.
    """

    title: str
    values: tuple[str, ...]
    unit: str
    limits: tuple[str, ...] = ()


def draw_measures(
    measures: Measures,
    wall: WallMeasures,
    flags: Sequence[Flag],
    title: str,
    *,
    statement: str,
    references: References,
) -> Image.Image:
    """Draw the known measures, the bullseyes of the wall and the flags, RGB.

    Args:
        measures: of the case.
        wall: its measures of the LV's wall.
        flags: why a person must look at the case.
        title: the case's name.
        statement: who answers for the numbers, as `Author.statement` has it.
        references: what healthy people have, by key of the quantity; empty unless a user asks for it.
    """
    lines, shown = list(_lines(measures, references)), bullseyes(wall.segments)
    warnings = [text for flag in flags for text in wrap(ascii_text(_flag_text(flag)), _FLAG_LETTERS)]
    right_px = len(shown) * _BULLSEYE_PX + (len(warnings) + 2) * _LINE
    notes = (f"{_NOTE} {statement}", _LIMITS) if references else (f"{_NOTE} {statement}",)
    height = _TOP + max((len(lines) + 1) * _LINE, right_px) + _EDGE + len(notes) * _NOTE_LINE
    picture = Image.new("RGB", (_WIDTH, height), PAPER)
    draw = ImageDraw.Draw(picture)
    _draw_title(draw, title)
    _draw_table(draw, lines, sides(known_columns([measures])))
    for number, bullseye in enumerate(shown):
        _draw_bullseye(draw, bullseye, _TOP + number * _BULLSEYE_PX)
    _draw_flags(draw, warnings, _TOP + len(shown) * _BULLSEYE_PX)
    for y, note in zip(count(height - (len(notes) - 0.5) * _NOTE_LINE, _NOTE_LINE), notes, strict=False):
        draw.text((_EDGE, y), note, FAINT, text_font(_SMALL_PX), "lm")
    return picture


def with_statement(sheet: Image.Image, statement: str) -> Image.Image:
    """A contact sheet, RGB, with a line below it that says where it comes from.

    Args:
        sheet: the pictures of the case.
        statement: who answers for the outlines, as `Author.statement` has it.
    """
    picture = Image.new("RGB", (sheet.width, sheet.height + _EDGE), PAPER)
    picture.paste(sheet, (0, 0))
    middle = sheet.height + _EDGE / 2
    ImageDraw.Draw(picture).text((_EDGE, middle), f"{_NOTE} {statement}", FAINT, text_font(_SMALL_PX), "lm")
    return picture


def _draw_title(draw: ImageDraw.ImageDraw, title: str) -> None:
    """The title, shortened to the width; the end stays, because names of one cohort differ there."""
    text, font = drawn_name(title, _TITLE_PX)
    half = len(text) // 2
    start, end = text[:half], text[half:]
    while start and font.getlength(f"{start}...{end}") > _WIDTH - 3 * _EDGE:
        start, end = start[:-1], end[1:]
    whole = start + end == text
    draw.text((_EDGE, _EDGE), text if whole else f"{start}...{end}", INK, font, "lm")


def _lines(measures: Measures, references: References) -> Iterator[Line]:
    columns = known_columns([measures])
    for pair in pairs(columns):
        values = (
            f"{value_text(column, measures)} {spread_text(column, measures)}".rstrip() if column else ""
            for column in pair.columns
        )
        compared = (
            reference_text(measures[column.key], references.get(column.key)) if column else ("", "")
            for column in pair.columns
        )
        yield Line(pair.title, tuple(values), pair.unit, tuple(f"{_SIDES[side]}{text}" for text, side in compared))
    for column in columns:
        if not column.side:
            yield Line(column.title, (value_text(column, measures),), column.unit)


def _draw_table(draw: ImageDraw.ImageDraw, lines: Sequence[Line], heads: Sequence[str]) -> None:
    font = text_font(_TEXT_PX)
    has_limits = any(any(line.limits) for line in lines)
    rows = (Line("", tuple(heads), "", tuple(f"{head} limits" for head in heads) if has_limits else ()), *lines)
    unit_x = _VALUE_X + _VALUE_STEP * (len(heads) - 1) + _UNIT_GAP
    for y, line in zip(count(_TOP, _LINE), rows, strict=False):
        draw.text((_EDGE, y), ascii_text(line.title), FAINT, font, "lm")
        for x, value in zip(count(_VALUE_X, _VALUE_STEP), line.values, strict=False):
            draw.text((x, y), ascii_text(value), INK, font, "rm")
        draw.text((unit_x, y), ascii_text(line.unit), FAINT, font, "lm")
        for x, text in zip(count(unit_x + _LIMITS_PX, _LIMITS_STEP), line.limits, strict=False):
            colour = FLAGGED if text.startswith((_SIDES["low"], _SIDES["high"])) else FAINT
            draw.text((x, y), text, colour, text_font(_SMALL_PX), "lm")


def _draw_bullseye(draw: ImageDraw.ImageDraw, bullseye: Bullseye, top: float) -> None:
    font = text_font(_TEXT_PX)
    left, upper = _RIGHT + 90, top + 24

    def placed(x: float, y: float) -> tuple[float, float]:
        return left + _SCALE * x, upper + _SCALE * y

    draw.text((_RIGHT, top), bullseye.title, INK, font, "lm")
    for cell in bullseye.cells:
        draw.polygon([placed(*point) for point in cell.polygon], cell.fill, PAPER, 2)
        draw.text(placed(cell.x, cell.y), ascii_text(cell.text), PAPER if not cell.is_dark else INK, font, "mm")
    for x, y, anchor, name in ((0, 100, "rm", "septal "), (200, 100, "lm", " lateral")):
        draw.text(placed(x, y), name, FAINT, font, anchor)


def _draw_flags(draw: ImageDraw.ImageDraw, warnings: Sequence[str], top: float) -> None:
    font = text_font(_TEXT_PX)
    draw.text((_RIGHT, top), "Check" if warnings else "No flags", FLAGGED if warnings else FAINT, font, "lm")
    for number, text in enumerate(warnings, start=1):
        draw.text((_RIGHT, top + number * _LINE), text, INK, font, "lm")


def _flag_text(flag: Flag) -> str:
    place = f", {flag.place}" if flag.place else ""
    return f"{flag.kind}{place}: {in_words(flag.reason)}"
