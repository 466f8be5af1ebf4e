"""Case report: what the report of a run shows of one case."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.quantity import Quantity
from cardioseg.measure.reference_values import ReferenceValue
from cardioseg.measure.wall_measures import WallMeasures
from cardioseg.report.bullseye import Bullseye, bullseyes
from cardioseg.report.charts import Chart, Times, volume_chart
from cardioseg.report.measure_columns import known_columns, spread_text
from cardioseg.report.wall_charts import strain_chart, thickness_charts
from cardioseg.wording import counted

_DONE = "done"
_SEXES = {"F": "female", "M": "male"}


@dataclass(frozen=True)
class CaseReport:
    """The content of the report about one case.

    Attributes:
        case_id: the case.
        status: `done`, or another status of `status.csv`.
        reason: why it is not done, or a remark.
        measures: the measures, or None.
        curves_ml: volume at each phase for each structure that the model segments.
        times: of the phases.
        pictures: overlay and loop; missing files are left out.
        flags: the reasons why a human must look at the case.
        wall: the LV's wall by segments.
        references: what healthy people have, by key of the quantity; empty unless a user asks for it.
        acquisition: what is known of the scan and its patient.
        decision: what a person decided in `review`; empty if nobody did.
    """

    case_id: str
    status: str
    reason: str = ""
    measures: Measures | None = None
    curves_ml: Mapping[Label, Sequence[float]] = field(default_factory=dict)
    times: Times = Times()  # noqa: RUF009 - frozen
    pictures: Sequence[Path] = ()
    flags: Sequence[Flag] = ()
    wall: WallMeasures = WallMeasures()  # noqa: RUF009 - frozen
    references: Mapping[str, ReferenceValue] = field(default_factory=dict)
    acquisition: Acquisition = Acquisition()  # noqa: RUF009 - frozen
    decision: str = ""

    @property
    def is_done(self) -> bool:
        """Whether the case has a result."""
        return self.status == _DONE

    @property
    def verdict(self) -> str:
        """The main finding: `failed`, `2 flags` or `no flags`."""
        if not self.is_done:
            return self.status
        return counted(len(self.flags), "flag") if self.flags else "no flags"

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
    def person(self) -> tuple[tuple[str, str], ...]:
        """What is known of the patient, as title and text: so that a mistyped row of a table is seen."""
        known = self.acquisition
        texts = {
            "Sex": known.sex and _SEXES[known.sex],
            "Age": known.age_years and f"{known.age_years:.0f} years",
            "Height": known.height_m and f"{100 * known.height_m:.0f} cm",
            "Weight": known.weight_kg and f"{known.weight_kg:.0f} kg",
        }
        return tuple((title, text) for title, text in texts.items() if text)

    @property
    def is_thickest_flagged(self) -> bool:
        """Whether a flag names the slice in which the wall is thickest."""
        thickest = self.wall.thickest
        return thickest is not None and any(
            thickest.slice in {flag.slice, *(index for _, index in flag.places)} for flag in self.flags
        )

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
    def thickness_charts(self) -> list[Chart]:
        """The thickness of the wall by segments, as far as there are any curves of it."""
        moments = (self.measures or Measures()).moments(Label.LV_CAVITY)
        return thickness_charts(self.wall.segments, self.times, (moments.ed_phase, moments.es_phase))

    @property
    def without_curves(self) -> "CaseReport":
        """The same without the segments' curves: thousands of cases fit into memory."""
        return replace(self, wall=self.wall.without_curves)

    @property
    def charts(self) -> list[Chart]:
        """The curves of the volumes and of the strain, as far as there are any."""
        measures = self.measures or Measures()
        moments = {label: measures.moments(label) for label in (Label.LV_CAVITY, Label.RV_CAVITY)}
        present = {label: (phases.ed_phase, phases.es_phase) for label, phases in moments.items() if phases.known}
        volumes = volume_chart(self.curves_ml, self.times, moments=present)
        of_lv = present.get(Label.LV_CAVITY, ())
        strain = strain_chart(self.wall.strain, self.times, of_lv) if self.wall.strain else None
        return [chart for chart in (volumes, strain) if chart]
