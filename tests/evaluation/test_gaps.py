"""References that do not draw slices between drawn ones, or far fewer slices at ES than at ED."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from cardioseg.evaluation.comparison import evaluate
from cardioseg.evaluation.gaps import gaps, shortened
from cardioseg.evaluation.measures import paired_measures
from cardioseg.evaluation.scores import SliceScore, VolumeScore
from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_volume
from cardioseg.image.volume import Grid, Volume
from cardioseg.measure.distance import Distances
from cardioseg.measure.overlap import Overlap

LV, MYO, RV = Label.LV_CAVITY, Label.LV_MYOCARDIUM, Label.RV_CAVITY


def volume(
    name: str, label: Label, drawn: tuple[int, ...], annotated: tuple[int, ...] = tuple(range(10))
) -> VolumeScore:
    """A volume of ten slices, with ten voxels on each drawn slice."""
    overlaps = [Overlap(10, 10, 10) if index in drawn else Overlap() for index in annotated]
    slices = tuple(SliceScore(i, "mid", one, Distances()) for i, one in zip(annotated, overlaps, strict=True))
    left_out = tuple(sorted(set(range(10)).difference(annotated)))
    total = sum(overlaps, Overlap())
    return VolumeScore("a", "c", name, label, total, Distances(), 9, 0.1, slices, left_out)


def test_a_slice_that_was_not_drawn_between_others_leaves_no_volume() -> None:
    drawn = (2, 3, 6, 7, 8)
    ed, es = volume("ed", LV, tuple(range(1, 9))), volume("es", LV, drawn, annotated=drawn)
    assert gaps([ed, es]) == {es: (4, 5)}
    assert [pair.measure for pair in paired_measures([ed, es])] == ["lv_edv_ml"]
    assert gaps([volume("es", LV, drawn)])  # a mask that is empty there was not drawn either


def test_a_cavity_that_is_empty_within_its_wall_is_no_gap() -> None:
    """A ventricle may empty in its middle at end-systole."""
    wall = volume("es", MYO, tuple(range(2, 9)))
    assert not gaps([wall, volume("es", LV, (2, 3, 6, 7, 8))])
    unknown = volume("es", LV, (2, 3, 6, 7, 8), annotated=(2, 3, 6, 7, 8))
    assert gaps([wall, unknown]) == {unknown: (4, 5)}
    assert not gaps([volume("es", LV, (2, 3)), volume("es", LV, ())])


def test_the_line_says_what_was_left_out(tmp_path: Path) -> None:
    grid = Grid((6, 12, 14), (8.0, 2.0, 2.0))
    mask = np.zeros(grid.shape, np.uint8)
    mask[1:5, 2:8, 2:8], mask[1:5, 3:6, 3:6] = MYO, LV
    holed = mask.copy()
    holed[3] = 0
    for folder, at_es in {"predicted": mask, "reference": holed}.items():
        for name, voxels in {"ed": mask, "es": at_es}.items():
            write_volume(tmp_path / folder / f"p1_{name}.nii.gz", Volume(voxels, grid))
    evaluation = evaluate(tmp_path / "predicted", tmp_path / "reference")
    assert {pair.measure for pair in evaluation.measures} == {"lv_edv_ml", "lv_mass_g"}
    [line] = evaluation.left_out
    assert (line.where, line.why) == (
        "p1_es es",
        "the reference does not draw LV myocardium and LV cavity on slice 3, but on slices before and after: "
        "no volume, EF or mass is computed from it; draw this slice to have them compared",
    )


@pytest.mark.parametrize(
    ("at_es", "slices"),
    [((5, 6, 7, 8), "slices 1 to 4"), ((1, 2, 3, 4), "slices 5 to 8"), ((3, 4, 5, 6, 7), ""), ((4, 5, 6, 7, 8), "")],
)
def test_far_fewer_slices_at_es_look_wrong(at_es: tuple[int, ...], slices: str) -> None:
    ed, es = volume("ed", LV, tuple(range(1, 9))), volume("es", LV, at_es)
    lines = [line.why for line in shortened([ed, es])]
    assert [line.split(" at ED")[0] for line in lines] == (
        [f"the reference draws LV cavity on {slices}"] * bool(slices)
    )
    assert not [*shortened([ed, replace(es, left_out=(10,))])]  # another stack
    assert not [*shortened([volume("ed", MYO, tuple(range(1, 9))), volume("es", MYO, at_es)])]
