"""Loaded model: arrays are labelled as scans are, and what cannot be one is refused in words."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from api_example import SMALL, Example
from numpy.typing import NDArray

import cardioseg
from cardioseg.errors import UnusableError, UsageError
from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine
from cardioseg.inference.segmentation import Segmentation
from cardioseg.phantom import reference


@pytest.fixture(scope="module")
def model(thresholds: Path) -> cardioseg.LoadedModel:
    return cardioseg.load_model(thresholds)


def test_a_scan_as_an_array_gives_the_mask_of_predict(
    model: cardioseg.LoadedModel, scans: Path, results: cardioseg.Results
) -> None:
    found = {scan.name: scan for scan in cardioseg.find_scans(scans)}
    assert set(found) == {"PHANTOM-0001", "beating", "damaged"}
    for name in ("PHANTOM-0001", "beating"):
        image = found[name].read()
        mask = model.segment(image.array, image.spacing_mm, base_first=image.base_first)
        assert mask.dtype == np.uint8
        assert np.array_equal(mask, results.case(name).read_mask().array)
    assert found["beating"].flags == ()
    with pytest.raises(UnusableError, match="damaged or truncated"):
        found["damaged"].read()


def test_the_type_of_the_numbers_does_not_matter(model: cardioseg.LoadedModel, voxels: NDArray[np.int16]) -> None:
    expected = model.segment(voxels, SMALL.spacing_mm)
    assert expected.shape == voxels.shape
    for other in (voxels.astype(np.uint16), voxels.astype(np.float64), voxels.astype(">i2"), np.asfortranarray(voxels)):
        assert np.array_equal(model.segment(other, SMALL.spacing_mm), expected)


@pytest.mark.parametrize("offset", [10**9, -(2**40)])
@pytest.mark.parametrize("kind", [np.float64, np.int64])
def test_an_offset_does_not_matter(
    model: cardioseg.LoadedModel, voxels: NDArray[np.int16], kind: type, offset: int
) -> None:
    expected = model.segment(voxels, SMALL.spacing_mm)
    assert np.array_equal(model.segment(voxels.astype(kind) + offset, SMALL.spacing_mm), expected)


def test_a_masked_array_is_one_where_nothing_is_masked(model: cardioseg.LoadedModel, voxels: NDArray[np.int16]) -> None:
    expected = model.segment(voxels, SMALL.spacing_mm)
    assert np.array_equal(model.segment(np.ma.masked_array(voxels, mask=False), SMALL.spacing_mm), expected)


def test_a_tensor_with_a_gradient_is_refused_in_words(model: cardioseg.LoadedModel, voxels: NDArray[np.int16]) -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.from_numpy(voxels.astype(np.float32))
    assert Label.LV_CAVITY in model.segment(tensor, SMALL.spacing_mm)
    with pytest.raises(UsageError, match="no array of numbers") as caught:
        model.segment(tensor.requires_grad_(), SMALL.spacing_mm)
    assert "tensor.detach()" in caught.value.hint


def test_a_single_phase_keeps_its_shape(model: cardioseg.LoadedModel, voxels: NDArray[np.int16]) -> None:
    mask = model.segment(voxels[0], SMALL.spacing_mm)
    assert mask.shape == (6, 48, 40)
    assert Label.LV_CAVITY in mask


def test_the_basal_end_may_be_said(
    model: cardioseg.LoadedModel, voxels: NDArray[np.int16], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The myocardium above the cavity's basal end goes, and that at the apex stays: so the ends must be known."""
    from cardioseg.inference.postprocessing import without_basal_myocardium

    truth = reference(SMALL).voxels[: len(voxels)].copy()
    truth[:, [0, -1]] = 0
    truth[:, [0, -1], 20:24, 20:24] = Label.LV_MYOCARDIUM

    def drawn(image: Cine, *_: object) -> Segmentation:
        return Segmentation(without_basal_myocardium(Cine(truth, image.grid)))

    monkeypatch.setattr("cardioseg.inference.segmentation._segment", drawn)
    for base_first, kept in ((True, [False, True]), (False, [True, False]), (None, [True, False])):
        mask = model.segment(voxels, SMALL.spacing_mm, base_first=base_first)
        assert (mask == Label.LV_MYOCARDIUM).any((0, 2, 3))[[0, -1]].tolist() == kept


