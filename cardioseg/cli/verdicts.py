"""Verdicts: what `evaluate` prints and writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cardioseg.cli import console

if TYPE_CHECKING:
    from cardioseg.evaluation.result import Evaluation
    from cardioseg.evaluation.systems import SystemTest
    from cardioseg.measure.significance import Interval

_WORST = 10


def write(
    found: "Mapping[str, Evaluation]", tests: "Sequence[SystemTest]", out: Path, nnunet: bool, silent: bool
) -> None:
    """Write one evaluation into `out`; several each into the folder there that its safe name gives, and their tests."""
    from cardioseg.evaluation import nnunet as summary
    from cardioseg.evaluation import page
    from cardioseg.evaluation.result import write as write_result
    from cardioseg.evaluation.systems import write as write_tests

    for name, evaluation in found.items():
        folder = out if len(found) == 1 else out / name
        write_result(evaluation, folder)
        page.write_evaluation(evaluation, name, folder)
        if nnunet:
            summary.write_summary(evaluation, folder / "summary.json")
    if tests:
        write_tests(tests, out)
    if len(found) > 1:
        links = {name: f"{name}/{page.EVALUATION_FILE}" for name in found}
        page.write_comparison(found, tests, out, links)
    console.say(f"open {out / (page.COMPARISON_FILE if len(found) > 1 else page.EVALUATION_FILE)}", silent)


def print_json(found: "Mapping[str, Evaluation]", tests: "Sequence[SystemTest]") -> None:
    """One evaluation as it is written; several by name, with their tests."""
    from cardioseg.evaluation.systems import to_json

    if len(found) == 1:
        console.print_json(next(iter(found.values())).to_json())
    else:
        systems = {name: evaluation.to_json() for name, evaluation in found.items()}
        console.print_json({"systems": systems, **to_json(tests)})


def print_tables(found: "Mapping[str, Evaluation]", tests: "Sequence[SystemTest]") -> None:
    """The means, the measures, the worst cases; the tests of several."""
    for name, evaluation in found.items():
        _print_summary(evaluation, name)
        _print_agreement(evaluation)
        _print_worst(evaluation)
    if tests:
        _print_tests(tests)


def _print_summary(evaluation: "Evaluation", name: str) -> None:
    columns = ("label ", "group ", "Dice per slice", "per volume", "per subject", "HD95 mm", "ASSD mm", "empty")
    rows = [
        (
            one.label.title if one.group == "all" else "",
            one.group,
            str(one.per_slice["dice"]),
            str(one.per_volume.get("dice", "")),
            str(one.per_subject["dice"]),
            str(one.per_volume.get("hd95_mm", one.per_slice["hd95_mm"])),
            str(one.per_volume.get("assd_mm", one.per_slice["assd_mm"])),
            f"{one.slices_missed} / {one.slices_invented}",
        )
        for one in evaluation.summary
    ]
    caption = (
        "distances are per volume in 3D, in regions per slice; "
        "empty: slices of Dice 0 without a prediction / without a reference"
    )
    console.print_table(f"{name}: mean ± standard deviation (n)", columns, rows, caption)


def _print_agreement(evaluation: "Evaluation") -> None:
    from cardioseg.report.tables import measure_title

    columns = ("measure ", "subjects", "bias [95 %]", "limits of agreement", "mean absolute error", "r", "ICC(2,1)")
    rows = [
        (
            measure_title(name),
            found.n,
            _interval(found.bias),
            f"{_number(found.loa_low)} to {_number(found.loa_high)}",
            _interval(found.mae),
            _number(found.r, 3),
            _interval(found.icc, 3),
        )
        for name, found in evaluation.agreements.items()
    ]
    if rows:
        console.print_table("Predicted minus reference, at the reference's ED and ES", columns, rows)


def _print_worst(evaluation: "Evaluation") -> None:
    known = sorted(
        (dice, index) for index, one in enumerate(evaluation.scores) if (dice := one.overlap.dice) is not None
    )
    columns = ("case ", "volume ", "label ", "Dice", "HD95 mm", "reference mL", "predicted mL")
    rows = [
        (s.case_id, s.volume, s.label.title, s.overlap.dice, s.distances.hd95_mm, s.reference_ml, s.predicted_ml)
        for s in (evaluation.scores[index] for _, index in known[:_WORST])
    ]
    caption = "volumes are over the slices that the reference knows, not the whole stack"
    console.print_table(f"The worst of {len(known)}", columns, rows, caption)


def _print_tests(tests: "Sequence[SystemTest]") -> None:
    columns = ("label ", "metric ", "first ", "mean", "second ", "mean", "difference", "subjects", "effect", "p (Holm)")
    rows = [
        (
            one.label.title,
            one.metric,
            one.first,
            one.first_mean,
            one.second,
            one.second_mean,
            f"{one.test.difference:+.4f}",
            one.test.n,
            one.test.effect,
            f"{one.test.p_holm:.2g}",
        )
        for one in tests
    ]
    console.print_table("Paired by subject, Wilcoxon signed-rank", columns, rows)


def _interval(interval: "Interval | None", digits: int = 1) -> str:
    if interval is None:
        return "–"
    return f"{_number(interval.mean, digits)} [{_number(interval.low, digits)}, {_number(interval.high, digits)}]"


def _number(value: Any, digits: int = 1) -> str:  # noqa: ANN401
    return "–" if value is None else f"{getattr(value, 'mean', value):.{digits}f}"
