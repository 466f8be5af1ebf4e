"""Evaluation tables: what `evaluate` prints and writes."""

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
    evaluations: "Mapping[str, Evaluation]", tests: "Sequence[SystemTest]", out: Path, nnunet: bool, silent: bool
) -> None:
    """Write one evaluation into `out`; several each into the folder there that its safe name gives, and their tests."""
    from cardioseg.evaluation import evaluation_page as page
    from cardioseg.evaluation import nnunet_summary as summary
    from cardioseg.evaluation.result import write as write_result
    from cardioseg.evaluation.systems import untested
    from cardioseg.evaluation.systems import write as write_tests

    for name, evaluation in evaluations.items():
        folder = out if len(evaluations) == 1 else out / name
        write_result(evaluation, folder)
        page.write_evaluation(evaluation, name, folder)
        if nnunet:
            summary.write_summary(evaluation, folder / "summary.json")
    if len(evaluations) > 1:
        write_tests(tests, untested(evaluations, tests), out)
        links = {name: f"{name}/{page.EVALUATION_FILE}" for name in evaluations}
        page.write_comparison(evaluations, tests, out, links)
    console.say(f"open {out / (page.COMPARISON_FILE if len(evaluations) > 1 else page.EVALUATION_FILE)}", silent)


def say_left_out(evaluations: "Mapping[str, Evaluation]") -> None:
    """Edits, slices that the references do not know, and other phases: why `measures.csv` differs."""
    for name, evaluation in evaluations.items():
        place = f" in {name}" if len(evaluations) > 1 else ""
        console.print_skipped(evaluation.edits, f"edit{place}")
        console.print_skipped(evaluation.left_out, f"left out{place}")
        console.print_skipped(evaluation.other_phases, f"other phase{place}")


def say_remarks(evaluation: "Evaluation", which: str) -> None:
    """What the reader of the numbers must know, also if nothing else is printed; `which` names one of several."""
    if evaluation.patient_note:
        console.say(f"note{which}: {evaluation.patient_note}")
    if evaluation.correction_warning:
        console.say(f"warning{which}: {evaluation.correction_warning}")
    console.print_skipped(evaluation.mistakes, f"looks wrong{which}")
    console.print_skipped(evaluation.problems, f"not compared{which}")
    console.print_skipped(evaluation.missed_measures, f"missed{which}")


def print_json(evaluations: "Mapping[str, Evaluation]", tests: "Sequence[SystemTest]") -> None:
    """One evaluation as it is written; several by name, with their tests."""
    from cardioseg.evaluation.systems import to_json, untested

    if len(evaluations) == 1:
        console.print_json(next(iter(evaluations.values())).to_json())
    else:
        systems = {name: evaluation.to_json() for name, evaluation in evaluations.items()}
        console.print_json({"systems": systems, **to_json(tests, untested(evaluations, tests))})


def print_tables(evaluations: "Mapping[str, Evaluation]", tests: "Sequence[SystemTest]") -> None:
    """The means, the measures, the worst cases; the tests of several."""
    from cardioseg.evaluation.measures import AS_REPORTED, AT_READERS
    from cardioseg.evaluation.studies_of_patients import by_patient

    for name, evaluation in evaluations.items():
        _print_summary(evaluation, name)
        _print_errors(evaluation)
        _print_subject_groups(evaluation)
        at_readers = by_patient(evaluation.measures, evaluation.patient_of)
        as_reported = by_patient(evaluation.reported_measures, evaluation.patient_of)
        _print_agreement(AT_READERS, at_readers, evaluation.agreements)
        _print_agreement(AS_REPORTED, as_reported, evaluation.reported_agreements)
        _print_worst(evaluation)
    if tests:
        _print_tests(tests)


def _print_summary(evaluation: "Evaluation", name: str) -> None:
    from cardioseg.evaluation.estimate_text import mean

    columns = ("label", "group", "Dice per slice", "per volume", "per subject", "HD95 mm", "ASSD mm", "empty")
    rows = [
        (
            row.label.title if row.group == "all" else "",
            row.group,
            mean(row.per_slice["dice"], 3),
            mean(row.per_volume.get("dice"), 3),
            mean(row.per_subject["dice"], 3),
            mean(row.per_volume.get("hd95_mm", row.per_slice["hd95_mm"]), 1),
            mean(row.per_volume.get("assd_mm", row.per_slice["assd_mm"]), 2),
            f"{row.slices_missed} / {row.slices_invented}",
        )
        for row in evaluation.summary
    ]
    caption = (
        "distances: per volume in 3D; for base, mid and apex per slice; "
        "empty: slices with Dice 0 because the prediction / the reference is empty"
    )
    console.print_table(f"{name}: mean ± standard deviation (n)", columns, rows, caption, text=("label", "group"))


