"""Pages: one evaluation, and a comparison of several systems, each as one file to read, print and send."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cardioseg import __version__
from cardioseg.evaluation import missed_measures, systems
from cardioseg.evaluation.bland_altman import BlandAltman, bland_altman
from cardioseg.evaluation.boxes import BoxPlot, box_plot
from cardioseg.evaluation.error_budget import COLUMN_TITLES
from cardioseg.evaluation.estimate_text import interval, number, probability, signed
from cardioseg.evaluation.measures import AS_REPORTED, AT_READERS, MeasurePair, means
from cardioseg.evaluation.pair_pictures import WIDTH, CasePicture, case_picture
from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.evaluation.studies_of_patients import by_patient, counted_patients
from cardioseg.evaluation.subject_groups import EJECTION_FRACTIONS
from cardioseg.evaluation.summary import ALL, GROUPS, PHASES, LabelSummary
from cardioseg.evaluation.systems import SystemTest
from cardioseg.image.labels import STRUCTURES
from cardioseg.measure.agreement import Agreement
from cardioseg.report.measure_columns import measure_title
from cardioseg.report.page_frame import write_page
from cardioseg.report.palette import COLOURS
from cardioseg.report.run_report import flatten
from cardioseg.wording import counted

EVALUATION_FILE, COMPARISON_FILE = "evaluation.html", "comparison.html"
_PLOTTED = {"dice": ("Dice", (0.8, 1.0)), "hd95_mm": ("HD95 (mm)", (0.0, 1.0))}  # title, least range of the axis


def write_evaluation(evaluation: Evaluation, name: str, folder: Path) -> None:
    """Write `evaluation.html`: problems first, then means, worst cases, agreement, and every volume.

    Args:
        evaluation: the evaluation of one system.
        name: the system's name.
        folder: where to write the file.

    Raises:
        ResourceError: the file system refuses the write.
    """
    pictures = _pictures(evaluation)
    values = {
        "name": name,
        "counts": _counts(evaluation),
        "evaluation": evaluation,
        "overall": _overall(evaluation),
        "groups": _groups(evaluation),
        "by_group": {(summary.label, summary.group): summary for summary in evaluation.summary},
        "error_columns": COLUMN_TITLES,
        "group_measures": _group_measures(evaluation),
        "pictures": pictures,
        "tile_width": WIDTH,
        "on_dark": {label.key: COLOURS[label] for label in evaluation.labels},
        "agreements": _agreements(evaluation),
        "differing": [pair for pair in evaluation.measures if pair.measure in evaluation.reported_agreements],
        "at_readers": AT_READERS,
        "as_reported": AS_REPORTED,
        "means": means,
        "missed_warning": missed_measures.warning,
        "boxes": _box_plots(evaluation),
        "details": _details(evaluation),
        "rows": _worst_first(evaluation.scores),
        "phases": PHASES,
        "places": {(picture.case_id, picture.volume): place for place, picture in enumerate(pictures, 1)},
        "number": number,
        "interval": interval,
        "signed": signed,
        "measure_title": measure_title,
    }
    write_page(folder / EVALUATION_FILE, "evaluation/evaluation.html.j2", values)


def write_comparison(
    evaluations: Mapping[str, Evaluation], tests: Sequence[SystemTest], folder: Path, links: Mapping[str, str]
) -> None:
    """Write `comparison.html`: the systems' means side by side, the tests between them, a link to the page of each.

    Args:
        evaluations: the evaluations by system.
        tests: the tests of every two systems.
        folder: where to write the file.
        links: the path of each system's page, relative to `folder`.

    Raises:
        ResourceError: the file system refuses the write.
    """
    overall = {
        name: {summary.label: summary for summary in _overall(evaluation)} for name, evaluation in evaluations.items()
    }
    values = {
        "version": __version__,
        "links": links,
        "corrections": {name: evaluation.correction_warning for name, evaluation in evaluations.items()},
        "patient_notes": {name: evaluation.patient_note for name, evaluation in evaluations.items()},
        "counted_patients": counted_patients,
        "labels": [label for label in STRUCTURES if any(label in of_system for of_system in overall.values())],
        "overall": overall,
        "tests": tests,
        "problems": systems.untested(evaluations, tests),
        "metric_titles": {name: title for name, (title, _) in _PLOTTED.items()},
        "better_of": _better_of,
        "significant": systems.SIGNIFICANT,
        "warning": systems.warning(tests),
        "protocol": systems.PROTOCOL,
        "number": number,
        "signed": signed,
        "probability": probability,
    }
    write_page(folder / COMPARISON_FILE, "evaluation/comparison.html.j2", values)


def _overall(evaluation: Evaluation) -> list[LabelSummary]:
    return [summary for summary in evaluation.summary if summary.group == ALL]


def _groups(evaluation: Evaluation) -> list[str]:
    """The groups that have a summary, in the order of `GROUPS`, without that of everything."""
    present = {summary.group for summary in evaluation.summary}
    return [group for group in GROUPS if group != ALL and group in present]


def _group_measures(evaluation: Evaluation) -> list[str]:
    """The ejection fractions that any group of subjects has."""
    measured = {name for group in evaluation.subject_groups for name in group.errors}
    return [name for name in EJECTION_FRACTIONS if name in measured]


def _counts(evaluation: Evaluation) -> str:
    """`160 volumes of 80 subjects, 1512 slices`."""
    scores = evaluation.scores
    slices = {(score.case_id, score.volume, part.index) for score in scores for part in score.slices}
    subjects = {score.subject_id for score in scores}
    volumes = {(score.case_id, score.volume) for score in scores}
    return f"{counted(len(volumes), 'volume')} of {counted(len(subjects), 'subject')}, {counted(len(slices), 'slice')}"


def _details(evaluation: Evaluation) -> list[tuple[str, str]]:
    """What was compared, as far as it is known: (name, text)."""
    origin = {name: value for name, value in asdict(evaluation.origin).items() if value}
    return list(flatten(origin | {"cardioseg": __version__}))


def _pictures(evaluation: Evaluation) -> list[CasePicture]:
    by_volume: dict[tuple[str, str], list[VolumeScore]] = {}
    for score in evaluation.scores:
        by_volume.setdefault((score.case_id, score.volume), []).append(score)
    return [case_picture(pair, by_volume[pair.case_id, pair.reference.name]) for pair in evaluation.worst]


@dataclass(frozen=True)
class Agreements:
    """The agreement for one kind of number: its name, the pairs by patient, the agreement by measure, and plots."""

    kind: str
    pairs: Sequence[MeasurePair]
    by_name: Mapping[str, Agreement]
    plots: Sequence[BlandAltman]


def _agreements(evaluation: Evaluation) -> list[Agreements]:
    """The agreement at the reader's phases and slices, and as reported if that differs."""
    kinds = (
        (AT_READERS, evaluation.measures, evaluation.agreements),
        (AS_REPORTED, evaluation.reported_measures, evaluation.reported_agreements),
    )
    by_kind = [(kind, by_patient(pairs, evaluation.patient_of), by_name) for kind, pairs, by_name in kinds if by_name]
    return [Agreements(kind, pairs, by_name, _plots(kind, pairs, by_name)) for kind, pairs, by_name in by_kind]


def _plots(kind: str, pairs: Sequence[MeasurePair], by_name: Mapping[str, Agreement]) -> list[BlandAltman]:
    return [
        bland_altman(name, [pair for pair in pairs if pair.measure == name], agreement, kind)
        for name, agreement in by_name.items()
        if agreement.n
    ]


def _box_plots(evaluation: Evaluation) -> list[BoxPlot]:
    plots = (box_plot(title, name, evaluation.scores, least) for name, (title, least) in _PLOTTED.items())
    return [plot for plot in plots if plot]


def _worst_first(scores: Sequence[VolumeScore]) -> list[VolumeScore]:
    """By increasing Dice; scores without Dice, because both masks are empty, come last."""
    return sorted(scores, key=lambda score: 2.0 if score.overlap.dice is None else score.overlap.dice)


def _better_of(result: SystemTest) -> str:
    """The system that the rank test favours: its Dice is higher, or its distance lower, by the sign of the effect.

    "" if the test is not significant, or if the means favour the other system, which a few large differences may do.
    """
    effect, difference = result.test.effect, result.test.difference
    if result.test.p_holm >= systems.SIGNIFICANT or effect * difference < 0:
        return ""
    return result.first if (effect > 0) == (result.metric == "dice") else result.second
