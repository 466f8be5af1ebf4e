"""Pilot: short jobs on one fold that choose each norm's learning rate for the jobs of the tables.

A norm that has found nothing by the end of its short jobs has its learning rate chosen by full jobs on the same fold.
"""

from collections.abc import Callable, Sequence

from cardioseg.reproduce.experiment import finished
from cardioseg.reproduce.job_outcome import CHOOSING
from cardioseg.reproduce.job_summary import Results, best_rate, mean_by_rate
from cardioseg.reproduce.protocol import PILOT_FOLD, Job, Protocol, claim, plan

_SEED = 0


def choose_rates(
    protocol: Protocol,
    norms: Sequence[str],
    learning_rates: Sequence[float],
    run: Callable[[Protocol, Sequence[Job]], None],
) -> dict[str, list[float]]:
    """Run the pilot and choose one learning rate for each norm.

    Args:
        protocol: of the jobs that the rates are for.
        norms: to choose rates for.
        learning_rates: to choose from.
        run: runs jobs that are not finished yet.

    Raises:
        UsageError: the folder of the pilot holds jobs of another protocol.
    """
    claim(protocol.pilot)
    run(protocol.pilot, pilot_jobs(norms, learning_rates))
    tried = finished(protocol.pilot)
    if slow := undecided(tried, norms):
        run(protocol, pilot_jobs(slow, learning_rates))
        tried |= {job: outcome for job, outcome in finished(protocol).items() if job.norm in slow}
    return {norm: [chosen_rate(tried, norm)] for norm in norms}


def pilot_jobs(norms: Sequence[str], learning_rates: Sequence[float]) -> list[Job]:
    """One job for every learning rate of every norm, on one fold."""
    return plan(dict.fromkeys(norms, learning_rates), [PILOT_FOLD], [_SEED])


def chosen_rate(results: Results, norm: str) -> float:
    """The learning rate that is best on the subjects kept out of training; of equally good rates the largest.

    Raises:
        ValueError: the norm has no finished job.
    """
    rate = best_rate(results, norm, PILOT_FOLD, CHOOSING)
    if rate is None:
        raise ValueError(f"{norm} has no finished job")
    return rate


def undecided(results: Results, norms: Sequence[str]) -> list[str]:
    """The norms that have Dice 0 at every learning rate."""
    return [norm for norm in norms if not any(mean_by_rate(results, norm, PILOT_FOLD, CHOOSING).values())]
