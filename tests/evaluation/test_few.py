"""Intervals over few subjects: a warning in the table, the JSON and the page."""

import json
from pathlib import Path

import numpy as np
import pytest
from hearts import evaluated

from cardioseg.cli import evaluation_tables as verdicts
from cardioseg.measure.agreement import agreement
from cardioseg.measure.significance import percentile_interval, resampled

SAID = "few subjects: intervals and limits of agreement over 3 subjects are too narrow"


def test_table_json_and_page_say_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    found = {"unet": evaluated()}
    verdicts.print_tables(found, ())
    assert SAID in " ".join(capsys.readouterr().out.split())
    verdicts.write(found, (), tmp_path, nnunet=False, silent=True)
    assert json.loads((tmp_path / "evaluation.json").read_text())["warning"].startswith(SAID)
    assert SAID.capitalize() in (tmp_path / "evaluation.html").read_text()


def test_only_what_has_an_interval_and_few_subjects_is_meant() -> None:
    from cardioseg.evaluation.small_samples import warning
    from cardioseg.measure.agreement import FEW

    rng = np.random.default_rng(0)
    by_size = {n: agreement(list(range(n)), list(range(n)), rng, 100) for n in (1, 2, 5, FEW - 1, FEW, 50)}
    assert warning([]) == warning([by_size[1], by_size[FEW], by_size[50]]) == ""
    assert "over 2 to 9 subjects" in warning(by_size.values())
    assert "over 5 subjects" in warning([by_size[5], by_size[50]])


def test_an_interval_of_so_few_misses_more_often_than_it_says() -> None:
    """95 % is promised: below `FEW` subjects it is less than 90 %, as the docstring there says."""
    from cardioseg.measure.agreement import FEW

    rng = np.random.default_rng(0)
    held = {n: np.mean([_holds(rng.normal(size=n), rng) for _ in range(600)]) for n in (3, FEW - 1, 40)}
    assert held[3] < 0.8
    assert held[FEW - 1] < 0.92
    assert held[40] > 0.91


def _holds(values: np.ndarray, rng: np.random.Generator) -> bool:
    means = resampled(lambda drawn: drawn.mean(axis=-1), values, rng, 400)  # as `bootstrap_interval`, with fewer
    found = percentile_interval(float(values.mean()), means, len(values))
    return found.low <= 0 <= found.high
