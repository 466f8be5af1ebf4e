"""Results by group of subjects: the same numbers as an evaluation of that group alone, on page, in files, on a card."""

import csv
import json
from dataclasses import replace
from pathlib import Path
from statistics import fmean

import pytest
from hearts import ORIGIN, evaluated, pairs

from cardioseg.cli.evaluation_tables import print_tables
from cardioseg.evaluation.comparison import collect
from cardioseg.evaluation.evaluation_page import write_evaluation
from cardioseg.evaluation.judgement import judge
from cardioseg.evaluation.result import Evaluation, write
from cardioseg.image.labels import STRUCTURES, Label

SCANNERS = {"small": "Siemens, centre 1", "middle": "Philips", "large": "Siemens, centre 1"}


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return replace(evaluated(small=1, middle=4, large=0), group_of=SCANNERS)


def test_a_group_has_the_results_of_its_subjects_alone(evaluation: Evaluation) -> None:
    philips, siemens = evaluation.subject_groups
    assert [(group.name, group.subjects) for group in (philips, siemens)] == [("Philips", 1), ("Siemens, centre 1", 2)]
    alone = collect([judge(pairs({"small": 1, "large": 0}), STRUCTURES)], ORIGIN)
    for summary in alone.summary:
        if summary.group == "all":
            assert siemens.dice[summary.label] == summary.per_volume["dice"]
    lowest = min(score.overlap.dice or 0 for score in alone.scores if score.label is Label.RV_CAVITY)
    assert siemens.lowest_dice[Label.RV_CAVITY] == lowest
    errors = [pair.predicted - pair.reference for pair in alone.measures if pair.measure == "lv_ef_percent"]
    assert siemens.errors["lv_ef_percent"].mean == pytest.approx(fmean(errors))
    assert siemens.absolute_errors["lv_ef_percent"].mean == pytest.approx(fmean(map(abs, errors)))
    assert philips.dice[Label.RV_CAVITY].mean < siemens.dice[Label.RV_CAVITY].mean  # it is shifted by more


def test_without_groups_and_with_one_there_is_no_table(
    evaluation: Evaluation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for group_of in ({}, dict.fromkeys(SCANNERS, "Philips"), dict.fromkeys(SCANNERS, "")):
        without = replace(evaluation, group_of=group_of)
        assert without.subject_groups == ()
        print_tables({"unet": without}, ())
        assert "By group" not in capsys.readouterr().out
        write_evaluation(without, "unet", tmp_path)
        assert "By group" not in (tmp_path / "evaluation.html").read_text()


def test_a_subject_without_a_group_is_not_lost(evaluation: Evaluation) -> None:
    some = replace(evaluation, group_of={"small": "Siemens", "large": ""})
    assert [(group.name, group.subjects) for group in some.subject_groups] == [("Siemens", 1), ("no group", 2)]


def test_terminal_page_and_files_show_the_groups(
    evaluation: Evaluation, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    print_tables({"unet": evaluation}, ())
    printed = capsys.readouterr().out
    assert "By group of subjects" in printed
    write(evaluation, tmp_path)
    write_evaluation(evaluation, "unet", tmp_path)
    page = (tmp_path / "evaluation.html").read_text()
    mean = evaluation.subject_groups[0].dice[Label.RV_CAVITY].mean
    for text in (printed, page):
        assert "Siemens, centre 1" in text
        assert f"{mean:.3f}" in text
    with (tmp_path / "evaluation_groups.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    found = [row for row in rows if (row["subject_group"], row["label_or_measure"]) == ("Philips", "rv_cavity")]
    assert [(row["metric"], float(row["mean"]), row["n"]) for row in found] == [("dice_per_volume", mean, "2")]
    assert float(found[0]["lowest"]) <= mean
    assert len(json.loads((tmp_path / "evaluation.json").read_text())["subject_groups"]) == len(rows)
