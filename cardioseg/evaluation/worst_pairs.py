"""Worst: keeps the few pairs that agree least, for the page; all others are dropped to save memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import fmean

from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.scores import VolumeScore

KEPT = 12


@dataclass
class WorstPairs:
    """The pairs with the lowest mean Dice over the labels, of all pairs added so far."""

    _kept: list[tuple[float, Pair]] = field(default_factory=list)

    def add(self, pair: Pair, scores: Sequence[VolumeScore]) -> None:
        """Keep a pair if it is one of the worst; `scores` are the scores of this pair."""
        dices = [score.overlap.dice for score in scores if score.overlap.dice is not None]
        if dices:
            self._kept = sorted([*self._kept, (fmean(dices), pair)], key=lambda kept: kept[0])[:KEPT]

    @property
    def pairs(self) -> tuple[Pair, ...]:
        """The worst first."""
        return tuple(pair for _, pair in self._kept)
