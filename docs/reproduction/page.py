"""Writes docs/reproduction.md from the tables.json of the runs beside this file: `python docs/reproduction/page.py`.

No figure in the page is typed: what the text claims is computed here from the same numbers that the tables show.
"""

import csv
import json
from collections.abc import Iterator, Sequence
from io import StringIO
from math import sqrt
from pathlib import Path
from statistics import correlation, fmean
from typing import Any

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "reproduction.md"
SIGNIFICANT = 0.05
PAPER_FOLDS = 3
WHOLE, ENOUGH = 0.999, 0.9  # of the rotation grid, and of the paper's steps
FULL, RATES = "rv_full", "rv_rates"
NEAR = 0.02  # of a mean Dice: as near as the paper, with other folds, can be expected to be met
TITLES = {
    "none": "no norm",
    "in": "IN",
    "ln": "LN",
    "gn4": "GN4",
    "il-clip": "IN and LN by clip",
    "il-sigmoid": "IN and LN by sigmoid",
    "il-softmax": "IN and LN by softmax",
    "iln": "ILN",
}  # the paper's eight
BEYOND = {"bn": "BN", "gn16": "GN16", "iln-clip": "clip with GN16", "iln-softmax": "softmax with GN16"}
OTHERS = ("none", "in", "ln", "gn4")  # the paper's table 3
GATES = ("il-clip", "il-sigmoid", "il-softmax")  # of table 1
MNMS_PIXELS = (
    "The copy of M&Ms that is used here states one pixel size for all scans of a centre, which may be a guess, and the "
    "images are resampled by it."
)
CAPTIONS = {
    2: "Reference red, prediction green, overlap yellow. The hearts are divided into eight parts from end to end; "
    "one image is chosen at random from each.",
    3: "ρ during training.",
}

INTRODUCTION = """\
# The paper's experiments, run again

Zhou et al., *U-Net Training with Instance-Layer Normalization* (2019), compares normalization layers in one U-Net on
the left ventricle (Sunnybrook, public) and the right ventricle (private). `cardioseg reproduce` runs the same
comparisons on data that anyone can get. `python docs/reproduction/page.py` writes this page from the `tables.json` of
these runs: every number comes from a run.
"""

DISTANCE = """\
Each section first lists how its run differs from the paper's protocol. The folds differ from the paper's, because the
paper does not say which subjects they contain. The finished jobs are stored with this page, without weights; the
commands continue from them.
"""


def page(folder: Path = FOLDER) -> str:
    """The whole page, from every run beside this file."""
    paths = [path for path in sorted(folder.glob("*/tables.json")) if path.parent.name != RATES]
    runs = {path.parent.name: json.loads(path.read_text()) for path in paths}
    sections = (line for name, run in runs.items() for line in section(folder / name, run))
    verdicts = (verdict(run) for run in runs.values())
    return "\n".join([INTRODUCTION, *summary(runs), *verdicts, DISTANCE, *sections, *other_rates(folder)])


def summary(runs: dict[str, dict[str, Any]]) -> Iterator[str]:
    """The mean Dice over the folds of every norm, ours beside the paper's."""
    titles = [f"{heading(run)}, {of}" for run in runs.values() for of in ("paper", "cardioseg")]
    yield f"| norm | {' | '.join(titles)} |"
    yield "|---|" + "---:|" * len(titles)
    for norm, title in TITLES.items():
        pairs = [means(run).get(norm) for run in runs.values()]
        figures = (f"{figure:.3f}" if pair else "not run" for pair in pairs for figure in pair or (0, 0))
        yield f"| {title} | {' | '.join(figures)} |"
    yield ""


def heading(run: dict[str, Any]) -> str:
    """The ventricle, and how this run differs from another of the same ventricle."""
    folds = sorted({cell["fold"] for cell in run["cells"]})
    steps = " at all rotations" if run["steps_fraction"] >= WHOLE else ""
    counted = f"fold {folds[0]}" if len(folds) == 1 else f"folds {' and '.join(map(str, folds))}"
    return f"{run['title']}{steps}{f' ({counted} only)' if len(folds) < PAPER_FOLDS else ''}"


