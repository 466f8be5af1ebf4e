"""Tables: the paper's figures and ours side by side, and figures that the paper does not give, as records."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from statistics import fmean
from typing import Any

from cardioseg.reproduce.job_outcome import CHOOSING, TEST, Outcome
from cardioseg.reproduce.job_summary import (
    Cell,
    Results,
    cell,
    comparisons,
    dice_interval,
    mean_by_rate,
    of_first_seed,
    rates_run,
    seed_spread,
)
from cardioseg.reproduce.paper import BEYOND, TABLES, Organ, Row
from cardioseg.reproduce.protocol import PILOT_FOLD

COLUMNS = (
    "table", "row", "norm", "fold", "chosen_by", "learning_rate", "dice", "std", "n", "paper_dice", "paper_std",
    "external_dice", "external_std", "external_n",
)  # fmt: skip


@dataclass(frozen=True)
class Report:
    """The content of the tables.

    Attributes:
        organ: the task.
        command: the commands that repeat the run, one per line.
        steps_fraction: the part of the grid of images and rotations that was trained on.
        share_of_paper: the updates of a job's weights as a share of the paper's.
        header: the description of the run: data set, images, rotations, steps, seeds, device; name -> text.
        finished: finished jobs of all seeds.
        tables: numbers of the paper's tables.
        folds: number of folds.
        cost: `cost.Cost` as a dictionary, or None if it was not measured.
        pilot: finished jobs that chose the learning rates; empty if all rates ran on all folds.
        external: the name of the second dataset, or None.
    """

    organ: Organ
    command: str
    steps_fraction: float
    share_of_paper: float
    header: dict[str, str]
    finished: Results
    tables: Sequence[int]
    folds: int
    cost: dict[str, Any] | None = None
    pilot: Results = field(default_factory=dict)
    external: str | None = None

    @property
    def results(self) -> Results:
        """The jobs that the tables of the paper and of the second dataset show: those of the lowest seed."""
        return of_first_seed(self.finished)

    @property
    def norms(self) -> tuple[str, ...]:
        """The norms of the tables, each once."""
        return tuple(dict.fromkeys(row.norm for table in self.tables for row in self.rows(table)))

    def rows(self, table: int) -> tuple[Row, ...]:
        """The rows of one of the paper's tables; the last table also has the norms beyond the paper."""
        finished = {job.norm for job in self.finished}
        beyond = tuple(row for row in BEYOND if row.norm in finished) if table == max(TABLES) else ()
        return TABLES[table][1] + beyond

    def cell(self, norm: str, fold: int, chosen_by: str = TEST) -> Cell | None:
        """The figure of one norm on one fold, or None if no job is finished."""
        return cell(self.results, norm, fold, chosen_by)

    def was_chosen(self, norm: str, fold: int) -> bool:
        """Whether a figure's learning rate was chosen from several."""
        return bool(self.pilot_means(norm)) or len(rates_run(self.results, norm, fold)) > 1

    @property
    def has_several_rates(self) -> bool:
        """Whether at least one figure was chosen from several learning rates."""
        return any(len(rates_run(self.results, norm, f)) > 1 for norm in self.norms for f in range(self.folds))

    def pilot_means(self, norm: str) -> dict[float, float]:
        """The result of each learning rate in the pilot: the mean Dice per image of the subjects kept out."""
        means = mean_by_rate(self.pilot, norm, PILOT_FOLD, CHOOSING)
        return dict(sorted(means.items(), reverse=True))

    def to_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        intervals = {norm: dice_interval(self.finished, norm, self.folds, seed=0) for norm in self.norms}
        spreads = {norm: seed_spread(self.finished, norm, self.folds) for norm in self.norms}
        pilot = {norm: means for norm in self.norms if (means := self.pilot_means(norm))}
        return {
            "title": self.organ.title,
            "command": self.command,
            "steps_fraction": self.steps_fraction,
            "share_of_paper": self.share_of_paper,
            "header": self.header,
            "cells": list(self.cells()),
            "per_subject": {norm: asdict(interval) for norm, interval in intervals.items() if interval},
            "iln_against": {
                rival: asdict(tested.test) | {"seeds": list(tested.seeds)}
                for rival, tested in comparisons(self.finished, "iln", self.norms, self.folds).items()
            },
            "pilot": {norm: {f"{rate:g}": mean for rate, mean in means.items()} for norm, means in pilot.items()},
            "seeds": {norm: asdict(spread) for norm, spread in spreads.items() if spread},
            "external": self.external,
            "cost": self.cost,
        }

    def drawn_in_empty(self, norm: str, part: str) -> list[bool]:
        """For each image of a part without the structure, in all folds, whether the norm's network draws it there."""
        return [is_drawn for outcome in self._shown(norm) for is_drawn in outcome.drawn_in_empty(part)]

    def mean_with_false(self, norm: str) -> float | None:
        """The mean over the folds of Dice per image, if an image without the structure counts 0 where it is drawn."""
        of_folds = [outcome.dice(TEST) + [0.0] * sum(outcome.drawn_in_empty(TEST)) for outcome in self._shown(norm)]
        return fmean(map(fmean, of_folds)) if of_folds and all(of_folds) else None

    def _shown(self, norm: str) -> list[Outcome]:
        """The jobs of a norm that the tables show, one a fold."""
        cells = {fold: self.cell(norm, fold) for fold in range(self.folds)}
        rates = {fold: found.learning_rate for fold, found in cells.items() if found}
        return [
            outcome
            for job, outcome in self.results.items()
            if job.norm == norm and rates.get(job.fold) == job.learning_rate
        ]

    def cells(self) -> Iterator[dict[str, Any]]:
        """One record per figure."""
        for table in self.tables:
            for row in self.rows(table):
                for fold in range(self.folds):
                    for chosen_by in (TEST, CHOOSING):
                        figure = self.cell(row.norm, fold, chosen_by)
                        if figure:
                            yield self._record(table, row, fold, chosen_by, figure)

    def _record(self, table: int, row: Row, fold: int, chosen_by: str, figure: Cell) -> dict[str, Any]:
        paper = row.paper(self.organ.name)[fold : fold + 1]
        ours, external = ((s.mean, s.std, s.n) for s in (figure.dice, figure.external))
        values = (table, row.title, row.norm, fold + 1, chosen_by, figure.learning_rate, *ours)
        return dict(zip(COLUMNS, (*values, *(paper[0] if paper else (None, None)), *external), strict=True))
