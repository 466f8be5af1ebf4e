"""Flag: one reason why a human must look at a case. A flag never changes a number; it keeps one from passing unseen."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Flag:
    """One finding.

    Attributes:
        kind: short name, equal for equal findings: `missing slice`, `open ring` ...
        reason: what was seen and the bound that it broke, one line for the person who looks.
        phase: 0-based, or None where it concerns all.
        slice: 0-based, or None where it concerns all.
    """

    kind: str
    reason: str
    phase: int | None = None
    slice: int | None = None

    @property
    def place(self) -> str:
        """Where to look: `slice 3, phase 7`, or nothing where it concerns all."""
        places = {"slice": self.slice, "phase": self.phase}
        return ", ".join(f"{name} {index}" for name, index in places.items() if index is not None)
