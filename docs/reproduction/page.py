"""Writes docs/reproduction.md from the tables.json of the runs beside this file: `python docs/reproduction/page.py`.

No figure in the page is typed: what the text claims is computed here from the same numbers that the tables show.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean
from typing import Any

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "reproduction.md"
SIGNIFICANT = 0.05
WHOLE = 0.999
OTHERS = ("none", "in", "ln", "gn4")  # the paper's table 3
TITLES = {"none": "no norm", "in": "IN", "ln": "LN", "gn4": "GN4", "iln": "ILN"}

INTRODUCTION = """\
# The paper's experiments, run again

Zhou et al., *U-Net Training with Instance-Layer Normalization* (2019), compares normalization layers in one U-Net on
the left ventricle (Sunnybrook, public) and the right ventricle (private). `cardioseg reproduce` runs the same
comparisons on data that anyone can get. Below stand its own outputs; this page is written from their `tables.json` by
`python docs/reproduction/page.py`, so a figure here is a figure that a run gave.

How far each run is from the paper's protocol stands at its head. The learning rate that is best on the test images, as
the paper chooses it, is optimistic; beside it stands the figure with the rate chosen on training subjects that were
kept out of training. Where only one rate was run, both are the same.
"""


def page(folder: Path = FOLDER) -> str:
    """The whole page, from every run beside this file."""
    runs = {path.parent.name: json.loads(path.read_text()) for path in sorted(folder.glob("*/tables.json"))}
    return "\n".join([INTRODUCTION, *(line for name, run in runs.items() for line in section(folder / name, run))])


def section(folder: Path, run: dict[str, Any]) -> Iterator[str]:
    """One run: its command, what it says about the paper's claims, its tables and its figures."""
    yield f"## {run['title']}\n"
    yield f"```\n{run['command']}\n```\n"
    yield " ".join(claims(run)) + "\n"
    yield (folder / "tables.md").read_text()
    for number, text in ((2, "Reference red, prediction green, true positives yellow."), (3, "ρ over training.")):
        if (folder / f"figure{number}.png").is_file():
            yield f"![Figure {number}](reproduction/{folder.name}/figure{number}.png)\n\nFigure {number}. {text}\n"


def claims(run: dict[str, Any]) -> Iterator[str]:
    """What agrees with the paper and what does not, sentence by sentence."""
    figures = {(cell["norm"], cell["fold"]): cell for cell in run["cells"] if cell["chosen_by"] == "test"}
    folds = sorted({fold for _, fold in figures})
    yield from _level(figures, folds)
    yield from _extent(run, figures)
    compared = [norm for norm in OTHERS if all((norm, fold) in figures for fold in folds)]
    if compared:
        yield _best_of("iln", compared, figures, folds, "the norms of table 3")
        yield _tests(run["iln_against"], compared)
    if all(("il-sigmoid", fold) in figures for fold in folds):
        yield _best_of("il-sigmoid", ["il-clip", "il-softmax"], figures, folds, "the three gates of table 1")
        yield _best_of("iln", ["il-sigmoid"], figures, folds, "the two of table 2, with GN16 and without")


def _level(figures: dict[tuple[str, int], dict[str, Any]], folds: list[int]) -> Iterator[str]:
    ours = fmean(figures["iln", fold]["dice"] for fold in folds)
    theirs = fmean(figures["iln", fold]["paper_dice"] for fold in folds)
    yield f"ILN reaches a mean Dice of {ours:.3f} over the {len(folds)} folds; the paper has {theirs:.3f}."


def _extent(run: dict[str, Any], figures: dict[tuple[str, int], dict[str, Any]]) -> Iterator[str]:
    if run["steps_fraction"] < WHOLE:
        yield f"It ran {100 * run['steps_fraction']:.2g} % of the paper's steps, so it tells how fast each norm lets"
        yield "the network learn rather than how far."
    silent = sorted({norm for norm, _ in figures if all(not c["dice"] for (n, _), c in figures.items() if n == norm)})
    if silent:
        yield f"With {' and '.join(TITLES.get(norm, norm) for norm in silent)} it still finds nothing by then."


def _best_of(
    norm: str, others: list[str], figures: dict[tuple[str, int], dict[str, Any]], folds: list[int], of: str
) -> str:
    ours = sum(all(figures[norm, f]["dice"] > figures[o, f]["dice"] for o in others) for f in folds)
    theirs = sum(all(figures[norm, f]["paper_dice"] > figures[o, f]["paper_dice"] for o in others) for f in folds)
    name = {"iln": "ILN", "il-sigmoid": "The sigmoid"}[norm]
    agrees = "as in the paper" if ours == theirs else f"where the paper has it best in {theirs}"
    return f"{name} is the best of {of} in {ours} of {len(folds)} folds, {agrees}."


def _tests(tests: dict[str, dict[str, Any]], compared: list[str]) -> str:
    found = {norm: tests[norm] for norm in compared if norm in tests}
    clear = [n for n, test in found.items() if test["p_holm"] < SIGNIFICANT]
    parts = [f"{TITLES[n]} ({found[n]['difference']:+.3f}, p = {found[n]['p_holm']:.2g})" for n in clear]
    rest = [TITLES[n] for n in found if n not in clear]
    said = (
        f"By subject, ILN differs from {' and '.join(parts)}" if parts else "By subject, ILN differs from none of them"
    )
    return (
        f"{said}; from {', '.join(rest)} it cannot be told apart (Wilcoxon, Holm)."
        if parts and rest
        else f"{said} (Wilcoxon, Holm)."
    )


if __name__ == "__main__":
    PAGE.write_text(page())
