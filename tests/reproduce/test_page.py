"""The page in docs/ is what its script makes of the runs beside it, and its claims follow the figures."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from scripts import script

FOLDER = Path(__file__).parents[2] / "docs" / "reproduction"


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return script(FOLDER / "page.py")


def cell(norm: str, fold: int, dice: float, paper: float) -> dict[str, Any]:
    return {
        "norm": norm,
        "fold": fold,
        "chosen_by": "test",
        "dice": dice,
        "paper_dice": paper,
        "learning_rate": 0.1,
    }


def write_run(folder: Path, iln: float) -> None:
    dice = {"iln": (iln, 0.9), "in": (0.7, 0.95), "ln": (0.0, 0.8)}
    cells = [cell(norm, fold, *figures) for norm, figures in dice.items() for fold in (1, 2)]
    test = {"difference": iln - 0.7, "p": 0.01, "p_holm": 0.02 if iln > 0.7 else 0.4, "n": 44}
    run = {
        "title": "LV",
        "command": "cardioseg reproduce",
        "steps_fraction": 0.02,
        "share_of_paper": 0.02,
        "cells": cells,
    }
    run["iln_against"] = {"in": test}
    run["seeds"] = {"iln": {"means": {"0": iln - 0.01, "1": iln + 0.01}, "std": 0.0141}} if iln > 0.7 else {}
    (folder / "lv").mkdir(parents=True)
    (folder / "lv" / "tables.json").write_text(json.dumps(run))
    (folder / "lv" / "tables.md").write_text("| a table |")


def test_the_page_is_up_to_date(page: ModuleType) -> None:
    assert page.PAGE.read_text() == page.page()


def pages(page: ModuleType, folder: Path, *iln: float) -> list[str]:
    """The page of a run with each of these Dice of ILN."""
    for dice in iln:
        write_run(folder / str(dice), dice)
    return [page.page(folder / str(dice)) for dice in iln]


def test_claims_follow_the_figures(page: ModuleType, tmp_path: Path) -> None:
    better, worse = pages(page, tmp_path, 0.8, 0.6)
    assert "mean Dice of 0.800 over the 2 folds; the paper has 0.900" in better
    assert "ILN is the best of the paper's norms in table 3 in 2 of 2 folds, in the paper in 0" in better
    assert "differs from IN (+0.100, p = 0.02)" in better
    assert "in 0 of 2 folds, as in the paper" in worse
    assert "does not differ significantly from IN (Wilcoxon, Holm)" in worse
    assert "It ran 2 % of the paper's steps" in better
    assert "With LN the network finds nothing at the learning rates that ran in full (0.1)." in better
    assert "| a table |" in better


def test_norms_beyond_the_paper_have_a_sentence_once_every_fold_ran(page: ModuleType, tmp_path: Path) -> None:
    write_run(tmp_path, 0.8)
    path = tmp_path / "lv" / "tables.json"
    run = json.loads(path.read_text())
    run["cells"] += [{**cell("bn", 1, 0.7, 0.0), "paper_dice": None}]
    path.write_text(json.dumps(run))
    assert "does not have" not in page.page(tmp_path)
    run["cells"] += [{**cell("bn", 2, 0.8, 0.0), "paper_dice": None}]
    run["iln_against"]["bn"] = {"difference": 0.05, "p": 0.01, "p_holm": 0.03, "n": 44}
    path.write_text(json.dumps(run))
    assert "that the paper does not have, BN reaches 0.750. By subject, ILN differs from BN (+0.050, p = 0.03)" in (
        page.page(tmp_path)
    )


def test_the_page_starts_with_our_means_beside_the_papers(page: ModuleType, tmp_path: Path) -> None:
    better, worse = pages(page, tmp_path, 0.89, 0.6)
    assert "| norm | LV (folds 1 and 2 only), paper | LV (folds 1 and 2 only), cardioseg |" in better
    assert "| ILN | 0.900 | 0.890 |" in better
    assert "| GN4 | not run | not run |" in better
    assert better.index("| ILN | 0.900 |") < better.index("## LV")
    assert "1 of 3 norms reach the paper's mean Dice or come within 0.02 of it." in better
    assert "The others are lower: IN -0.250, LN -0.800." in better
    assert "The highest mean is that of ILN (paper: IN)." in better
    assert "order of the norms is 0.50" in better
    assert "between seeds (number of seeds): ILN 0.0141 (2). By chance, the means of two norms" in better
    assert "of one seed each may differ by 0.040" in better
    assert "The highest mean is that of IN (paper: IN)." in worse
    assert "order of the norms is 1.00" in worse
    assert "one seed only, so small differences are meaningless" in worse


def test_the_learning_rates_that_ran_are_shown_with_the_best_of_each_fold(page: ModuleType, tmp_path: Path) -> None:
    for folder, rate, fold, dice in (("rv_full", 0.05, 0, 0.6), ("rv_full", 0.05, 1, 0.8), ("rv_rates", 0.1, 0, 0.7)):
        (tmp_path / folder).mkdir(exist_ok=True)
        with (tmp_path / folder / "jobs.csv").open("a") as file:
            if not file.tell():
                file.write("norm,learning_rate,fold,test_dice\n")
            file.write(f"iln,{rate},{fold},{dice}\n")
    (tmp_path / "rv_rates" / "tables.json").write_text(json.dumps({"command": "cardioseg reproduce --lrs 0.1"}))
    shown = "\n".join(page.other_rates(tmp_path))
    assert "| 0.1 | 0.700 | not run | – |" in shown
    assert "| 0.05 | 0.600 | 0.800 | 0.700 |" in shown
    assert "| best of each fold | 0.700 | 0.800 | 0.750 |" in shown
    assert list(page.other_rates(tmp_path / "elsewhere")) == []