def means(run: dict[str, Any]) -> dict[str, tuple[float, float]]:
    """The paper's and our mean Dice over the folds, for each norm of the paper's that has run on all of them.

    Ours is the mean over the seeds, where a norm has run with several.
    """
    cells = [cell for cell in run["cells"] if cell["chosen_by"] == "test" and cell["paper_dice"] is not None]
    folds = {cell["fold"] for cell in cells}
    of_norm = {norm: {c["fold"]: c for c in cells if c["norm"] == norm}.values() for norm in TITLES}
    of_seeds = {norm: fmean(spread["means"].values()) for norm, spread in run.get("seeds", {}).items()}
    return {
        norm: (
            fmean(cell["paper_dice"] for cell in found),
            of_seeds.get(norm, fmean(cell["dice"] for cell in found)),
        )
        for norm, found in of_norm.items()
        if len(found) == len(folds)
    }


def noise(run: dict[str, Any]) -> float | None:
    """How much the means of two norms of one seed each may differ by chance: 2 standard deviations of the difference.

    The standard deviation between seeds is that of the norm with the larger one; None where no norm has several seeds.
    """
    spreads = [spread["std"] for spread in run.get("seeds", {}).values()]
    return 2 * sqrt(2) * max(spreads) if spreads else None


def verdict(run: dict[str, Any]) -> str:
    """What agrees with the paper, what does not, and how sure that is."""
    return f"**{heading(run)}.** {' '.join([*_nearness(run), *_order(run), *_certainty(run), *_silence(run)])}\n"


def _nearness(run: dict[str, Any]) -> Iterator[str]:
    compared = means(run)
    near = [TITLES[norm] for norm, (paper, ours) in compared.items() if ours > paper - NEAR]
    far = {norm: ours - paper for norm, (paper, ours) in compared.items() if ours <= paper - NEAR}
    yield f"{len(near)} of {len(compared)} norms reach the paper's mean Dice or come within {NEAR:g} of it."
    if far:
        listed = ", ".join(f"{TITLES[norm]} {change:+.3f}" for norm, change in far.items())
        yield f"The others are lower: {listed}."


def _order(run: dict[str, Any]) -> Iterator[str]:
    compared = means(run)
    best = [max(compared, key=lambda norm: compared[norm][which]) for which in (0, 1)]
    if len(compared) > 2:
        agreement = correlation(*map(_ranks, zip(*compared.values(), strict=True)))
        highest = compared[best[1]][1]
        near = [norm for norm, (_, ours) in compared.items() if ours >= highest - (noise(run) or 0)]
        near.sort(key=lambda norm: -compared[norm][1])
        titles = " and ".join(filter(None, [", ".join(TITLES[n] for n in near[:-1]), TITLES[near[-1]]]))
        said = f"are those of {titles}; they differ by less than chance may" if near[1:] else f"is that of {titles}"
        yield (
            f"The highest mean{'s' * bool(near[1:])} {said} (paper: {TITLES[best[0]]}). The rank correlation with the "
            f"paper's order of the norms is {agreement:.2f}."
        )


def _ranks(values: Sequence[float]) -> list[float]:
    """The place of each value; equal ones share theirs."""
    return [sum(other < value for other in values) + sum(other == value for other in values) / 2 for value in values]


def _certainty(run: dict[str, Any]) -> Iterator[str]:
    seeds = run.get("seeds", {})
    if seeds:
        listed = " and ".join(f"{TITLES.get(n, n)} {one['std']:.4f} ({len(one['means'])})" for n, one in seeds.items())
        yield f"Standard deviation of the mean over the folds between seeds (number of seeds): {listed}."
        yield (
            f"By chance, the means of two norms of one seed each may differ by {noise(run):.3f} (2 standard deviations "
            "of a difference; rough, from so few seeds)."
        )
    else:
        yield "Each norm has run with one seed only, so small differences are meaningless."


