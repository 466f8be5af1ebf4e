"""Window: the part of a slice that a network sees."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Window:
    """A square window on a slice.

    Attributes:
        size: height and width in pixels of the network's input.
        middle: its centre (row, column) in pixels of the slice; None: the centre of the slice.
    """

    size: int
    middle: tuple[float, float] | None = None
