"""Run report: one HTML page about a run, to read, print and send; it loads nothing from the network.

The page contains its pictures. With too many of them, it shows the picture files next to it as they come into view.
"""

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.quantity import Quantity
from cardioseg.measure.segments import NAMES
from cardioseg.measure.wall_measures import WallMeasures
from cardioseg.report.bullseye import Bullseye, bullseyes
from cardioseg.report.charts import Chart, strain_chart, volume_chart
from cardioseg.report.measure_columns import (
    COLUMNS,
    UNKNOWN,
    known_columns,
    pairs,
    sides,
    spread_text,
    value_text,
)
from cardioseg.report.page_frame import write_page

_DONE = "done"
_EMBED_LIMIT_BYTES = 64_000_000  # above that browsers are slow, and the page loads each picture when it comes into view
_SECTIONS, _ROWS = 1000, 5000  # limits for cohorts; the most urgent cases come first
_LINKED = "data: 'self' file:"


@dataclass(frozen=True)
class CaseReport:
    """The content of the report about one case.

    Attributes:
        case_id: the case.
        status: `done`, or another status of `status.csv`.
        reason: why it is not done, or a remark.
        measures: the measures, or None.
        curves_ml: volume at each phase for each structure that the model segments.
        times_ms: time of each phase, or empty if unknown.
        pictures: overlay and loop; missing files are left out.
        flags: the reasons why a human must look at the case.
        wall: the LV's wall by segments.
    """

    case_id: str
    status: str
    reason: str = ""
    measures: Measures | None = None
    curves_ml: Mapping[Label, Sequence[float]] = field(default_factory=dict)
    times_ms: Sequence[float] = ()
    pictures: Sequence[Path] = ()
    flags: Sequence[Flag] = ()
    wall: WallMeasures = WallMeasures()  # noqa: RUF009 - frozen

    @property
    def is_done(self) -> bool:
        """Whether the case has a result."""
        return self.status == _DONE

    @property
    def verdict(self) -> str:
        """The main finding: `failed`, `2 flags` or `no flags`."""
        if not self.is_done:
            return self.status
        return f"{len(self.flags) or 'no'} flag{'' if len(self.flags) == 1 else 's'}"

    @property
    def urgency(self) -> int:
        """The order in which a human must look, highest first: cases without a result, then those with most flags."""
        return len(self.flags) if self.is_done else 1000

    @property
    def kinds(self) -> str:
        """The kinds of the flags, each once."""
        return ", ".join(dict.fromkeys(flag.kind for flag in self.flags))

    @property
    def columns(self) -> tuple[Quantity, ...]:
        """The measures that are known."""
        return known_columns([self.measures])

    @property
    def has_errors(self) -> bool:
        """Whether at least one measure has a standard deviation."""
        return any(spread_text(column, self.measures) for column in self.columns)

    @property
    def bullseyes(self) -> tuple[Bullseye, ...]:
        """Thickness and thickening of the wall by segments, as far as they are known."""
        return bullseyes(self.wall.segments)

    @property
    def without_segments(self) -> str:
        """Why no segment has a thickness; empty if one has, or if nothing was measured."""
        reasons = {segment.reason for segment in self.wall.segments.values() if segment.ed_mm is None}
        return "" if self.bullseyes or not reasons else min(reasons)

    @property
    def charts(self) -> list[Chart]:
        """The curves of the volumes and of the strain, as far as there are any."""
        measures = self.measures or Measures()
        moments = {label: measures.moments(label) for label in (Label.LV_CAVITY, Label.RV_CAVITY)}
        present = {label: (phases.ed_phase, phases.es_phase) for label, phases in moments.items() if phases.known}
        volumes = volume_chart(self.curves_ml, self.times_ms, moments=present)
        of_lv = present.get(Label.LV_CAVITY, ())
        strain = strain_chart(self.wall.strain, self.times_ms, of_lv) if self.wall.strain else None
        return [chart for chart in (volumes, strain) if chart]


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
    indices = set(shown)
    kept = {index: case for index, case in enumerate(cases) if index in indices}
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
    of_all = f"{len(urgencies)} case{'' if len(urgencies) == 1 else 's'}"
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