def _silence(run: dict[str, Any]) -> Iterator[str]:
    cells = [cell for cell in run["cells"] if cell["chosen_by"] == "test"]
    found = {norm: [cell["dice"] for cell in cells if cell["norm"] == norm] for norm in TITLES}
    silent = [norm for norm, dice in found.items() if dice and not any(dice)]
    if silent:
        tried = sorted({cell["learning_rate"] for cell in cells if cell["norm"] in silent}, reverse=True)
        yield (
            f"With {' and '.join(TITLES[norm] for norm in silent)} the network finds nothing at the learning rates "
            f"that ran in full ({', '.join(f'{rate:g}' for rate in tried)}). A likely reason: it first learns that "
            "nearly all pixels are background, and cannot leave this state at large learning rates."
        )


def section(folder: Path, run: dict[str, Any]) -> Iterator[str]:
    """One run: its commands, what it says about the paper's claims, its tables and its figures."""
    yield f"## {heading(run)}\n"
    yield f"```\n{run['command']}\n```\n"
    yield " ".join(claims(run)) + "\n"
    yield (folder / "tables.md").read_text()
    for number, text in CAPTIONS.items():
        if (folder / f"figure{number}.png").is_file():
            yield f"![Figure {number}](reproduction/{folder.name}/figure{number}.png)\n\nFigure {number}. {text}\n"


def claims(run: dict[str, Any]) -> Iterator[str]:
    """What agrees with the paper and what does not, sentence by sentence."""
    if run.get("external", "") and str(run["external"]).startswith("mnms"):
        yield MNMS_PIXELS
    figures = {(cell["norm"], cell["fold"]): cell for cell in run["cells"] if cell["chosen_by"] == "test"}
    folds = sorted({fold for _, fold in figures})
    yield from _level(run, folds)
    yield from _extent(run)
    compared = [norm for norm in OTHERS if all((norm, fold) in figures for fold in folds)]
    if compared:
        yield _best_of("iln", compared, figures, folds, "the paper's norms in table 3")
        yield _tests(run["iln_against"], compared)
    if all(("il-sigmoid", fold) in figures for fold in folds):
        yield _best_of("il-sigmoid", ["il-clip", "il-softmax"], figures, folds, "the three gates of table 1")
        yield _best_of("iln", ["il-sigmoid"], figures, folds, "the two methods of table 2 (with and without GN16)")
        yield _tests(run["iln_against"], [norm for norm in GATES if norm in run["iln_against"]])
    yield from _beyond(run, figures, folds)
    if run.get("seeds") and len(compared) > 1:
        yield "Counts of folds are those of seed 0."


def other_rates(folder: Path) -> Iterator[str]:
    """The learning rates that norms ran with on the right ventricle at all rotations; the best of each fold."""
    dice_of: dict[str, dict[float, dict[int, float]]] = {}  # by norm, learning rate and fold
    for path in (folder / run / "jobs.csv" for run in (FULL, RATES)):
        with path.open(newline="") if path.is_file() else StringIO() as file:
            for job in csv.DictReader(file):
                of_rate = dice_of.setdefault(job["norm"], {}).setdefault(float(job["learning_rate"]), {})
                of_rate[int(job["fold"])] = float(job["test_dice"])
    tried = {norm: by_rate for norm, by_rate in dice_of.items() if len(by_rate) > 1}
    if not tried:
        return
    folds = sorted({fold for by_rate in tried.values() for dice in by_rate.values() for fold in dice})
    yield "## Other learning rates on the right ventricle\n"
    yield "The paper runs every norm with five learning rates and takes the best of each fold. At all rotations, only"
    yield f"{' and '.join(TITLES[norm] for norm in tried)} ran with more than one rate, so the tables of this run"
    yield "show one rate for all norms. This table shows the mean Dice over the images of the test fold whose reference"
    yield "has the structure. The other rates ran with:\n"
    yield f"```\n{json.loads((folder / RATES / 'tables.json').read_text())['command']}\n```\n"
    yield f"| norm | learning rate | {' | '.join(f'RV-{fold + 1}' for fold in folds)} | mean |"
    yield "|---|---:|" + "---:|" * (len(folds) + 1)
    for norm, by_rate in tried.items():
        for rate, dice in sorted(by_rate.items(), reverse=True):
            yield _rate_row(norm, f"{rate:g}", [dice.get(fold) for fold in folds])
        best = [max(dice[fold] for dice in by_rate.values() if fold in dice) for fold in folds]
        yield _rate_row(norm, "best of each fold", best)
    yield ""


