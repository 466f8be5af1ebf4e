"""Worst: the few pairs that agree least, kept to be looked at; the others are let go, whatever their number."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.scores import VolumeScore

KEPT = 12


@dataclass
class Worst:
    """The pairs with the lowest mean Dice over the labels so far."""

    _kept: list[tuple[float, Pair]] = field(default_factory=list)

    def add(self, pair: Pair, scores: Sequence[VolumeScore]) -> None:
        """Keep a pair, if it is one of the worst; `scores` are its own."""
        known = [score.overlap.dice for score in scores if score.overlap.dice is not None]
        if known:
            self._kept = sorted([*self._kept, (fmean(known), pair)], key=lambda one: one[0])[:KEPT]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The worst first."""
        return tuple(pair for _, pair in self._kept)