def _print_errors(evaluation: "Evaluation") -> None:
    from cardioseg.evaluation.error_budget import COLUMN_TITLES
    from cardioseg.evaluation.estimate_text import number

    columns = ("label", "group", *COLUMN_TITLES.values())
    rows = [
        (
            budget.label.title if budget.group == "all" else "",
            budget.group,
            *(number(100 * getattr(budget.parts, name)) for name in COLUMN_TITLES),
        )
        for budget in evaluation.error_budgets
    ]
    caption = (
        "lost: 100 x (1 - Dice per volume); extra / missed slices: only the prediction / the reference has the label; "
        "the rest, on the other slices, is divided by region and, again, by direction"
    )
    console.print_table("Where the points of Dice are lost", columns, rows, caption, text=("label", "group"))


def _print_subject_groups(evaluation: "Evaluation") -> None:
    from cardioseg.evaluation.estimate_text import mean, number
    from cardioseg.evaluation.subject_groups import EJECTION_FRACTIONS
    from cardioseg.report.measure_columns import measure_title

    groups, labels = evaluation.subject_groups, evaluation.labels
    measures = [name for name in EJECTION_FRACTIONS if any(name in group.errors for group in groups)]
    columns = [*("group", "subjects"), *(f"Dice {label.title}" for label in labels), "lowest"]
    columns += [f"error of {measure_title(name)}" for name in measures]
    rows = [
        (
            *(group.name, group.subjects),
            *(mean(group.dice.get(label), 3) for label in labels),
            number(min(group.lowest_dice.values(), default=None), 3),
            *(mean(group.errors.get(name), 1) for name in measures),
        )
        for group in groups
    ]
    if rows:
        caption = "Dice per volume; lowest: of any volume and label; error: predicted minus reference"
        console.print_table(
            "By group of subjects: mean ± standard deviation (n)", columns, rows, caption, text=["group"]
        )


def _print_agreement(kind: str, pairs: "Sequence[MeasurePair]", agreements: "Mapping[str, Agreement]") -> None:
    from cardioseg.evaluation.estimate_text import interval, limits, number
    from cardioseg.evaluation.measures import means
    from cardioseg.evaluation.missed_measures import warning as missed_warning
    from cardioseg.evaluation.small_samples import warning
    from cardioseg.report.measure_columns import measure_title

    columns = (
        *("measure", "subjects", "reference", "predicted", "bias [95 %]", "limits of agreement"),
        *("mean absolute error", "r", "ICC(2,1)"),
    )
    rows = [
        (
            measure_title(name),
            agreement.of,
            *map(number, means(pairs, name)),
            interval(agreement.bias),
            limits(agreement.loa_low, agreement.loa_high),
            interval(agreement.mae),
            interval(agreement.r, 3),
            interval(agreement.icc, 3),
        )
        for name, agreement in agreements.items()
    ]
    if rows:
        warnings = [missed_warning(agreements.values()), warning(agreements.values())]
        caption = "\n".join(filter(None, ("bias: predicted minus reference", *warnings)))
        console.print_table(f"Measures {kind}", columns, rows, caption, text=["measure"])


def _print_worst(evaluation: "Evaluation") -> None:
    from cardioseg.evaluation.estimate_text import number

    ranked = sorted(
        (dice, index) for index, score in enumerate(evaluation.scores) if (dice := score.overlap.dice) is not None
    )
    columns = ("case", "volume", "label", "Dice", "HD95 mm", "reference mL", "predicted mL")
    rows = [
        (
            *(score.case_id, score.volume, score.label.title),
            *(number(score.overlap.dice, 3), number(score.distances.hd95_mm)),
            *(number(score.reference_ml), number(score.predicted_ml)),
        )
        for score in (evaluation.scores[index] for _, index in ranked[:_WORST])
    ]
    caption = "volumes are those of the slices with a reference, not of the whole stack"
    console.print_table(f"The lowest Dice of {len(ranked)}", columns, rows, caption, text=("case", "volume", "label"))


def _print_tests(tests: "Sequence[SystemTest]") -> None:
    from cardioseg.evaluation.estimate_text import number, probability, signed
    from cardioseg.evaluation.studies_of_patients import counted_patients
    from cardioseg.evaluation.systems import warning

    columns = ("label", "metric", "first", "mean", "second", "mean", "difference")
    counts = ("subjects", "slices", "left out", "effect", "p (Holm)")
    rows = [
        (
            *(test.label.title, test.metric),
            *(test.first, number(test.first_mean, 3), test.second, number(test.second_mean, 3)),
            *(signed(test.test.difference, 4), counted_patients(test.test.n, test.subjects)),
            *(test.slices, f"{test.first_only} / {test.second_only}"),
            *(signed(test.test.effect, 2), probability(test.test.p_holm)),
        )
        for test in tests
    ]
    caption = (
        "means over slices on which both have a value; left out: slices on which only the first / the second has one"
    )
    captions = "\n".join(filter(None, (caption, warning(tests))))
    console.print_table(
        "Per subject, Wilcoxon signed-rank",
        (*columns, *counts),
        rows,
        captions,
        text=("label", "metric", "first", "second"),
    )
