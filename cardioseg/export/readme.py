"""README of a model: its card as text."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from cardioseg.export.card import Card, Metric, Training
from cardioseg.files import write_text
from cardioseg.image.labels import Label
from cardioseg.wording import counted

_PAGE = """# {name}

Segments {labels} in short-axis cardiac MRI: `cardioseg predict SCANS -o OUT -m {name}`.
For research use only; not a medical device.

| | |
|---|---|
| licence | {licence} |
| network | U-Net, norm `{norm}`, {parameters:,} parameters, {folds}{integers} |
| trained on | {dataset}: {subjects}, {steps}, seed {seed}{initial} |
| held out of training | {held_out} |
| input | intensities scaled by {intensity}, {spacing} |
| export | {slices} real slices of {sizes} sizes: logits differ from PyTorch's by {difference:.1e} at most, {changes} |
| `model.onnx` | SHA-256 `{sha256}` |

## Figures

{metrics}

## Cite

{citation}
"""


def write_readme(folder: Path, card: Card) -> None:
    """Write the model folder's `README.md` from its card."""
    write_text(folder / "README.md", render(card))


def render(card: Card) -> str:
    """The card as Markdown."""
    training, proof, spacing_mm = card.training, card.parity, card.preprocessing.spacing_mm
    return _PAGE.format(
        name=card.name,
        labels=", ".join(map(_title, card.labels)),
        licence=card.licence,
        norm=card.norm,
        parameters=card.parameters,
        folds="one network" if training.folds == 1 else f"mean of the logits of {training.folds} networks",
        integers="" if card.precision == "float32" else "; convolutions in 8-bit integers",
        dataset=training.dataset,
        subjects=counted(training.subjects, "subject"),
        steps=_steps(training),
        seed=training.seed,
        initial=f"; started from the model {training.initial_model}" if training.initial_model else "",
        held_out=f"{', '.join(training.held_out) or 'none'}{_of_this_training(card)}",
        intensity="1st and 99th percentile" if card.preprocessing.intensity == "percentile" else "minimum and maximum",
        spacing=f"in-plane spacing {spacing_mm:g} mm" if spacing_mm else "the scanner's own pixels",
        slices=proof.slices,
        sizes=proof.sizes,
        difference=proof.max_logit_difference,
        changes=f"{proof.label_changes:,} labels changed{_agreement(card)}",
        sha256=card.sha256,
        metrics="\n\n".join(_tables(card.metrics)) or "Not measured.",
        citation=card.citation or "No citation was given.",
    )


def _of_this_training(card: Card) -> str:
    """The limit of what `held out` says of a model that started from another; empty for one that did not."""
    is_limited = card.training.held_out and card.training.initial_model
    return " (of this training; the initial model may have seen them)" if is_limited else ""


def _steps(training: Training) -> str:
    """`400 steps`, `5 to 7 steps`."""
    at_most = f" to {training.most_steps:,}" if training.most_steps else ""
    return f"{training.steps:,}{at_most} steps"


def _agreement(card: Card) -> str:
    """The share of the structures' pixels that 8-bit convolutions leave unchanged; empty for a float model."""
    return (
        ""
        if card.precision == "float32"
        else f", {100 * card.parity.agreement:.1f} % of the structures' pixels unchanged"
    )


def _tables(metrics: Sequence[Metric]) -> Iterator[str]:
    """A table for each data set; each row gives the part of its protocol after the last semicolon."""
    for data, group in groupby(metrics, lambda metric: metric.protocol.rpartition("; ")[0]):
        rows = [
            f"| {_title(m.label)} | {m.metric} | {m.mean:.3f}{_std(m)} | {m.n} | {m.protocol.rpartition('; ')[2]} |"
            for m in group
        ]
        yield "\n".join(
            [
                f"On {data}:\n",
                "| structure or measure | figure | mean ± std | n | protocol |",
                "|---|---|---|---|---|",
                *rows,
            ]
        )


def _title(key: str) -> str:
    """The title of a label, as `LV cavity`; a measure keeps its name with the unit: `lv_ef_percent`."""
    return Label[key.upper()].title if key.upper() in Label.__members__ else f"`{key}`"


def _std(metric: Metric) -> str:
    return "" if metric.std is None else f" ± {metric.std:.3f}"
