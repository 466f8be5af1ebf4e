"""Job summary: the numbers of the tables, computed from finished jobs, with the learning rate chosen in two ways."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

import numpy as np

from cardioseg.measure.significance import Interval, PairedTest, bootstrap_interval, holm, paired_tests
from cardioseg.measure.spread import Spread, spread
from cardioseg.reproduce.job_outcome import EXTERNAL, TEST, Outcome
from cardioseg.reproduce.protocol import Job

Results = Mapping[Job, Outcome]


@dataclass(frozen=True)
class Cell:
    """The figure of one norm on one fold.

    Attributes:
        learning_rate: the best learning rate of the jobs.
        dice: Dice per image of the fold's test subjects.
        external: Dice per image of the second dataset.
    """

    learning_rate: float
    dice: Spread
    external: Spread


def of_first_seed(results: Results) -> Results:
    """The jobs of the lowest seed, which the tables show. The other seeds serve for the spread between seeds."""
    first = min((job.seed for job in results), default=0)
    return {job: outcome for job, outcome in results.items() if job.seed == first}


def rates_run(results: Results, norm: str, fold: int) -> list[float]:
    """The learning rates of one norm's finished jobs on one fold, the largest first."""
    rates = {job.learning_rate for job in results if (job.norm, job.fold) == (norm, fold)}
    return sorted(rates, reverse=True)


def cell(results: Results, norm: str, fold: int, chosen_by: str) -> Cell | None:
    """The figure of one norm on one fold, or None if no job is finished.

    Args:
        results: finished jobs of one seed.
        norm: the norm of the row.
        fold: the fold of the column.
        chosen_by: `test` takes the learning rate that is best on the test images, as in the paper, which is optimistic;
            `choosing` takes the one that is best on training subjects kept out of training.
    """
    rate = best_rate(results, norm, fold, chosen_by)
    if rate is None:
        return None
    outcomes = [o for job, o in results.items() if (job.norm, job.fold, job.learning_rate) == (norm, fold, rate)]
    of_part = {part: spread([dice for outcome in outcomes for dice in outcome.dice(part)]) for part in (TEST, EXTERNAL)}
    return Cell(rate, of_part[TEST], of_part[EXTERNAL])


def best_rate(results: Results, norm: str, fold: int, chosen_by: str) -> float | None:
    """The learning rate with the highest mean Dice per image; of equally good rates the largest."""
    means = mean_by_rate(results, norm, fold, chosen_by)
    return max(means, key=lambda rate: (means[rate], rate)) if means else None


def mean_by_rate(results: Results, norm: str, fold: int, part: str) -> dict[float, float]:
    """The mean Dice per image of each learning rate's finished jobs."""
    by_rate: dict[float, list[float]] = {}
    for job, outcome in results.items():
        if (job.norm, job.fold) == (norm, fold):
            by_rate.setdefault(job.learning_rate, []).extend(outcome.dice(part))
    return {rate: fmean(values) for rate, values in by_rate.items() if values}


def by_subject(results: Results, norm: str, folds: int) -> dict[int, dict[str, float]]:
    """For each seed, the mean Dice of each subject when it was in the test fold.

    Seeds that lack subjects of the lowest seed are left out: their jobs are not all finished.
    """
    by_seed = {}
    for seed in sorted({job.seed for job in results if job.norm == norm}):
        of_seed = {job: outcome for job, outcome in results.items() if job.seed == seed}
        by_seed[seed] = _by_subject(of_seed, norm, folds)
    first = next(iter(by_seed.values()), {})
    return {seed: dice for seed, dice in by_seed.items() if first and dice.keys() == first.keys()}


def _by_subject(results: Results, norm: str, folds: int) -> dict[str, float]:
    values: dict[str, list[float]] = {}
    for fold in range(folds):
        rate = best_rate(results, norm, fold, TEST)
        for job, outcome in results.items():
            if (job.norm, job.fold, job.learning_rate) == (norm, fold, rate):
                for score in outcome.scores[TEST]:
                    if score.dice is not None:
                        values.setdefault(score.subject_id, []).append(score.dice)
    return {subject_id: fmean(dice) for subject_id, dice in values.items()}


def _mean_over_seeds(by_seed: Mapping[int, Mapping[str, float]], seeds: Iterable[int]) -> dict[str, float]:
    """The mean Dice of each subject over some seeds, in the order of the subjects' names."""
    chosen = [by_seed[seed] for seed in seeds]
    return {subject_id: fmean(dice[subject_id] for dice in chosen) for subject_id in sorted(chosen[0])}


def dice_interval(results: Results, norm: str, folds: int, seed: int) -> Interval | None:
    """Mean Dice over subjects and seeds with its bootstrap interval over subjects, or None if no job is finished."""
    by_seed = by_subject(results, norm, folds)
    values = list(_mean_over_seeds(by_seed, by_seed).values()) if by_seed else []
    return bootstrap_interval(values, np.random.default_rng(seed)) if values else None


@dataclass(frozen=True)
class NormTest:
    """The test of a norm against another one.

    Attributes:
        test: of the Dice of the same subjects, each the mean over `seeds`.
        seeds: the seeds that both norms ran with.
    """

    test: PairedTest
    seeds: tuple[int, ...]


def comparisons(results: Results, norm: str, rivals: Sequence[str], folds: int) -> dict[str, NormTest]:
    """Paired tests of a norm against each rival that was tested on the same subjects."""
    own = by_subject(results, norm, folds)
    tests: dict[str, NormTest] = {}
    for rival in (rival for rival in rivals if rival != norm):
        theirs = by_subject(results, rival, folds)
        shared = tuple(seed for seed, dice in own.items() if dice.keys() == theirs.get(seed, {}).keys())
        if shared:
            first, other = (list(_mean_over_seeds(dice, shared).values()) for dice in (own, theirs))
            tests[rival] = NormTest(paired_tests(first, [other])[0], shared)
    corrected = holm([tested.test.p for tested in tests.values()])
    return {
        rival: replace(tested, test=replace(tested.test, p_holm=p))
        for (rival, tested), p in zip(tests.items(), corrected, strict=True)
    }


@dataclass(frozen=True)
class SeedSpread:
    """The spread of a norm's results between seeds.

    Attributes:
        means: for each seed, the mean over the folds of the mean Dice per image.
        std: the standard deviation between these means.
    """

    means: dict[int, float]
    std: float


def seed_spread(results: Results, norm: str, folds: int) -> SeedSpread | None:
    """The spread between the seeds of a norm that ran on every fold; None with fewer than two such seeds."""
    means = {}
    for seed in sorted({job.seed for job in results if job.norm == norm}):
        of_seed = {job: outcome for job, outcome in results.items() if job.seed == seed}
        mean = mean_over_folds(cell(of_seed, norm, fold, TEST) for fold in range(folds))
        if mean is not None:
            means[seed] = mean
    return SeedSpread(means, stdev(means.values())) if len(means) > 1 else None


def mean_over_folds(cells: Iterable[Cell | None]) -> float | None:
    """The mean of the folds' mean Dice per image, or None if a fold has no Dice."""
    means = [cell.dice.mean if cell else None for cell in cells]
    present = [mean for mean in means if mean is not None]
    return fmean(present) if present and len(present) == len(means) else None
