"""HTML: one self-contained page about a run, to read, to print and to send; it loads nothing and runs nothing."""

from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardioseg.files import write_text
from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.measure.ventricles import VentricleMeasures
from cardioseg.report.charts import Chart, volume_chart
from cardioseg.report.palette import COLOURS
from cardioseg.report.tables import UNKNOWN, Column, known_columns, sides

if TYPE_CHECKING:
    from jinja2 import Template

RESEARCH_USE = "For research use only. Not a medical device, not for diagnosis or treatment."
_EMBED_LIMIT_BYTES = 64_000_000  # browsers grow slow beyond that; later overlays are linked


@dataclass(frozen=True)
class CaseReport:
    """What the report says about one case.

    Attributes:
        case_id: the case.
        status: `done`, or what else became of it.
        reason: why, where it is not done; or a remark.
        measures: the measures, or None where there are none.
        curves_ml: volume at each phase for each structure that the model segments.
        times_ms: time of each phase, or empty where unknown.
        overlay: a PNG, or None where there is none.
        flags: why a human must look at the case.
    """

    case_id: str
    status: str
    reason: str = ""
    measures: VentricleMeasures | None = None
    curves_ml: Mapping[Label, Sequence[float]] = field(default_factory=dict)
    times_ms: Sequence[float] = ()
    overlay: Path | None = None
    flags: Sequence[Flag] = ()

    @property
    def columns(self) -> tuple[Column, ...]:
        """The measures that are known."""
        return known_columns([self.measures])

    @property
    def chart(self) -> Chart | None:
        """The volume-time curve, where there is one."""
        timing = self.measures or VentricleMeasures()
        return volume_chart(self.curves_ml, self.times_ms, ed_phase=timing.ed_phase, es_phase=timing.es_phase)


@dataclass(frozen=True)
class Picture:
    """An overlay in the page: embedded, or linked where the page would grow too large."""

    source: str
    embedded: bool


def write_report(path: Path, run: Mapping[str, Any], cases: Sequence[CaseReport]) -> None:
    """Write the report of a run.

    Args:
        path: the HTML file.
        run: what `run.json` holds. `model` (a name, or a mapping with a `name`) and `version` stand in the header,
            everything is listed at the end.
        cases: in the order to show them.

    Raises:
        ResourceError: the file system refuses the write.
    """
    columns = known_columns(case.measures for case in cases)
    page = _template().render(
        research_use=RESEARCH_USE,
        model=_model_name(run),
        version=run.get("version", ""),
        counts=Counter(case.status for case in cases),
        cases=list(zip(cases, _pictures(path, cases), strict=True)),
        columns=columns,
        sides=sides(columns),
        colours={label.key: colour for label, colour in COLOURS.items()},
        details=list(flatten(run)),
    )
    write_text(path, page)


def flatten(run: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    """The leaves of a nested mapping as (name, text); what is None or empty is left out."""
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


def _pictures(report: Path, cases: Sequence[CaseReport]) -> Iterator[Picture | None]:
    total_bytes = 0
    for case in cases:
        if case.overlay is None or not case.overlay.is_file():
            yield None
            continue
        total_bytes += case.overlay.stat().st_size
        if total_bytes <= _EMBED_LIMIT_BYTES:
            yield Picture("data:image/png;base64," + b64encode(case.overlay.read_bytes()).decode(), embedded=True)
        else:
            yield Picture(_link(report, case.overlay), embedded=False)


def _link(report: Path, overlay: Path) -> str:
    inside = overlay.is_relative_to(report.parent)
    return (overlay.relative_to(report.parent) if inside else overlay).as_posix()


def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined  # noqa: PLC0415 - slow to import

    environment = Environment(
        loader=PackageLoader("cardioseg", "report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=lambda value: UNKNOWN if value is None else value,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")
