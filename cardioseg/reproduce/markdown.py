"""Markdown: the tables as text, in the paper's layout."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import fmean

from cardioseg.files import write_csv, write_json, write_text
from cardioseg.reproduce.job_outcome import CHOOSING, EXTERNAL, TEST, Outcome, Training
from cardioseg.reproduce.job_summary import mean_over_folds, seed_spread
from cardioseg.reproduce.paper import ITERATIONS_S, MORE_PARAMETERS, TABLES, Row
from cardioseg.reproduce.paper_tables import COLUMNS, Report
from cardioseg.reproduce.protocol import PILOT_FOLD, Job
from cardioseg.wording import UNKNOWN

EXTERNAL_TABLE = 4


def write_tables(report: Report, folder: Path) -> None:
    """Write `tables.md`, `tables.csv`, `tables.json`, and `jobs.csv` with each network's training."""
    write_json(folder / "tables.json", report.to_json())
    write_csv(folder / "tables.csv", COLUMNS, report.cells())
    write_text(folder / "tables.md", markdown(report))
    jobs = (
        asdict(job) | asdict(outcome.training) | {"test_dice": _mean_dice(outcome)}
        for job, outcome in report.finished.items()
    )
    write_csv(folder / "jobs.csv", (*Job.__annotations__, *Training.__annotations__, "test_dice"), jobs)


def _mean_dice(outcome: Outcome) -> float | None:
    return fmean(dice) if (dice := outcome.dice(TEST)) else None


def markdown(report: Report) -> str:
    """The header and every table."""
    facts = [f"- {name}: {text}" for name, text in report.header.items()]
    tables = [line for table in report.tables for line in [*_table(report, table), ""]]
    appendix = (
        *_subjects(report),
        *_empty(report),
        *_external(report),
        *_seeds(report),
        *_pilot(report),
        *_cost(report),
    )
    return "\n".join([*facts, "", *tables, *appendix]) + "\n"


def _lines(title: str, columns: Sequence[str], rows: Iterator[Sequence[str]]) -> Iterator[str]:
    yield f"### {title}"
    yield ""
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    yield from (f"| {' | '.join(row)} |" for row in rows)


def _table(report: Report, table: int) -> Iterator[str]:
    folds = [f"{report.organ.name.upper()}-{fold + 1}" for fold in range(report.folds)]
    ours = ("ours", "rate held out") if report.has_several_rates else ("ours",)
    columns = [
        "method",
        *(f"{fold} {source}" for fold in folds for source in ("paper", *ours)),
        "mean paper",
        "mean ours",
    ]
    rows = ((row.title, *_figures(report, table, row)) for row in report.rows(table))
    yield from _lines(f"Table {table}. {TABLES[table][0]}", columns, rows)


def _figures(report: Report, table: int, row: Row) -> Iterator[str]:
    paper = row.paper(report.organ.name)
    for fold in range(report.folds):
        yield f"{paper[fold][0]:.3f} ± {paper[fold][1]:.3f}" if fold < len(paper) else UNKNOWN
        mean, text = _mean(report, row.norm, fold), _text(report, row.norm, fold, TEST)
        yield _bold(text, is_best=bool(mean) and mean == _best(report, table, fold))
        if report.has_several_rates:
            yield _text(report, row.norm, fold, CHOOSING)
    yield f"{sum(mean for mean, _ in paper) / len(paper):.3f}" if len(paper) == report.folds else UNKNOWN
    yield _number(mean_over_folds(report.cell(row.norm, fold) for fold in range(report.folds)))


def _mean(report: Report, norm: str, fold: int) -> float | None:
    cell = report.cell(norm, fold)
    return cell.dice.mean if cell else None


def _best(report: Report, table: int, fold: int) -> float:
    return max(_mean(report, row.norm, fold) or 0 for row in report.rows(table))


def _text(report: Report, norm: str, fold: int, chosen_by: str) -> str:
    cell = report.cell(norm, fold, chosen_by)
    if cell is None or cell.dice.mean is None:
        return "not run"
    rate = f" ({cell.learning_rate:g})" if report.was_chosen(norm, fold) else ""
    return f"{cell.dice.mean:.3f} ± {cell.dice.std or 0:.3f}{rate}"


def _bold(text: str, *, is_best: bool) -> str:
    return f"**{text}**" if is_best else text


def _number(value: float | None) -> str:
    return UNKNOWN if value is None else f"{value:.3f}"


