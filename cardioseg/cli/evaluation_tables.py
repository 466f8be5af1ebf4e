"""Verdicts: what `evaluate` prints and writes."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from cardioseg.cli import console

if TYPE_CHECKING:
    from cardioseg.evaluation.measures import MeasurePair
    from cardioseg.evaluation.result import Evaluation
    from cardioseg.evaluation.systems import SystemTest
    from cardioseg.measure.agreement import Agreement

_WORST = 10


def write(
    found: "Mapping[str, Evaluation]", tests: "Sequence[SystemTest]", out: Path, nnunet: bool, silent: bool
) -> None:
    """Write one evaluation into `out`; several each into the folder there that its safe name gives, and their tests."""
    from cardioseg.evaluation import evaluation_page as page
    from cardioseg.evaluation import nnunet_summary as summary
    from cardioseg.evaluation.result import write as write_result
    from cardioseg.evaluation.systems import untested
    from cardioseg.evaluation.systems import write as write_tests

    for name, evaluation in found.items():
        folder = out if len(found) == 1 else out / name
        write_result(evaluation, folder)
        page.write_evaluation(evaluation, name, folder)
        if nnunet:
            summary.write_summary(evaluation, folder / "summary.json")
    if len(found) > 1:
        write_tests(tests, untested(found, tests), out)
        links = {name: f"{name}/{page.EVALUATION_FILE}" for name in found}
        page.write_comparison(found, tests, out, links)
    console.say(f"open {out / (page.COMPARISON_FILE if len(found) > 1 else page.EVALUATION_FILE)}", silent)


def say_left_out(found: "Mapping[str, Evaluation]") -> None:
    """Edits, slices that the references do not know, and other phases: why `measures.csv` differs."""
    for name, evaluation in found.items():
        which = f" in {name}" if len(found) > 1 else ""
        console.print_skipped(evaluation.edits, f"edit{which}")
        console.print_skipped(evaluation.left_out, f"left out{which}")
        console.print_skipped(evaluation.other_phases, f"other phase{which}")


def print_json(found: "Mapping[str, Evaluation]", tests: "Sequence[SystemTest]") -> None:
    """One evaluation as it is written; several by name, with their tests."""
    from cardioseg.evaluation.systems import to_json, untested

    if len(found) == 1:
        console.print_json(next(iter(found.values())).to_json())
    else:
        systems = {name: evaluation.to_json() for name, evaluation in found.items()}
        console.print_json({"systems": systems, **to_json(tests, untested(found, tests))})


def print_tables(found: "Mapping[str, Evaluation]", tests: "Sequence[SystemTest]") -> None:
    """The means, the measures, the worst cases; the tests of several."""
    from cardioseg.evaluation.measures import AS_REPORTED, AT_READERS

    for name, evaluation in found.items():
        _print_summary(evaluation, name)
        _print_agreement(AT_READERS, evaluation.measures, evaluation.agreements)
        _print_agreement(AS_REPORTED, evaluation.reported_measures, evaluation.reported_agreements)
        _print_worst(evaluation)
    if tests:
        _print_tests(tests)


def _print_summary(evaluation: "Evaluation", name: str) -> None:
    from cardioseg.evaluation.wording import mean

    columns = ("label ", "group ", "Dice per slice", "per volume", "per subject", "HD95 mm", "ASSD mm", "empty")
    rows = [
        (
            one.label.title if one.group == "all" else "",
            one.group,
            mean(one.per_slice["dice"], 3),
            mean(one.per_volume.get("dice"), 3),
            mean(one.per_subject["dice"], 3),
            mean(one.per_volume.get("hd95_mm", one.per_slice["hd95_mm"]), 1),
            mean(one.per_volume.get("assd_mm", one.per_slice["assd_mm"]), 2),
            f"{one.slices_missed} / {one.slices_invented}",
        )
        for one in evaluation.summary
    ]
    caption = (
        "distances: per volume in 3D; for base, mid and apex per slice; "
        "empty: slices with Dice 0 because the prediction / the reference is empty"
    )
    console.print_table(f"{name}: mean ± standard deviation (n)", columns, rows, caption)


def _print_agreement(kind: str, pairs: "Sequence[MeasurePair]", agreements: "Mapping[str, Agreement]") -> None:
    from cardioseg.evaluation.few import warning
    from cardioseg.evaluation.measures import means
    from cardioseg.evaluation.wording import interval, limits, number
    from cardioseg.report.measure_columns import measure_title

    columns = (
        *("measure ", "subjects", "reference", "predicted", "bias [95 %]", "limits of agreement"),
        *("mean absolute error", "r", "ICC(2,1)"),
    )
    rows = [
        (
            measure_title(name),
            found.n,
            *map(number, means(pairs, name)),
            interval(found.bias),
            limits(found.loa_low, found.loa_high),
            interval(found.mae),
            interval(found.r, 3),
            interval(found.icc, 3),
        )
        for name, found in agreements.items()
    ]
    if rows:
        caption = "\n".join(filter(None, ("bias: predicted minus reference", warning(agreements.values()))))
        console.print_table(f"Measures {kind}", columns, rows, caption)


def _print_worst(evaluation: "Evaluation") -> None:
    from cardioseg.evaluation.wording import number

    known = sorted(
        (dice, index) for index, one in enumerate(evaluation.scores) if (dice := one.overlap.dice) is not None
    )
    columns = ("case ", "volume ", "label ", "Dice", "HD95 mm", "reference mL", "predicted mL")
    rows = [
        (
            *(one.case_id, one.volume, one.label.title),
            *(number(one.overlap.dice, 3), number(one.distances.hd95_mm)),
            *(number(one.reference_ml), number(one.predicted_ml)),
        )
        for one in (evaluation.scores[index] for _, index in known[:_WORST])
    ]
    caption = "volumes are those of the slices with a reference, not of the whole stack"
    console.print_table(f"The lowest Dice of {len(known)}", columns, rows, caption)


def _print_tests(tests: "Sequence[SystemTest]") -> None:
    from cardioseg.evaluation.systems import warning
    from cardioseg.evaluation.wording import number, probability, signed

    columns = ("label ", "metric ", "first ", "mean", "second ", "mean", "difference", "subjects", "effect", "p (Holm)")
    rows = [
        (
            *(one.label.title, one.metric),
            *(one.first, number(one.first_mean, 3), one.second, number(one.second_mean, 3)),
            *(signed(one.test.difference, 4), one.test.n, signed(one.test.effect, 2), probability(one.test.p_holm)),
        )
        for one in tests
    ]
    console.print_table("Per subject, Wilcoxon signed-rank", columns, rows, warning(tests))
