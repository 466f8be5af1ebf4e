"""The slices that a reference does not know, in few words."""

from cardioseg.evaluation.left_out_slices import left_out
from cardioseg.evaluation.scores import VolumeScore
from cardioseg.image.labels import Label
from cardioseg.measure.distance import Distances
from cardioseg.measure.overlap import Overlap


def score(label: Label, slices: tuple[int, ...], voxels: int, ml: float | None = 0.5) -> VolumeScore:
    return VolumeScore("s", "c", "ed", label, Overlap(), Distances(), 9, ml, (), slices, voxels)


def test_slices_left_out_are_told_in_few_words() -> None:
    scores = [
        score(Label.LV_CAVITY, (0, 9, 10, 11), 10),
        score(Label.LV_MYOCARDIUM, (0, 9, 10, 11), 0),
        score(Label.RV_CAVITY, (3,), 2, None),
        score(Label.RV_CAVITY, (), 0),
    ]
    [line] = left_out(scores)
    assert line.where == "c ed"
    assert line.why == (
        "LV cavity and LV myocardium on slices 0, 9 to 11 of 4, where the reference is unknown (the prediction has "
        "5.0 mL of LV cavity there); RV cavity on slice 3 of 1, where the reference is unknown (the prediction has "
        "2 pixels of RV cavity there)"
    )
