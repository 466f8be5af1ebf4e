"""Norms: the normalization layers by name. A mix of IN, LN and GN is one entry here; nothing here needs PyTorch."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Normalization:
    """The parts of a norm layer: optionally mix IN and LN by a gate, then optionally normalize groups of channels.

    Attributes:
        gate: name of the function from rho to the weights of IN and LN, or None for no mixing.
        groups: channel groups that are normalized afterwards; "channel" for one channel per group (IN), None for none.
        meaning: what it is, for people.
    """

    gate: str | None
    groups: int | str | None
    meaning: str


NORMALIZATIONS: Mapping[str, Normalization] = {
    "in": Normalization(None, "channel", "instance normalization (IN)"),
    "ln": Normalization(None, 1, "layer normalization (LN)"),
    "gn4": Normalization(None, 4, "group normalization with 4 groups of channels"),
    "gn16": Normalization(None, 16, "group normalization with 16 groups of channels (GN16)"),
    "il-clip": Normalization(  # BIN's gate
        "clip", None, "mix of IN and LN; the weight is a trained parameter, clipped to 0 to 1"
    ),
    "il-sigmoid": Normalization("sigmoid", None, "mix of IN and LN; the weight is the sigmoid of a trained parameter"),
    "il-softmax": Normalization(
        "softmax", None, "mix of IN and LN; the weights are the softmax of two trained parameters"
    ),
    "iln-clip": Normalization("clip", 16, "`il-clip`, then GN16"),
    "iln": Normalization(
        "sigmoid", 16, "`il-sigmoid`, then GN16: Instance-Layer Normalization, as the paper proposes it"
    ),
    "iln-softmax": Normalization("softmax", 16, "`il-softmax`, then GN16"),
}
NORMS: Mapping[str, str] = {"none": "no normalization", "bn": "batch normalization"} | {
    name: normalization.meaning for name, normalization in NORMALIZATIONS.items()
}  # name -> meaning
