"""Tables: the paper's layout with the paper's figures beside ours, and what the paper does not give."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cardioseg.files import write_csv, write_json, write_text
from cardioseg.reproduce.jobs import Job
from cardioseg.reproduce.paper import BEYOND, ITERATIONS_S, MORE_PARAMETERS, TABLES, Organ, Row
from cardioseg.reproduce.results import BY_TEST, HELD_OUT, Cell, Results, against, cell, interval

_COLUMNS = ("table", "row", "norm", "fold", "chosen_by", "learning_rate", "dice", "std", "n", "paper_dice", "paper_std")
_OF_A_JOB = ("images", "steps", "seconds", "weights_sha256")


@dataclass(frozen=True)
class Report:
    """All that the tables say.

    Attributes:
        organ: the task.
        command: that makes the same run.
        steps_fraction: the part of the paper's steps that was run.
        header: what was run: data set, images, rotations, steps, seeds, device; name -> text.
        results: finished jobs.
        tables: which of the paper's tables.
        folds: number of folds.
        cost: `cost.Cost` as a dictionary, or None where it was not measured.
    """

    organ: Organ
    command: str
    steps_fraction: float
    header: dict[str, str]
    results: Results
    tables: Sequence[int]
    folds: int
    cost: dict[str, Any] | None = None

    def rows(self, table: int) -> tuple[Row, ...]:
        """The rows of one of the paper's tables, those beyond the paper under table 3."""
        finished = {job.norm for job in self.results}
        beyond = tuple(row for row in BEYOND if row.norm in finished) if table == max(TABLES) else ()
        return TABLES[table][1] + beyond

    def to_json(self) -> dict[str, Any]:
        """Everything, ready for `json.dumps`."""
        norms = list(dict.fromkeys(row.norm for table in self.tables for row in self.rows(table)))
        intervals = {norm: interval(self.results, norm, self.folds, seed=0) for norm in norms}
        return {
            "title": self.organ.title,
            "command": self.command,
            "steps_fraction": self.steps_fraction,
            "header": self.header,
            "cells": list(self.cells()),
            "per_subject": {norm: asdict(found) for norm, found in intervals.items() if found},
            "iln_against": {n: asdict(test) for n, test in against(self.results, "iln", norms, self.folds).items()},
            "cost": self.cost,
        }

    def cells(self) -> Iterator[dict[str, Any]]:
        """A record a figure."""
        for table in self.tables:
            for row in self.rows(table):
                for fold in range(self.folds):
                    for chosen_by in (BY_TEST, HELD_OUT):
                        found = cell(self.results, row.norm, fold, chosen_by)
                        if found:
                            yield self._record(table, row, fold, chosen_by, found)

    def _record(self, table: int, row: Row, fold: int, chosen_by: str, found: Cell) -> dict[str, Any]:
        paper = row.paper(self.organ.name)[fold : fold + 1]
        figures = (found.learning_rate, found.dice.mean, found.dice.std, found.dice.n)
        values = (table, row.title, row.norm, fold + 1, chosen_by, *figures, *(paper[0] if paper else (None, None)))
        return dict(zip(_COLUMNS, values, strict=True))

    def to_markdown(self) -> str:
        """The tables for people."""
        facts = [f"- {name}: {text}" for name, text in self.header.items()]
        tables = [line for table in self.tables for line in [*self._table(table), ""]]
        return "\n".join([*facts, "", *tables, *self._subjects(), *self._cost()]) + "\n"

    def _table(self, table: int) -> Iterator[str]:
        names = [f"{self.organ.name.upper()}-{fold + 1}" for fold in range(self.folds)]
        yield f"### Table {table}. {TABLES[table][0]}"
        yield ""
        yield "| method | " + " | ".join(f"{name} paper | {name} ours | rate held out" for name in names) + " |"
        yield "|---|" + "---|" * (3 * self.folds)
        best = [self._best(table, fold) for fold in range(self.folds)]
        for row in self.rows(table):
            parts = (part for fold in range(self.folds) for part in self._parts(row, fold, best[fold]))
            yield f"| {row.title} | " + " | ".join(parts) + " |"

    def _best(self, table: int, fold: int) -> float:
        found = (cell(self.results, row.norm, fold, BY_TEST) for row in self.rows(table))
        return max((one.dice.mean for one in found if one and one.dice.mean is not None), default=0.0)

    def _parts(self, row: Row, fold: int, best: float) -> tuple[str, str, str]:
        paper = row.paper(self.organ.name)[fold : fold + 1]
        ours, honest = (cell(self.results, row.norm, fold, chosen_by) for chosen_by in (BY_TEST, HELD_OUT))
        text = _text(ours)
        bold = f"**{text}**" if ours and ours.dice.mean == best > 0 else text
        return (f"{paper[0][0]:.3f} ± {paper[0][1]:.3f}" if paper else "–", bold, _text(honest))

    def _subjects(self) -> Iterator[str]:
        document = self.to_json()
        yield "### Per subject, all folds"
        yield ""
        yield "| norm | mean Dice | 95 % interval | subjects | ILN minus this | p (Wilcoxon) | p (Holm) |"
        yield "|---|---|---|---|---|---|---|"
        for norm, one in document["per_subject"].items():
            test = document["iln_against"].get(norm)
            compared = f"{test['difference']:+.3f} | {test['p']:.3g} | {test['p_holm']:.3g}" if test else "– | – | –"
            yield f"| {norm} | {one['mean']:.3f} | {one['low']:.3f} to {one['high']:.3f} | {one['n']} | {compared} |"
        yield ""

    def _cost(self) -> Iterator[str]:
        if not self.cost:
            return
        paper = ITERATIONS_S["iln"] / ITERATIONS_S["in"]
        yield "### Cost of ILN"
        yield ""
        yield f"- {self.cost['iterations']} iterations: IN {self.cost['in_s']:.1f} s, ILN {self.cost['iln_s']:.1f} s, "
        yield f"  {100 * (self.cost['ratio'] - 1):+.1f} % by the median of turns side by side (paper: "
        yield f"  {100 * (paper - 1):+.1f} %), on {self.cost['device']}"
        yield f"- parameters: {self.cost['more_parameters']} more than IN (paper: {MORE_PARAMETERS})"


def write_tables(report: Report, folder: Path) -> None:
    """Write `tables.md`, `tables.csv`, `tables.json`, and `jobs.csv` with what each network took and came to."""
    write_json(folder / "tables.json", report.to_json())
    write_csv(folder / "tables.csv", _COLUMNS, report.cells())
    write_text(folder / "tables.md", report.to_markdown())
    jobs = (result["job"] | {name: result[name] for name in _OF_A_JOB} for result in report.results.values())
    write_csv(folder / "jobs.csv", (*Job.__annotations__, *_OF_A_JOB), jobs)


def _text(found: Cell | None) -> str:
    if found is None or found.dice.mean is None:
        return "not run"
    return f"{found.dice.mean:.3f} ± {found.dice.std or 0:.3f} ({found.learning_rate:g})"
