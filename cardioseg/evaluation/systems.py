"""Systems: paired tests between several predictions of the same references, on the slices that both have."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations, count
from pathlib import Path
from statistics import fmean
from typing import Any

from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.evaluation.shared_slices import shared_slices
from cardioseg.files import write_csv, write_json
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.measure.significance import EXACTNESS, PairedTest, holm, paired_tests, smallest_p
from cardioseg.skipped import Skipped
from cardioseg.wording import counted

SIGNIFICANT = 0.05

TESTED = ("dice", "hd95_mm")
COLUMNS = (
    *("label", "metric", "first", "second", "first_mean", "second_mean"),
    *("difference", "effect", "p", "p_holm", "n", "subjects", "volumes", "slices", "first_only", "second_only"),
)
PROTOCOL = (
    "Each test uses only the slices on which both systems have a value; each subject's value is the mean over these "
    "slices. Several studies of one patient count as one subject. n is the number of pairs in the test; subjects (all "
    "studies), volumes and slices are what they rest on; first_only and second_only count "
    "the slices that are left out because only this system has a value: the other has no prediction of the volume "
    "or, for HD95, no distance, because it drew nothing there. A structure that a system missed has Dice 0. If only "
    "one system drew a structure that the reference does not have on a slice, its Dice there is 0, and that of the "
    "other is 1. The tests are two-sided Wilcoxon signed-rank tests; "
    f"{EXACTNESS}. Holm's method "
    "corrects p for all tests in this table. The effect is the matched-pairs rank-biserial correlation, from -1 to 1;"
    " it is positive if the first system is larger."
)


@dataclass(frozen=True)
class SystemTest:
    """The test of one metric of one label between two systems, on the slices on which both have a value.

    Attributes:
        label: the structure.
        metric: one of `TESTED`.
        first: name of the first system.
        second: name of the second system.
        first_mean: mean of the first system over the subjects.
        second_mean: mean of the second system over the subjects.
        test: the test of the difference, first minus second.
        subjects: number of subjects that the test rests on; more than its pairs if some are studies of one patient.
        volumes: number of volumes that the test rests on.
        slices: number of slices that the test rests on.
        first_only: number of slices that are left out because only the first system has a value.
        second_only: number of slices that are left out because only the second system has a value.
    """

    label: Label
    metric: str
    first: str
    second: str
    first_mean: float
    second_mean: float
    test: PairedTest
    subjects: int
    volumes: int
    slices: int
    first_only: int
    second_only: int


def compare(systems: Mapping[str, Evaluation]) -> tuple[SystemTest, ...]:
    """Test every two systems against each other, on every label that both have and every metric of `TESTED`."""
    tests = [
        result
        for label in STRUCTURES
        for metric in TESTED
        for first, second in combinations(systems, 2)
        if (result := _test(systems, label, metric, first, second))
    ]
    corrected = holm([result.test.p for result in tests])
    return tuple(
        replace(result, test=replace(result.test, p_holm=p)) for result, p in zip(tests, corrected, strict=True)
    )


def untested(systems: Mapping[str, Evaluation], tests: Sequence[SystemTest]) -> tuple[Skipped, ...]:
    """Every two systems between which no test was possible, and why."""
    tested = {(result.first, result.second) for result in tests}
    return tuple(
        Skipped(f"{first} and {second}", _reason_untested(systems[first], systems[second]))
        for first, second in combinations(systems, 2)
        if (first, second) not in tested
    )


def warning(tests: Sequence[SystemTest]) -> str:
    """The warning that some tests have so few subjects that no difference can be significant, or "".

    Holm's p increases with each p that is corrected, so the smallest p of every test give the smallest Holm's p.
    """
    smallest = holm([smallest_p(result.test.n) for result in tests])
    hopeless = [(p, result.test.n) for p, result in zip(smallest, tests, strict=True) if p >= SIGNIFICANT]
    if not hopeless:
        return ""
    p, n = min(hopeless)
    needed = next(n for n in count(1) if len(tests) * smallest_p(n) < SIGNIFICANT)
    return (
        f"too few subjects: in {len(hopeless)} of {counted(len(tests), 'test')} no corrected p below {SIGNIFICANT} is "
        f"possible; the smallest of {counted(n, 'subject')} is {p:.2g}; {needed} subjects would be enough"
    )


def to_json(tests: Sequence[SystemTest], problems: Sequence[Skipped]) -> dict[str, Any]:
    """The tests with their protocol, and the systems that could not be tested, ready for `json.dumps`."""
    return {
        "protocol": PROTOCOL,
        "warning": warning(tests),
        "tests": [asdict(result) | {"label": result.label.key} for result in tests],
        "problems": [asdict(problem) for problem in problems],
    }


def write(tests: Sequence[SystemTest], problems: Sequence[Skipped], folder: Path) -> None:
    """Write `comparison.json` with the tests and the systems without a test, and `comparison.csv` with a row per test.

    Raises:
        ResourceError: the file system refuses.
    """
    write_json(folder / "comparison.json", to_json(tests, problems))
    rows = [{**asdict(result), "label": result.label.key, **asdict(result.test)} for result in tests]
    write_csv(folder / "comparison.csv", COLUMNS, ({name: row[name] for name in COLUMNS} for row in rows))


def _reason_untested(first: Evaluation, second: Evaluation) -> str:
    if not set(first.labels) & set(second.labels):
        return "they have no label in common"
    if not {score.subject_id for score in first.scores} & {score.subject_id for score in second.scores}:
        return "they have no subject in common"
    return "they have no slice in common on which both have a value"


def _test(systems: Mapping[str, Evaluation], label: Label, metric: str, first: str, second: str) -> SystemTest | None:
    patient_of = {**systems[first].patient_of, **systems[second].patient_of}
    shared = shared_slices(_of_label(systems[first], label), _of_label(systems[second], label), metric, patient_of)
    if not shared.slices:
        return None
    a, b = list(shared.first.values()), list(shared.second.values())
    test = paired_tests(a, [b])[0]
    counts = shared.subjects, shared.volumes, shared.slices, shared.first_only, shared.second_only
    return SystemTest(label, metric, first, second, fmean(a), fmean(b), test, *counts)


def _of_label(evaluation: Evaluation, label: Label) -> list[VolumeScore]:
    return [score for score in evaluation.scores if score.label is label]