def _rate_row(norm: str, rate: str, dice: Sequence[float | None]) -> str:
    known = [value for value in dice if value is not None]
    mean = f"{fmean(known):.3f}" if len(known) == len(dice) else "–"
    shown = " | ".join("not run" if value is None else f"{value:.3f}" for value in dice)
    return f"| {TITLES[norm]} | {rate} | {shown} | {mean} |"


def _level(run: dict[str, Any], folds: list[int]) -> Iterator[str]:
    theirs, ours = means(run)["iln"]
    where = f"over the {len(folds)} folds" if len(folds) > 1 else f"on fold {folds[0]}"
    yield f"ILN reaches a mean Dice of {ours:.3f} {where}; the paper has {theirs:.3f}."


def _extent(run: dict[str, Any]) -> Iterator[str]:
    if run["share_of_paper"] < ENOUGH:
        yield f"It ran {100 * run['share_of_paper']:.0f} % of the paper's steps, so the results show how fast the"
        yield "network learns with each norm rather than how good it becomes in the end."


def _beyond(run: dict[str, Any], figures: dict[tuple[str, int], dict[str, Any]], folds: list[int]) -> Iterator[str]:
    """The norms that the paper does not have."""
    whole = [norm for norm in BEYOND if all((norm, fold) in figures for fold in folds)]
    if not whole:
        return
    shown = (f"{BEYOND[norm]} reaches {fmean(figures[norm, fold]['dice'] for fold in folds):.3f}" for norm in whole)
    yield f"Of the norms that the paper does not have, {', '.join(shown)}."
    yield _tests(run["iln_against"], whole)


def _best_of(
    norm: str, others: list[str], figures: dict[tuple[str, int], dict[str, Any]], folds: list[int], of: str
) -> str:
    ours = sum(all(figures[norm, f]["dice"] > figures[o, f]["dice"] for o in others) for f in folds)
    theirs = sum(all(figures[norm, f]["paper_dice"] > figures[o, f]["paper_dice"] for o in others) for f in folds)
    name = {"iln": "ILN", "il-sigmoid": "The sigmoid"}[norm]
    agrees = "as in the paper" if ours == theirs else f"in the paper in {theirs}"
    return f"{name} is the best of {of} in {ours} of {len(folds)} folds, {agrees}."


def _tests(tests: dict[str, dict[str, Any]], compared: list[str]) -> str:
    found = {norm: tests[norm] for norm in compared if norm in tests}
    clear = [n for n, test in found.items() if test["p_holm"] < SIGNIFICANT]
    titles = TITLES | BEYOND
    parts = [f"{titles[n]} ({found[n]['difference']:+.3f}, p = {found[n]['p_holm']:.2g})" for n in clear]
    rest = [titles[n] for n in found if n not in clear]
    none = f"By subject, ILN does not differ significantly from {', '.join(rest)}"
    said = f"By subject, ILN differs from {' and '.join(parts)}" if parts else none
    return (
        f"{said}, but not significantly from {', '.join(rest)} (Wilcoxon, Holm)."
        if parts and rest
        else f"{said} (Wilcoxon, Holm)."
    )


if __name__ == "__main__":
    PAGE.write_text(page())