def _subjects(report: Report) -> Iterator[str]:
    document = report.to_json()

    def rows() -> Iterator[Sequence[str]]:
        for norm, dice in document["per_subject"].items():
            test = document["iln_against"].get(norm)
            tested = (UNKNOWN,) * 4
            if test:
                seeds = ", ".join(map(str, test["seeds"]))
                tested = (f"{test['difference']:+.3f}", f"{test['p']:.3g}", f"{test['p_holm']:.3g}", seeds)
            yield norm, f"{dice['mean']:.3f}", f"{dice['low']:.3f} to {dice['high']:.3f}", str(dice["n"]), *tested

    columns = (
        "norm",
        "mean Dice",
        "95 % interval",
        "subjects",
        "ILN minus this",
        "p (Wilcoxon)",
        "p (Holm)",
        "seeds compared",
    )
    yield from _lines("Per subject", columns, rows())
    yield ""
    if len({job.seed for job in report.finished}) > 1:
        yield "A subject's Dice is the mean over the seeds of the norm. The tests use the seeds that both norms have."
        yield ""


def _empty(report: Report) -> Iterator[str]:
    """How often networks draw the structure where the reference has none."""
    parts = {"own data": TEST} | ({report.external: EXTERNAL} if report.external else {})
    drawn = {norm: [report.drawn_in_empty(norm, part) for part in parts.values()] for norm in report.norms}
    if not any(any(of_norm) for of_norm in drawn.values()):
        return
    rows = (
        (
            norm,
            *(f"{100 * fmean(of_part):.1f} % of {len(of_part)}" if of_part else UNKNOWN for of_part in of_norm),
            _number(report.mean_with_false(norm)),
        )
        for norm, of_norm in drawn.items()
        if any(of_norm)
    )
    yield from _lines(
        "Images without the structure: in how many the network draws it", ("norm", *parts, "mean Dice with these"), rows
    )
    yield ""
    yield "The other tables leave these images out, so that all networks are scored on the same images. The last column"
    yield "is the mean over the folds if each image in which a network draws what is not there counts 0."
    if report.external:
        yield f"An image of {report.external} counts once for the network of each fold."
    yield ""


def _external(report: Report) -> Iterator[str]:
    if not report.external:
        return

    def rows() -> Iterator[Sequence[str]]:
        for norm in report.norms:
            cells = [report.cell(norm, fold) for fold in range(report.folds)]
            internal = mean_over_folds(cells)
            means = [cell.external.mean if cell else None for cell in cells]
            present = [mean for mean in means if mean is not None]
            external = sum(present) / len(present) if len(present) == report.folds else None
            change = UNKNOWN if internal is None or external is None else f"{external - internal:+.3f}"
            yield norm, *map(_number, means), _number(external), _number(internal), change

    networks = (f"network {fold + 1}" for fold in range(report.folds))
    columns = ("norm", *networks, "mean", "mean on its own data", "change")
    title = f"Table {EXTERNAL_TABLE}. Other scanners: the same networks on every subject of {report.external}"
    yield from _lines(title, columns, rows())
    yield ""


def _seeds(report: Report) -> Iterator[str]:
    spreads = {norm: seed_spread(report.finished, norm, report.folds) for norm in report.norms}
    rows = (
        (norm, ", ".join(f"{mean:.3f}" for mean in spread.means.values()), f"{spread.std:.4f}")
        for norm, spread in spreads.items()
        if spread
    )
    if any(spreads.values()):
        columns = ("norm", "mean over the folds, a figure a seed", "standard deviation between seeds")
        yield from _lines("Spread between seeds", columns, iter(rows))
        yield ""


def _pilot(report: Report) -> Iterator[str]:
    tried = sorted({job.learning_rate for job in report.pilot}, reverse=True)
    if not tried:
        return

    def rows() -> Iterator[Sequence[str]]:
        for norm in report.norms:
            means = report.pilot_means(norm)
            best = max(means.values(), default=0)
            yield norm, *(_bold(_number(means.get(rate)), is_best=0 < best == means.get(rate)) for rate in tried)

    steps = sorted({outcome.training.steps for outcome in report.pilot.values()})
    yield from _lines("Learning rates tried in the pilot", ("norm", *(f"{rate:g}" for rate in tried)), rows())
    yield ""
    yield f"Mean Dice per image on the training subjects of fold {PILOT_FOLD + 1} that are kept out of training, after"
    yield f"{steps[0]} steps. The best rate is chosen."
    if any(means and not any(means.values()) for means in map(report.pilot_means, report.norms)):
        yield f"Where none has found anything by then, all rates run in full on fold {PILOT_FOLD + 1}, and the best of"
        yield "them on the other folds."
    yield ""


def _cost(report: Report) -> Iterator[str]:
    if not report.cost:
        return
    cost, paper = report.cost, ITERATIONS_S["iln"] / ITERATIONS_S["in"]
    yield "### Cost of ILN"
    yield ""
    yield (
        f"- {cost['iterations']} iterations take {cost['in_s']:.1f} s with IN and {cost['iln_s']:.1f} s with ILN "
        f"(medians), on {cost['device']}; turn by turn, ILN takes {100 * (cost['ratio'] - 1):+.1f} % (median; paper: "
        f"{100 * (paper - 1):+.1f} %)"
    )
    yield f"- parameters: {cost['more_parameters']} more than IN (paper: {MORE_PARAMETERS})"
