"""Flag: one reason why a human must look at a case. A flag never changes a number; it keeps one from passing unseen."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Place = tuple[int, int]  # (phase, slice), 0-based


@dataclass(frozen=True)
class Flag:
    """One finding.

    Attributes:
        kind: short name, equal for equal findings: `missing slice`, `open ring` ...
        reason: what was seen and the bound that it broke, one line for the person who looks.
        phase: 0-based, or None where it concerns all.
        slice: 0-based, or None where it concerns all.
        places: every phase and slice that breaks the rule, where single slices do, the first to be looked at first.
    """

    kind: str
    reason: str
    phase: int | None = None
    slice: int | None = None
    places: tuple[Place, ...] = ()

    @property
    def place(self) -> str:
        """Where to look first: `slice 3, phase 7`, or nothing where it concerns all."""
        places = {"slice": self.slice, "phase": self.phase}
        return ", ".join(f"{name} {index}" for name, index in places.items() if index is not None)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Flag":
        """From JSON, as `dataclasses.asdict` wrote it; flags of earlier versions have no places.

        Raises:
            TypeError, ValueError: it is none.
        """
        places = tuple((int(phase), int(index)) for phase, index in document.get("places", ()))
        return cls(**{**document, "places": places})
