"""Small hearts with a prediction that is a little off: what the tests of the page evaluate."""

from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from cardioseg.evaluation.comparison import collect
from cardioseg.evaluation.judgement import judge
from cardioseg.evaluation.origin import Origin
from cardioseg.evaluation.pairing import Pair
from cardioseg.evaluation.result import Evaluation
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.volume import Voxels
from cardioseg.ingest.labels.subject import LabelledVolume
from cardioseg.phantom import Phantom, cine, reference
from cardioseg.skipped import Skipped

SIZE: dict[str, Any] = {
    "slices": 5,
    "phases": 6,
    "rows": 48,
    "columns": 48,
    "spacing_mm": (16.0, 5.0, 5.0),
    "ed_phase": 0,
}
RADII_MM = {"small": 22.0, "middle": 26.0, "large": 30.0}
ORIGIN = Origin("unet", "hearts", split="seed 0, 3 folds, nothing shared")


@cache
def heart(radius_mm: float) -> tuple[LabelledVolume, LabelledVolume]:
    """End-diastole and end-systole of one phantom, 5 slices of 48 x 48 pixels."""
    phantom = Phantom(**SIZE, lv_radius_mm=radius_mm)
    image, mask = cine(phantom), reference(phantom)
    annotated = np.zeros((5, len(Label)), np.bool_)
    annotated[:, STRUCTURES] = True
    smallest = int((mask.voxels == Label.LV_CAVITY).sum((1, 2, 3)).argmin())
    ed, es = (
        LabelledVolume(name, image.voxels[phase], mask.voxels[phase], annotated, mask.grid.spacing_mm, (name,), phase,
                       ("a file",) * 5, mask.grid)
        for name, phase in (("ed", 0), ("es", smallest))
    )  # fmt: skip
    return ed, es


def pairs(shifts: dict[str, int]) -> list[Pair]:
    """Predictions that are `shifts` rows too low, by the name of the heart."""
    return [
        Pair(name, f"{name}_{volume.name}", volume, moved(volume.mask, shift))
        for name, shift in shifts.items()
        for volume in heart(RADII_MM[name])
    ]


def moved(mask: Voxels, rows: int) -> Voxels:
    return np.roll(mask, rows, axis=1)


def evaluated(*, small: int = 1, middle: int = 2, large: int = 0) -> Evaluation:
    """Three hearts, one case without a prediction."""
    missing = Skipped("other ed", "no prediction (`cardioseg predict` makes one)")
    found = [missing, *pairs({"small": small, "middle": middle, "large": large})]
    return collect([judge(found, STRUCTURES)], ORIGIN)


def without_scan(pair: Pair) -> Pair:
    """As of a plain folder of masks."""
    return replace(pair, reference=replace(pair.reference, image=pair.reference.mask))
