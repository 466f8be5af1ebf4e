"""Systems: several predictions of the same references, tested against each other subject by subject."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import combinations, count
from pathlib import Path
from statistics import fmean
from typing import Any

from cardioseg.evaluation.result import Evaluation
from cardioseg.evaluation.summary import subject_means
from cardioseg.evaluation.wording import several
from cardioseg.files import write_csv, write_json
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.measure.significance import PairedTest, holm, paired_tests, smallest_p
from cardioseg.skipped import Skipped

SIGNIFICANT = 0.05

TESTED = ("dice", "hd95_mm")
COLUMNS = (
    *("label", "metric", "first", "second", "first_mean", "second_mean"),
    *("difference", "effect", "p", "p_holm", "n"),
)
PROTOCOL = (
    "Each value is the mean over a subject's slices on which at least one of the two masks has the label. Only "
    "subjects that both systems have are compared. The tests are two-sided Wilcoxon signed-rank tests. Holm's method "
    "corrects p for all tests in this table. The effect is the matched-pairs rank-biserial correlation, from -1 to 1;"
    " it is positive if the first system is larger."
)


@dataclass(frozen=True)
class SystemTest:
    """One metric of one label: two systems on the subjects that both have.

    Attributes:
        label: the structure.
        metric: one of `TESTED`.
        first: name of a system; `second` likewise.
        first_mean: over those subjects; `second_mean` likewise.
        test: of their difference, first minus second.
    """

    label: Label
    metric: str
    first: str
    second: str
    first_mean: float
    second_mean: float
    test: PairedTest


def compare(systems: Mapping[str, Evaluation]) -> tuple[SystemTest, ...]:
    """Test every two systems against each other, on every label that both have and every metric of `TESTED`."""
    tests = [
        found
        for label in STRUCTURES
        for metric in TESTED
        for first, second in combinations(systems, 2)
        if (found := _test(systems, label, metric, first, second))
    ]
    corrected = holm([one.test.p for one in tests])
    return tuple(replace(one, test=replace(one.test, p_holm=p)) for one, p in zip(tests, corrected, strict=True))


def untested(systems: Mapping[str, Evaluation], tests: Sequence[SystemTest]) -> tuple[Skipped, ...]:
    """Every two systems of which no test was possible, and why."""
    tested = {(one.first, one.second) for one in tests}
    return tuple(
        Skipped(f"{first} and {second}", _why_not(systems[first], systems[second]))
        for first, second in combinations(systems, 2)
        if (first, second) not in tested
    )


def warning(tests: Sequence[SystemTest]) -> str:
    """That some tests compare so few subjects that no difference can be significant, or nothing.

    Holm's p grows with each p that it corrects, so where every p is the smallest of its test, it is the smallest, too.
    """
    smallest = holm([smallest_p(one.test.n) for one in tests])
    hopeless = [(p, one.test.n) for p, one in zip(smallest, tests, strict=True) if p >= SIGNIFICANT]
    if not hopeless:
        return ""
    p, n = min(hopeless)
    needed = next(n for n in count(1) if len(tests) * smallest_p(n) < SIGNIFICANT)
    return (
        f"too few subjects: in {len(hopeless)} of {several(len(tests), 'test')} no corrected p below {SIGNIFICANT} is "
        f"possible; the smallest of {several(n, 'subject')} is {p:.2g}; {needed} subjects would be enough"
    )


def to_json(tests: Sequence[SystemTest], problems: Sequence[Skipped]) -> dict[str, Any]:
    """The tests with their protocol, and what could not be tested, ready for `json.dumps`."""
    return {
        "protocol": PROTOCOL,
        "warning": warning(tests),
        "tests": [asdict(one) | {"label": one.label.key} for one in tests],
        "problems": [asdict(one) for one in problems],
    }


def write(tests: Sequence[SystemTest], problems: Sequence[Skipped], folder: Path) -> None:
    """Write `comparison.json`, with what could not be tested, and `comparison.csv`, a row a test.

    Raises:
        ResourceError: the file system refuses.
    """
    write_json(folder / "comparison.json", to_json(tests, problems))
    rows = [{**asdict(one), "label": one.label.key, **asdict(one.test)} for one in tests]
    write_csv(folder / "comparison.csv", COLUMNS, ({name: row[name] for name in COLUMNS} for row in rows))


def _why_not(one: Evaluation, other: Evaluation) -> str:
    if not set(one.labels) & set(other.labels):
        return "they have no label in common"
    return "they have no subject in common"


def _test(systems: Mapping[str, Evaluation], label: Label, metric: str, first: str, second: str) -> SystemTest | None:
    one, other = (
        subject_means((score for score in systems[name].scores if score.label is label), metric)
        for name in (first, second)
    )
    shared = [subject_id for subject_id in one if subject_id in other]
    if not shared:
        return None
    a, b = [one[subject_id] for subject_id in shared], [other[subject_id] for subject_id in shared]
    return SystemTest(label, metric, first, second, fmean(a), fmean(b), paired_tests(a, [b])[0])
