"""Undrawn: structures and moments that the references do not give, so that a number cannot be computed or is doubtful.

Readers often draw a structure at one phase only. An empty mask would then be a volume of 0 mL and an ejection fraction
of 100 %, but no ventricle is empty: the structure was not drawn.
"""

from collections.abc import Iterable, Iterator

from cardioseg.evaluation.estimate_text import number
from cardioseg.evaluation.measures import MeasurePair
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.evaluation.summary import PHASES
from cardioseg.ingest.labels.subject import counts_as_drawn
from cardioseg.report.measure_columns import measure_title
from cardioseg.skipped import Skipped

_FRACTION = "_ef_percent"


def is_drawn(score: VolumeScore) -> bool:
    """Whether the reference draws the label, see `counts_as_drawn`."""
    return counts_as_drawn(score.overlap.reference, len(score.slices))


def not_drawn(scores: Iterable[VolumeScore]) -> Iterator[Skipped]:
    """A line for each volume that lacks structures, with what the prediction has of them there."""
    by_volume: dict[tuple[str, str], list[VolumeScore]] = {}
    for score in scores:
        by_volume.setdefault((score.case_id, score.volume), []).append(score)
    for (case, volume), lacking in by_volume.items():
        labels = " and no ".join(score.label.title for score in lacking)
        amounts = [f"{number(score.predicted_ml)} mL of {score.label.title}" for score in lacking if score.predicted_ml]
        predicted = f" (the prediction has {' and '.join(amounts)} there)" if amounts else ""
        rule = "which counts as not drawn: it is not compared, and gives no measures"
        yield Skipped(f"{case} {volume}".strip(), f"the reference has no {labels} here, {rule}{predicted}")


def without_moments(scores: Iterable[VolumeScore]) -> Iterator[Skipped]:
    """A line for each subject of several volumes of which none is called ED or ES."""
    volumes: dict[str, set[tuple[str, str]]] = {}
    for score in scores:
        volumes.setdefault(score.subject_id, set()).add((score.case_id, score.volume))
    for subject_id, own in volumes.items():
        if len(own) > 1 and not any(volume in PHASES for _, volume in own):
            yield Skipped(
                subject_id,
                f"nothing says which of its {len(own)} reference volumes are ED and ES (no cavity is drawn on all of "
                "them, or they are of several scans): its volumes, EF and mass are not compared",
            )


def doubtful_moments(pairs: Iterable[MeasurePair]) -> Iterator[Skipped]:
    """A line for each negative ejection fraction at the ED and ES of the reference."""
    for pair in pairs:
        sides = {"reference": pair.reference, "prediction": pair.predicted}
        for side, value in sides.items():
            if pair.measure.endswith(_FRACTION) and value is not None and value < 0:
                yield Skipped(
                    pair.subject_id,
                    f"{measure_title(pair.measure)} of the {side} is {number(value)} at the reference's ED and ES: "
                    "these are swapped, or the reference is not drawn completely at one of them",
                )