def test_an_empty_slice_stays_empty(model: cardioseg.LoadedModel, voxels: NDArray[np.int16]) -> None:
    holed = voxels.copy()
    holed[:, 2] = 0
    mask = model.segment(holed, SMALL.spacing_mm)
    filled = mask.any((0, 2, 3))
    assert not filled[2]
    assert filled[1]
    assert filled[3]


def test_what_is_no_number_is_black_as_in_a_file(model: cardioseg.LoadedModel, voxels: NDArray[np.int16]) -> None:
    holed = voxels.astype(np.float32)
    expected = model.segment(np.where(np.arange(40) < 2, 0, holed), SMALL.spacing_mm)
    holed[..., :2] = np.nan
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.array_equal(model.segment(holed, SMALL.spacing_mm), expected)


@pytest.mark.parametrize(
    ("change", "spacing_mm", "message"),
    [
        (lambda voxels: voxels[0, 0], SMALL.spacing_mm, r"has the shape \(48, 40\)"),
        (lambda voxels: voxels[None], SMALL.spacing_mm, r"has the shape \(1, 2, 6, 48, 40\)"),
        (lambda voxels: voxels[:0], SMALL.spacing_mm, "there is nothing in it"),
        (lambda voxels: voxels.T, (1.4, 1.4, 1.4), "no heart fits into it.*nibabel"),
        (lambda voxels: voxels.transpose(1, 2, 3, 0), (14.0, 6.0, 15.0), "48 slices of 14 mm span 672 mm: no heart"),
        (lambda voxels: voxels > 3, SMALL.spacing_mm, "is of bool"),
        (lambda voxels: voxels.astype(complex), SMALL.spacing_mm, "is of complex128"),
        (lambda voxels: [voxels.tolist(), [1]], SMALL.spacing_mm, "no array of numbers"),
        (lambda voxels: np.ma.masked_array(voxels, mask=voxels > 9), SMALL.spacing_mm, "masked.*filled"),
        (lambda voxels: voxels, 1.4, "spacing_mm is 1.4"),
        (lambda voxels: voxels, (6.0, 6.0), r"spacing_mm is \(6.0, 6.0\)"),
        (lambda voxels: voxels, (14.0, 6.0, 0.0), "spacing_mm is"),
        (lambda voxels: voxels, (float("nan"), 6.0, 6.0), "spacing_mm is"),
    ],
)
def test_what_is_no_stack_is_refused(
    model: cardioseg.LoadedModel,
    voxels: NDArray[np.int16],
    change: object,
    spacing_mm: tuple[float, float, float],
    message: str,
) -> None:
    with pytest.raises(UsageError, match=message):
        model.segment(change(voxels), spacing_mm)  # type: ignore[operator]


@pytest.mark.parametrize(
    ("change", "spacing_mm", "message"),
    [
        (np.zeros_like, SMALL.spacing_mm, "there is no image in it"),
        (lambda voxels: voxels, (6.0, 2.0, 8.0), "are its axes, or their spacings, in another order"),
        (lambda voxels: voxels, (14.0, 14.0, 14.0), "is another unit used"),
        (lambda voxels: voxels > voxels.mean(), SMALL.spacing_mm, "bool"),
        (lambda voxels: (voxels > voxels.mean()).astype(int), SMALL.spacing_mm, "a few different values"),
    ],
)
def test_what_is_no_image_is_refused(
    model: cardioseg.LoadedModel,
    voxels: NDArray[np.int16],
    change: object,
    spacing_mm: tuple[float, float, float],
    message: str,
) -> None:
    with pytest.raises((UnusableError, UsageError), match=message):
        model.segment(change(voxels), spacing_mm)  # type: ignore[operator]


def test_the_built_in_models(example: Example) -> None:
    model = cardioseg.load_model()
    assert (model.name, model.structures) == ("sax", (Label.RV_CAVITY, Label.LV_MYOCARDIUM, Label.LV_CAVITY))
    assert "BY-NC-SA" in model.licence
    assert repr(model).startswith("LoadedModel(name='sax', structures=")
    assert "LV 129 mL" in example.text
