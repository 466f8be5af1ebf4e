"""Results: finished jobs become the figures of the tables, with the learning rate chosen in two ways."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

import numpy as np

from cardioseg.measure.significance import Interval, PairedTest, bootstrap_interval, paired_tests
from cardioseg.measure.spread import Spread, spread
from cardioseg.reproduce.jobs import Job, scores

Results = Mapping[Job, dict[str, Any]]

BY_TEST, HELD_OUT = "test", "choosing"  # the parts of a result that may choose the learning rate


@dataclass(frozen=True)
class Cell:
    """One norm on one fold.

    Attributes:
        learning_rate: the best of those run.
        dice: per image of the fold's test subjects, over all seeds.
    """

    learning_rate: float
    dice: Spread


def cell(results: Results, norm: str, fold: int, chosen_by: str) -> Cell | None:
    """The figure of one norm on one fold, or None where no job is finished.

    Args:
        results: finished jobs.
        norm: of the row.
        fold: of the column.
        chosen_by: `test` takes the learning rate that is best on the test images, as the paper does, which is
            optimistic; `choosing` the one that is best on training subjects kept out of training.
    """
    rate = best_rate(results, norm, fold, chosen_by)
    if rate is None:
        return None
    jobs = [job for job in results if (job.norm, job.fold, job.learning_rate) == (norm, fold, rate)]
    return Cell(rate, spread([dice for job in jobs for dice in _dice(results[job], BY_TEST)]))


def best_rate(results: Results, norm: str, fold: int, chosen_by: str) -> float | None:
    """The learning rate with the highest mean Dice per image; the larger one where two are equal."""
    by_rate: dict[float, list[float]] = {}
    for job, result in results.items():
        if (job.norm, job.fold) == (norm, fold):
            by_rate.setdefault(job.learning_rate, []).extend(_dice(result, chosen_by))
    means = {rate: fmean(values) for rate, values in by_rate.items() if values}
    return max(means, key=lambda rate: (means[rate], rate)) if means else None


def by_subject(results: Results, norm: str, folds: int, chosen_by: str = BY_TEST) -> dict[str, float]:
    """The mean Dice of each subject when it was in the test fold."""
    values: dict[str, list[float]] = {}
    for fold in range(folds):
        rate = best_rate(results, norm, fold, chosen_by)
        for job, result in results.items():
            if (job.norm, job.fold, job.learning_rate) == (norm, fold, rate):
                for score in scores(result, BY_TEST):
                    if score.dice is not None:
                        values.setdefault(score.subject_id, []).append(score.dice)
    return {subject_id: fmean(dice) for subject_id, dice in values.items()}


def interval(results: Results, norm: str, folds: int, seed: int) -> Interval | None:
    """Mean Dice over subjects with its bootstrap interval, or None where no job is finished."""
    values = list(by_subject(results, norm, folds).values())
    return bootstrap_interval(values, np.random.default_rng(seed)) if values else None


def against(results: Results, norm: str, others: Sequence[str], folds: int) -> dict[str, PairedTest]:
    """One norm tested against each other one, on the subjects that both have been tested on."""
    first = by_subject(results, norm, folds)
    pairs = {other: by_subject(results, other, folds) for other in others if other != norm}
    complete = {other: values for other, values in pairs.items() if first and values.keys() == first.keys()}
    order = sorted(first)
    tests = paired_tests([first[s] for s in order], [[values[s] for s in order] for values in complete.values()])
    return dict(zip(complete, tests, strict=True))


def _dice(result: dict[str, Any], part: str) -> list[float]:
    return [score.dice for score in scores(result, part) if score.dice is not None]
