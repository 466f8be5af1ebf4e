"""Run report: one HTML page about a run, to read, print and send; it loads nothing from the network.

from cardioseg.wording import UNKNOWN, counted
The page contains its pictures. With too many of them, it shows the picture files next to it as they come into view.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cardioseg.measure.quantity import Quantity
from cardioseg.measure.reference_values import STUDY
from cardioseg.measure.segments import NAMES
from cardioseg.report.case_report import CaseReport
from cardioseg.report.measure_columns import (
    COLUMNS,
    pairs,
    reference_text,
    sides,
    spread_text,
    value_text,
)
from cardioseg.report.page_frame import write_page
from cardioseg.wording import UNKNOWN, counted

_EMBED_LIMIT_BYTES = 64_000_000  # above that browsers are slow, and the page loads each picture when it comes into view
_SECTIONS, _ROWS = 1000, 5000  # limits for cohorts; the most urgent cases come first
_LINKED = "data: 'self' file:"


@dataclass(frozen=True)
class Picture:
    """A picture of the page, embedded or in a file next to it.

    Attributes:
        path: the path of its file.
        place: the path of its file, relative to the page if it is below the page's folder.
        is_embedded: whether the page contains it.
        width: width in pixels.
        height: height in pixels.
    """

    path: Path
    place: str
    is_embedded: bool
    width: int
    height: int

    @property
    def source(self) -> str:
        """The picture's URL for the page; the file is read only when the page is written, to save memory."""
        if not self.is_embedded:
            return self.place
        return f"data:image/{self.path.suffix[1:]};base64,{b64encode(self.path.read_bytes()).decode()}"


def write_report(path: Path, run: Mapping[str, Any], cases: Iterable[CaseReport]) -> None:
    """Write the report of a run; the cases that a human must look at come first.

    Args:
        path: the HTML file.
        run: the content of `run.json`. `model` (a name, or a mapping with a `name`) and `version` are in the header,
            everything is listed at the end.
        cases: the cases of the run. They are iterated twice and not all kept in memory.

    Raises:
        ResourceError: the file system refuses the write.
    """
    urgencies, counts, columns = _overview(cases)
    shown = sorted(range(len(urgencies)), key=lambda index: -urgencies[index])[:_ROWS]
    ranks = {index: rank for rank, index in enumerate(shown)}
    kept = {
        index: case if ranks[index] < _SECTIONS else case.without_curves
        for index, case in enumerate(cases)
        if index in ranks
    }
    rows = [kept[index] for index in shown]
    with_section = rows[:_SECTIONS]
    is_embedded = sum(_size_bytes(picture) for case in rows for picture in case.pictures) <= _EMBED_LIMIT_BYTES
    values = {
        "model": _model_name(run),
        "version": run.get("version", ""),
        "counts": counts,
        "cases": [(case, _pictures(path, case, is_embedded)) for case in with_section],
        "without_section": [(case, _pictures(path, case, is_embedded=False)) for case in rows[_SECTIONS:]],
        "left_out": len(urgencies) - len(rows),
        "columns": columns,
        "details": list(flatten(run)),
        "pairs": pairs,
        "sides": sides,
        "value_text": value_text,
        "spread_text": spread_text,
        "segment_names": NAMES,
        "reference_text": reference_text,
        "study": STUDY,
    }
    if not is_embedded:
        values["images"] = _LINKED
    write_page(path, "report/report.html.j2", values)


def flatten(run: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a nested mapping as (name, text), without those that are None."""
    for key, value in run.items():
        name = f"{above} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            yield from flatten(value, name)
        elif isinstance(value, list | tuple):
            yield name, ", ".join(map(_text, value)) or UNKNOWN
        elif value is not None:
            yield name, _text(value)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return UNKNOWN
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def _model_name(run: Mapping[str, Any]) -> str:
    model = run.get("model") or ""
    return str(model.get("name", "")) if isinstance(model, Mapping) else str(model)


def _overview(cases: Iterable[CaseReport]) -> tuple[list[int], str, tuple[Quantity, ...]]:
    """The urgency of each case; `12 cases, 3 flagged, 1 failed`; the columns for which a case has a value."""
    urgencies, numbers = [], {"flagged": 0, "failed": 0}
    columns: dict[str, Quantity] = {}
    for case in cases:
        urgencies.append(case.urgency)
        numbers["flagged"] += case.is_done and bool(case.flags)
        numbers["failed"] += not case.is_done
        columns |= {column.key: column for column in case.columns}
    of_all = counted(len(urgencies), "case")
    counts = ", ".join([of_all, *(f"{number} {name}" for name, number in numbers.items() if number)])
    return urgencies, counts, tuple(column for column in COLUMNS if column.key in columns)


def _size_bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _pictures(report: Path, case: CaseReport, is_embedded: bool) -> list[Picture]:
    pictures = []
    for path in case.pictures:
        with suppress(OSError):  # the file is missing or no longer a picture
            pictures.append(_picture(report, path, is_embedded))
    return pictures


def _picture(report: Path, path: Path, is_embedded: bool) -> Picture:
    from PIL import Image  # noqa: PLC0415 - only where there are pictures

    with Image.open(path) as picture:
        width, height = picture.size
    inside = path.is_relative_to(report.parent)
    place = (path.relative_to(report.parent) if inside else path).as_posix()
    return Picture(path, place, is_embedded, width, height)
