"""Pilot: short jobs on one fold that choose each norm's learning rate for the jobs of the tables."""

from collections.abc import Sequence

from cardioseg.reproduce.job_outcome import CHOOSING
from cardioseg.reproduce.job_summary import Results, best_rate, mean_by_rate
from cardioseg.reproduce.protocol import PILOT_FOLD, Job, plan

_SEED = 0


def pilot_jobs(norms: Sequence[str], learning_rates: Sequence[float]) -> list[Job]:
    """One job for every learning rate of every norm, on one fold."""
    return plan(dict.fromkeys(norms, learning_rates), [PILOT_FOLD], [_SEED])


def chosen_rates(results: Results, norm: str, learning_rates: Sequence[float]) -> list[float]:
    """The learning rate that is best on the subjects kept out of training; all rates if each has Dice 0 or no job."""
    rate = best_rate(results, norm, PILOT_FOLD, CHOOSING)
    means = mean_by_rate(results, norm, PILOT_FOLD, CHOOSING)
    return list(learning_rates) if rate is None or not means[rate] else [rate]
