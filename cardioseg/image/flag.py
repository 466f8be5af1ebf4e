"""Flag: a reason why a human must check a case. A flag never changes a number."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Place = tuple[int, int]  # (phase, slice), 0-based


@dataclass(frozen=True)
class Flag:
    """One finding.

    Attributes:
        kind: short name, equal for equal findings: `missing slice`, `open ring` ...
        reason: the finding and the limit that it exceeds, in one line.
        phase: 0-based, or None if it concerns all.
        slice: 0-based, or None if it concerns all.
        places: every phase and slice that breaks the rule, if single slices do; the one to check first comes first.
    """

    kind: str
    reason: str
    phase: int | None = None
    slice: int | None = None
    places: tuple[Place, ...] = ()

    @property
    def place(self) -> str:
        """Where to look first: `slice 3, phase 7`, or "" if it concerns all."""
        places = {"slice": self.slice, "phase": self.phase}
        return ", ".join(f"{name} {index}" for name, index in places.items() if index is not None)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> "Flag":
        """From JSON, as `dataclasses.asdict` wrote it; flags of earlier versions have no places.

        Raises:
            TypeError, ValueError: it is not a flag.
        """
        places = tuple((int(phase), int(index)) for phase, index in document.get("places", ()))
        return cls(**{**document, "places": places})
