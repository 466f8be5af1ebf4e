"""Curves: the volume of a structure over the heart beat, and the moments at which a ventricle is measured.

SV = EDV - ESV, EF = 100 SV / EDV.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cardioseg.errors import UnusableError
from cardioseg.image.labels import Label

Curve = Sequence[float]
Curves = Mapping[Label, Curve]


@dataclass(frozen=True)
class Moments:
    """The 0-based phases of end-diastole and end-systole; None is not known, or left to each ventricle's curve."""

    ed_phase: int | None = None
    es_phase: int | None = None

    @property
    def known(self) -> tuple[int, ...]:
        """The phases that are known."""
        return tuple(phase for phase in (self.ed_phase, self.es_phase) if phase is not None)

    def filled(self, others: "Moments") -> "Moments":
        """These phases, and those of `others` where nobody chose one here; never the same phase twice."""
        ed = others.ed_phase if self.ed_phase is None and others.ed_phase != self.es_phase else self.ed_phase
        es = others.es_phase if self.es_phase is None and others.es_phase != ed else self.es_phase
        return Moments(ed, es)

    def require_within(self, phases: int, said_by: tuple[str, str] = ("ed_phase", "es_phase")) -> None:
        """Raise UnusableError where a chosen phase is none of `phases`; `said_by` names what to change."""
        for name, phase in zip(said_by, (self.ed_phase, self.es_phase), strict=True):
            if phase is not None and phase >= phases:
                has = "a single phase, 0" if phases == 1 else f"the phases 0 to {phases - 1}"
                raise UnusableError(f"there is no phase {phase}", f"it has {has}: change {name}")


@dataclass(frozen=True)
class Beat:
    """End-diastole and end-systole of one cavity, as far as they are known."""

    ed_phase: int | None = None
    edv_ml: float | None = None
    es_phase: int | None = None
    esv_ml: float | None = None

    @property
    def sv_ml(self) -> float | None:
        """Stroke volume, EDV - ESV; None if the cavity is empty at one of them: no heart empties."""
        return self.edv_ml - self.esv_ml if self.edv_ml and self.esv_ml else None

    @property
    def ef_percent(self) -> float | None:
        """Ejection fraction, 100 SV / EDV; None without a stroke volume."""
        return None if not self.edv_ml or self.sv_ml is None else 100 * self.sv_ml / self.edv_ml


def beat(curve_ml: Curve, moments: Moments = Moments()) -> Beat:
    """Find end-diastole and end-systole: the chosen phases, else the largest and the smallest volume of the others.

    They are never the same phase, unless both are chosen so. A single phase is neither, unless somebody says so. A
    cavity that is empty at its end-systole has none: no heart empties, so the mask is wrong there and an ejection
    fraction of 100 % would hide it.
    """
    if not any(curve_ml):
        return Beat()
    ed, es = moments.ed_phase, moments.es_phase
    if ed is None:
        ed = _extreme_phase(np.argmax, curve_ml, es)
    if es is None:
        es = _extreme_phase(np.argmin, curve_ml, ed)
    found_ed = (ed, curve_ml[ed]) if ed is not None and curve_ml[ed] else (None, None)
    found_es = (es, curve_ml[es]) if es is not None and curve_ml[es] else (None, None)
    return Beat(*found_ed, *found_es)


def _extreme_phase(find: Callable[[Curve], np.intp], curve_ml: Curve, taken: int | None) -> int | None:
    """The phase of the largest or smallest volume, other than `taken`; None of a single phase."""
    others = [phase for phase in range(len(curve_ml)) if phase != taken]
    return others[int(find([curve_ml[phase] for phase in others]))] if len(curve_ml) > 1 else None
