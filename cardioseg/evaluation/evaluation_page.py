"""Page: an evaluation to read, to print and to send, in one file; and that of several systems against each other."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from cardioseg import __version__
from cardioseg.evaluation import systems
from cardioseg.evaluation.bland_altman import BlandAltman, bland_altman
from cardioseg.evaluation.boxes import BoxPlot, box_plot
from cardioseg.evaluation.measures import AS_REPORTED, AT_READERS, MeasurePair, means
from cardioseg.evaluation.pair_pictures import WIDTH, CasePicture, case_picture
from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.evaluation.summary import ALL, GROUPS, PHASES, LabelSummary
from cardioseg.evaluation.systems import SystemTest
from cardioseg.evaluation.wording import interval, number, probability, several, signed
from cardioseg.image.labels import STRUCTURES
from cardioseg.measure.agreement import Agreement
from cardioseg.report.measure_columns import measure_title
from cardioseg.report.page_frame import write_page
from cardioseg.report.palette import COLOURS
from cardioseg.report.run_report import flatten

EVALUATION_FILE, COMPARISON_FILE = "evaluation.html", "comparison.html"
_PLOTTED = {"dice": ("Dice", (0.8, 1.0)), "hd95_mm": ("HD95 (mm)", (0.0, 1.0))}  # and what the axes hold at least


def write_evaluation(evaluation: Evaluation, name: str, folder: Path) -> None:
    """Write `evaluation.html`: what is wrong first, then means, worst cases, agreement, and every volume.

    Args:
        evaluation: of one system.
        name: the system's.
        folder: gets the file.

    Raises:
        ResourceError: the file system refuses the write.
    """
    pictures = _pictures(evaluation)
    values = {
        "name": name,
        "counts": _counts(evaluation),
        "evaluation": evaluation,
        "whole": _of_all(evaluation),
        "groups": [group for group in GROUPS if group != ALL and any(one.group == group for one in evaluation.summary)],
        "by_group": {(one.label, one.group): one for one in evaluation.summary},
        "pictures": pictures,
        "tile_width": WIDTH,
        "on_dark": {label.key: COLOURS[label] for label in evaluation.labels},
        "agreements": _agreements(evaluation),
        "differing": [pair for pair in evaluation.measures if pair.measure in evaluation.reported_agreements],
        "at_readers": AT_READERS,
        "as_reported": AS_REPORTED,
        "means": means,
        "boxes": _box_plots(evaluation),
        "details": _details(evaluation),
        "rows": _worst_first(evaluation.scores),
        "phases": PHASES,
        "places": {(one.case_id, one.volume): place for place, one in enumerate(pictures, 1)},
        "number": number,
        "interval": interval,
        "signed": signed,
        "measure_title": measure_title,
    }
    write_page(folder / EVALUATION_FILE, "evaluation/evaluation.html.j2", values)


def write_comparison(
    found: Mapping[str, Evaluation], tests: Sequence[SystemTest], folder: Path, links: Mapping[str, str]
) -> None:
    """Write `comparison.html`: the systems' means side by side, the tests between them, a link to the page of each.

    Args:
        found: the evaluations by system.
        tests: of every two of them.
        folder: gets the file.
        links: where each system's page lies, relative to `folder`.

    Raises:
        ResourceError: the file system refuses the write.
    """
    whole = {name: {one.label: one for one in _of_all(evaluation)} for name, evaluation in found.items()}
    values = {
        "version": __version__,
        "links": links,
        "labels": [label for label in STRUCTURES if any(label in of_system for of_system in whole.values())],
        "whole": whole,
        "tests": tests,
        "problems": systems.untested(found, tests),
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


def _of_all(evaluation: Evaluation) -> list[LabelSummary]:
    return [one for one in evaluation.summary if one.group == ALL]


def _counts(evaluation: Evaluation) -> str:
    """`160 volumes of 80 subjects, 1512 slices`."""
    slices = {(one.case_id, one.volume, part.index) for one in evaluation.scores for part in one.slices}
    subjects = {one.subject_id for one in evaluation.scores}
    volumes = {(one.case_id, one.volume) for one in evaluation.scores}
    return f"{several(len(volumes), 'volume')} of {several(len(subjects), 'subject')}, {several(len(slices), 'slice')}"


def _details(evaluation: Evaluation) -> list[tuple[str, str]]:
    """What was compared, as far as it is known: name and text."""
    known = {name: value for name, value in asdict(evaluation.origin).items() if value}
    return list(flatten(known | {"cardioseg": __version__}))


def _pictures(evaluation: Evaluation) -> list[CasePicture]:
    own: dict[tuple[str, str], list[VolumeScore]] = {}
    for score in evaluation.scores:
        own.setdefault((score.case_id, score.volume), []).append(score)
    return [case_picture(pair, own[pair.case_id, pair.reference.name]) for pair in evaluation.worst]


@dataclass(frozen=True)
class Agreements:
    """One kind of number of every measure: what it is called, its pairs, their agreement and its plots."""

    kind: str
    pairs: Sequence[MeasurePair]
    by_name: Mapping[str, Agreement]
    plots: Sequence[BlandAltman]


def _agreements(evaluation: Evaluation) -> list[Agreements]:
    """At the reader's phases and slices, and as reported where that differs."""
    kinds = (
        (AT_READERS, evaluation.measures, evaluation.agreements),
        (AS_REPORTED, evaluation.reported_measures, evaluation.reported_agreements),
    )
    return [Agreements(kind, pairs, by_name, _plots(kind, pairs, by_name)) for kind, pairs, by_name in kinds if by_name]


def _plots(kind: str, pairs: Sequence[MeasurePair], by_name: Mapping[str, Agreement]) -> list[BlandAltman]:
    return [
        bland_altman(name, [pair for pair in pairs if pair.measure == name], found, kind)
        for name, found in by_name.items()
    ]


def _box_plots(evaluation: Evaluation) -> list[BoxPlot]:
    plots = (box_plot(title, name, evaluation.scores, least) for name, (title, least) in _PLOTTED.items())
    return [plot for plot in plots if plot]


def _worst_first(scores: Sequence[VolumeScore]) -> list[VolumeScore]:
    """By Dice; what has none, because both masks are empty, stands last."""
    return sorted(scores, key=lambda one: 2.0 if one.overlap.dice is None else one.overlap.dice)


def _better_of(one: SystemTest) -> str:
    """The system with the higher Dice or the lower distance, or nothing where that may be chance."""
    if one.test.p_holm >= systems.SIGNIFICANT:
        return ""
    return one.first if (one.test.difference > 0) == (one.metric == "dice") else one.second
