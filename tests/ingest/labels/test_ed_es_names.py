"""Which volumes of a subject are ED and ES: by what a person says, else by the size of a cavity within one cine."""

from collections.abc import Sequence

import numpy as np
import pytest

from cardioseg.image.labels import Label
from cardioseg.ingest.labels.ed_es_names import stated_moment, unknown_moments, with_moments, with_stated_moments
from cardioseg.ingest.labels.subject import LabelledVolume

LV, RV, MYO = Label.LV_CAVITY, Label.RV_CAVITY, Label.LV_MYOCARDIUM


def volume(
    name: str, sizes: dict[Label, int], phase: int | None = None, file: str = "p1.nii.gz", rows: int = 9
) -> LabelledVolume:
    """A slice with as many pixels of each label as `sizes` says."""
    mask = np.zeros((1, rows, 9), np.uint8)
    mask.flat[: sum(sizes.values())] = np.repeat(list(sizes), list(sizes.values()))
    return LabelledVolume(name, mask, mask, np.ones((1, len(Label)), np.bool_), None, (file,), phase, (file,))


def names(volumes: Sequence[LabelledVolume]) -> list[str]:
    return [volume.name for volume in volumes]


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        (({LV: 5, MYO: 20}, {LV: 9, MYO: 10}), ["es", "ed"]),
        (({RV: 5, MYO: 20}, {RV: 9, MYO: 10}), ["es", "ed"]),
        (({RV: 5, LV: 9}, {RV: 9}), ["es", "ed"]),
        (({MYO: 20}, {MYO: 10}), ["0", "1"]),
        (({RV: 5}, {LV: 9}), ["0", "1"]),
    ],
    ids=["LV", "RV", "LV at one phase", "myocardium", "a cavity each"],
)
def test_the_size_of_a_cavity_tells(sizes: Sequence[dict[Label, int]], expected: list[str]) -> None:
    volumes = [volume(str(phase), own, phase) for phase, own in enumerate(sizes)]
    assert names([*with_moments(volumes)]) == expected
    said = unknown_moments([*with_moments(volumes)])
    assert ("no cavity is drawn on all of them" in said) == ("ed" not in expected)


def test_phases_of_two_cines_are_not_compared() -> None:
    cines = {"a.nii.gz": (9, 5), "b.nii.gz": (20, 15)}
    volumes = [
        volume(f"{file}{phase}", {LV: size}, phase, file)
        for file, own in cines.items()
        for phase, size in enumerate(own)
    ]
    assert [*with_moments(volumes)] == volumes
    assert unknown_moments(volumes) == "its 4 volumes are of 2 scans: none is called ED or ES, so there is no EF"
    mixed = [volume("0", {LV: 9}, 0), volume("1", {LV: 5}, 1), volume("x", {LV: 3}, None, "x.nii.gz")]
    assert [*with_moments(mixed)] == mixed


@pytest.mark.parametrize(
    "word", ["ED", "ed", "Diastole", "end-diastole", "End_Diastole", "END DIASTOLE", "enddiastole"]
)
def test_words_for_phases(word: str) -> None:
    assert stated_moment(word) == "ed"
    assert stated_moment("ES" if word.lower() == "ed" else word.lower().replace("dia", "sy")) == "es"


def test_other_phases_stay_what_they_are() -> None:
    assert [stated_moment(word) for word in ("11", "", "Mid-Systole")] == ["11", "", "mid-systole"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (("p1_ED.nii.gz", "p1_ES.nii.gz"), ["ed", "es"]),
        (("p1-es.nii.gz", "p1-ed.nii.gz"), ["es", "ed"]),
        (("p1/ED.nii.gz", "p1/ES.nii.gz"), ["ed", "es"]),
        (("a_ED.nii.gz", "b_ES.nii.gz"), ["a", "b"]),
        (("v1/p_ED.nii.gz", "v2/p_ES.nii.gz"), ["a", "b"]),
        (("p1_ED.nii.gz", "p1_x.nii.gz"), ["a", "b"]),
        (("fixed.nii.gz", "fixes.nii.gz"), ["a", "b"]),
        (("p1_ED.nii.gz", "p1_ED.mha"), ["a", "b"]),
    ],
)
def test_the_names_of_two_images(files: tuple[str, str], expected: list[str]) -> None:
    volumes = [volume(name, {LV: 5}, None, file) for name, file in zip("ab", files, strict=True)]
    assert names(with_stated_moments(volumes, [""])) == expected


def test_the_names_of_more_images_than_two_are_ambiguous() -> None:
    files = ("v1_ED.nii.gz", "v1_ES.nii.gz", "v2_ED.nii.gz", "v2_ES.nii.gz")
    volumes = [volume(file, {LV: 5}, None, file) for file in files]
    assert with_stated_moments(volumes, [""]) == volumes
    assert unknown_moments(volumes, "write it") == (
        "nothing says which of its 4 volumes are ED and ES, so there is no EF: write it"
    )


def test_numbered_3d_images_are_phases_of_one_cine_if_they_share_a_grid() -> None:
    volumes = [volume("0", {LV: 5}), volume("11", {LV: 9})]
    assert names(with_stated_moments(volumes, ["0", "11"])) == ["es", "ed"]
    assert names(with_stated_moments(volumes, [""])) == ["0", "11"]  # the names of files are no phases
    assert names(with_stated_moments([volumes[0], volume("11", {LV: 9}, rows=10)], ["0", "11"])) == ["0", "11"]
