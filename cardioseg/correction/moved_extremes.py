"""Extremes: where the largest and the smallest volume of an edited mask are, whose phases were chosen before."""

from collections.abc import Iterator

import numpy as np

from cardioseg.image.labels import Label
from cardioseg.measure.curves import Curve, Moments
from cardioseg.results.description import Description

_REMEDY = "A --phases FILE sets other phases, for both ventricles"


def moved_extremes(now: Description, chosen: Moments, remedy: str = _REMEDY) -> str:
    """A remark if a ventricle is not measured at the phase of its largest or smallest volume and nobody chose that.

    Of a mask that nobody edited there is nothing to say: its phases are those of its own volumes.

    Args:
        now: the measures and curves of the edited mask.
        chosen: phases that a person chose; of these nothing is said.
        remedy: how to choose other phases.
    """
    remarks = [
        remark
        for side, label in (("LV", Label.LV_CAVITY), ("RV", Label.RV_CAVITY))
        for remark in _moved(side, now.curves_ml.get(label, ()), now.measures.moments(label), chosen)
    ]
    return f"{'; '.join(remarks)}. {remedy}" if remarks else ""


def _moved(side: str, curve_ml: Curve, measured: Moments, chosen: Moments) -> Iterator[str]:
    """What moved, and whither. The phase that a person chose for the other moment cannot be this one."""
    moments = (
        ("ED", "largest", np.argmax, measured.ed_phase, chosen.ed_phase, chosen.es_phase),
        ("ES", "smallest", np.argmin, measured.es_phase, chosen.es_phase, chosen.ed_phase),
    )
    for moment, extreme, find, phase, chosen_phase, taken in moments:
        if phase is None or chosen_phase is not None:
            continue
        others = [index for index in range(len(curve_ml)) if index != taken]
        place = others[int(find([curve_ml[index] for index in others]))]
        if curve_ml[place] != curve_ml[phase]:
            stays = f"{side} {moment} stays at phase {phase} ({curve_ml[phase]:.1f} mL)"
            yield f"{stays}, but the {extreme} volume is now at phase {place} ({curve_ml[place]:.1f} mL)"
