"""The paper's experiments and numbers. Source: Zhou et al. 2019, tables 1 to 3 and section 3.5."""

from collections.abc import Sequence
from dataclasses import dataclass

FOLDS, EPOCHS = 3, 2
LEARNING_RATES = (1.5, 1.0, 0.5, 0.1, 0.05)
ITERATIONS_S = {"in": 34.8, "iln": 36.5}  # time of 200 iterations on the authors' GPU
MORE_PARAMETERS = 22  # parameters of ILN minus those of IN


@dataclass(frozen=True)
class Organ:
    """One of the paper's two tasks.

    Attributes:
        name: `lv` or `rv`.
        title: the organ's name in texts.
        label: the structure.
        recipe: the built-in recipe that follows the paper.
        data: the paper's data set.
        images: their number in it.
    """

    name: str
    title: str
    label: str
    recipe: str
    data: str
    images: int

    def updates(self, angles: int) -> int:
        """How often the paper changed the weights of a network: two epochs of the images of two folds at all angles."""
        return round(self.images * (FOLDS - 1) / FOLDS * angles * EPOCHS)


ORGANS = {
    "lv": Organ("lv", "Left ventricle", "lv_cavity", "paper_lv", "Sunnybrook, 805 images of 45 subjects", 805),
    "rv": Organ("rv", "Right ventricle", "rv_cavity", "paper_rv", "private, 6082 images of 37 subjects", 6082),
}

Figures = tuple[float, float]


@dataclass(frozen=True)
class Row:
    """One row of a table: a norm, and the paper's Dice (mean, standard deviation) per fold; empty if it gives none."""

    title: str
    norm: str
    rv: tuple[Figures, ...] = ()
    lv: tuple[Figures, ...] = ()

    def paper(self, organ: str) -> tuple[Figures, ...]:
        """The paper's figures for an organ."""
        return self.rv if organ == "rv" else self.lv


_SIGMOID = (
    ((0.692, 0.304), (0.724, 0.284), (0.675, 0.301)),
    ((0.903, 0.118), (0.888, 0.135), (0.828, 0.189)),
)
_ILN = (
    ((0.714, 0.290), (0.737, 0.267), (0.680, 0.305)),
    ((0.919, 0.098), (0.893, 0.127), (0.827, 0.211)),
)

TABLES: dict[int, tuple[str, tuple[Row, ...]]] = {
    1: (
        "Clip, Sigmoid or Softmax to combine IN and LN, without GN16",
        (
            Row(
                "Clip",
                "il-clip",
                ((0.702, 0.295), (0.707, 0.299), (0.666, 0.319)),
                ((0.900, 0.099), (0.864, 0.184), (0.804, 0.246)),
            ),
            Row("Sigmoid", "il-sigmoid", *_SIGMOID),
            Row(
                "Softmax",
                "il-softmax",
                ((0.688, 0.290), (0.720, 0.279), (0.664, 0.323)),
                ((0.895, 0.151), (0.866, 0.153), (0.827, 0.228)),
            ),
        ),
    ),
    2: ("With or without GN16", (Row("No", "il-sigmoid", *_SIGMOID), Row("Yes", "iln", *_ILN))),
    3: (
        "Comparison with other norms",
        (
            Row(
                "None",
                "none",
                ((0.688, 0.296), (0.678, 0.318), (0.661, 0.323)),
                ((0.899, 0.134), (0.872, 0.167), (0.784, 0.280)),
            ),
            Row(
                "IN",
                "in",
                ((0.709, 0.266), (0.715, 0.278), (0.655, 0.327)),
                ((0.905, 0.114), (0.876, 0.131), (0.836, 0.207)),
            ),
            Row(
                "LN",
                "ln",
                ((0.702, 0.287), (0.718, 0.270), (0.662, 0.309)),
                ((0.898, 0.120), (0.858, 0.187), (0.793, 0.262)),
            ),
            Row(
                "GN4",
                "gn4",
                ((0.679, 0.303), (0.701, 0.291), (0.671, 0.309)),
                ((0.908, 0.113), (0.841, 0.196), (0.800, 0.255)),
            ),
            Row("ILN", "iln", *_ILN),
        ),
    ),
}
BEYOND = (
    Row("BN", "bn"),
    Row("GN16", "gn16"),
    Row("Clip with GN16", "iln-clip"),
    Row("Softmax with GN16", "iln-softmax"),
)


def norms(tables: Sequence[int]) -> tuple[str, ...]:
    """The norms of some tables, each once. ILN and IN come first, so that an interrupted run has the main comparison.

    The norms beyond the paper belong to the last table.
    """
    listed = [row.norm for table in tables for row in TABLES[table][1]] + [
        row.norm for row in BEYOND if max(TABLES) in tables
    ]
    main = [norm for norm in ("iln", "in") if norm in listed]
    return tuple(dict.fromkeys(main + listed))
