"""Figures: the paper's Figure 2 (segmentations) and Figure 3 (rho over training), as PNG and SVG."""

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from cardioseg.files import atomic_path
from cardioseg.image.bounding_box import bounding_box
from cardioseg.image.preprocessing import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Classes = NDArray[np.uint8]

_WIDTH_INCHES = 7.2  # the text width of a page
_DPI = 200
_MARGIN = 12  # pixels around the structures
_ONE_CHANNEL_GROUPS = ("down.0.", "up.3.")  # layers with 16 channels, where GN16 has one channel per group
_LAYER_COUNT = 8  # number of layers in the paper's figure
_GREY, _BLUE = "#9aa3ad", "#1f5fa8"


def write_segmentations(images: Floats, references: Classes, predictions: Classes, folder: Path) -> None:
    """Write `figure2`: reference red, prediction green, true positives yellow.

    Args:
        images: [n, h, w] in [0, 1].
        references: class numbers [n, h, w].
        predictions: class numbers [n, h, w] of a network.
        folder: where to write the figure.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - seconds to import

    count = len(images)
    columns = min(4, count)
    rows = -(-count // columns)
    figure = Figure(figsize=(_WIDTH_INCHES, _WIDTH_INCHES * rows / columns), layout="constrained")
    for i in range(count):
        axes = figure.add_subplot(rows, columns, i + 1)
        axes.imshow(_composite(images[i], references[i] > 0, predictions[i] > 0))
        axes.set_axis_off()
    _save(figure, folder / "figure2")


def write_rhos(steps: list[int], rhos: dict[str, list[float]], folder: Path, seed: int) -> None:
    """Write `figure3`: rho of eight randomly chosen layers, and of all layers, during training.

    Args:
        steps: the training steps.
        rhos: rho of each layer at these steps.
        folder: where to write the figure.
        seed: random seed of the choice.
    """
    from matplotlib.figure import Figure  # noqa: PLC0415 - seconds to import

    chosen = sorted(np.random.default_rng(seed).choice(len(rhos), min(_LAYER_COUNT, len(rhos)), replace=False).tolist())
    names = list(rhos)
    figure = Figure(figsize=(_WIDTH_INCHES, 3.0), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for index in chosen:
        left.plot(steps, rhos[names[index]], linewidth=1, label=names[index])
    left.legend(fontsize=6, frameon=False)
    left.set_title("eight layers, chosen at random", fontsize=8)
    _draw_all(right, steps, rhos)
    for axes in (left, right):
        axes.set_xlabel("step", fontsize=8)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    left.set_ylabel("ρ", fontsize=9)
    _save(figure, folder / "figure3")


def _draw_all(axes: "Axes", steps: list[int], rhos: dict[str, list[float]]) -> None:
    for name, values in rhos.items():
        colour, style = (_GREY, "--") if name.startswith(_ONE_CHANNEL_GROUPS) else (_BLUE, "-")
        axes.plot(steps, values, linewidth=0.8, color=colour, linestyle=style)
    axes.plot([], [], color=_GREY, linestyle="--", label="16 channels: GN16 has one a group,\nρ acts through ε alone")
    axes.plot([], [], color=_BLUE, label="more channels")
    axes.legend(fontsize=6, frameon=False)
    axes.set_title(f"all {len(rhos)} layers", fontsize=8)


def _composite(
    image: NDArray[np.float32], reference: NDArray[np.bool_], predicted: NDArray[np.bool_]
) -> NDArray[np.float32]:
    """Grey image with red for the reference alone, green for the prediction alone, yellow for both."""
    either = reference | predicted
    box = bounding_box(either)
    half = max(side.stop - 1 - side.start for side in box) // 2 + _MARGIN
    middle = [(side.start + side.stop - 1) // 2 for side in box]
    window = tuple(slice(max(0, m - half), m + half) for m in middle)
    colour = np.repeat(image[..., None], 3, axis=2)
    colour[reference, 0] = 0.5 + colour[reference, 0] / 2
    colour[predicted, 1] = 0.5 + colour[predicted, 1] / 2
    colour[either, 2] *= 0.3
    return np.asarray(colour[window], np.float32)


def _save(figure: "Figure", path: Path) -> None:
    import matplotlib as mpl  # noqa: PLC0415 - seconds to import

    with mpl.rc_context({"svg.hashsalt": "cardioseg"}):
        for suffix, metadata in ((".png", {"Software": None}), (".svg", {"Date": None})):
            with atomic_path(path.with_suffix(suffix)) as partial:
                figure.savefig(partial, format=suffix[1:], dpi=_DPI, metadata=metadata)
