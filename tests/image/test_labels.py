"""Labels and their conventions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from cardioseg.errors import UnusableError
from cardioseg.image.labels import CONVENTIONS, STRUCTURES, Label, relabel

few = settings(max_examples=30, deadline=None, database=None)
conventions = st.sampled_from(sorted(CONVENTIONS))
kinds = st.sampled_from(["u1", "i1", "<i2", ">i2", "i4", "i8", "u8", "f4", "f8", "f2"])
masks = arrays(np.uint8, st.tuples(*[st.integers(0, 4)] * 3), elements=st.integers(0, 3))


def test_labels_are_acdc_numbers() -> None:
    assert [(label.name, int(label)) for label in Label] == [
        ("BACKGROUND", 0),
        ("RV_CAVITY", 1),
        ("LV_MYOCARDIUM", 2),
        ("LV_CAVITY", 3),
    ]
    assert set(STRUCTURES) == set(Label) - {Label.BACKGROUND}


def test_names_for_files_and_people() -> None:
    assert [label.key for label in STRUCTURES] == ["rv_cavity", "lv_myocardium", "lv_cavity"]
    assert [label.title for label in Label] == ["background", "RV cavity", "LV myocardium", "LV cavity"]


@pytest.mark.parametrize("convention", CONVENTIONS.values())
def test_a_convention_names_every_label_once(convention: dict[int, Label]) -> None:
    assert sorted(convention.values()) == list(Label)


@few
@given(masks, conventions, kinds)
def test_relabelling_and_its_inverse(mask: np.ndarray, name: str, kind: str) -> None:
    convention = CONVENTIONS[name]
    inverse = {int(label): Label(number) for number, label in convention.items()}
    relabelled = relabel(mask.astype(kind), convention)
    assert relabelled.dtype == np.uint8
    assert all(relabelled[index] == convention[int(value)] for index, value in np.ndenumerate(mask))
    np.testing.assert_array_equal(relabel(relabelled, inverse), mask)


@few
@given(masks.filter(np.size), st.sampled_from([4, 255, -1, 0.5, 1.002, -0.0011, np.nan, np.inf]), st.data())
def test_an_unknown_value_is_refused(mask: np.ndarray, value: float, data: st.DataObject) -> None:
    floats = mask.astype(np.float64)
    floats.flat[data.draw(st.integers(0, mask.size - 1))] = value
    with pytest.raises(UnusableError, match=r"^the mask holds the label \S+; the known labels are \[0, 1, 2, 3\]$"):
        relabel(floats, CONVENTIONS["acdc"])


@few
@given(masks.filter(np.size), st.floats(-9e-4, 9e-4), st.sampled_from(["f4", "f8"]))
def test_whole_numbers_that_a_slope_has_blurred_are_labels(mask: np.ndarray, blur: float, kind: str) -> None:
    np.testing.assert_array_equal(relabel((mask + blur).astype(kind), CONVENTIONS["acdc"]), mask)


def test_the_digits_that_make_a_value_no_label_are_said() -> None:
    with pytest.raises(UnusableError, match=r"the mask holds the label 1\.0021; the known"):
        relabel(np.array([0, 1.0021]), CONVENTIONS["acdc"])


def test_a_convention_may_have_numbers_that_a_byte_cannot_hold() -> None:
    convention = {0: Label.BACKGROUND, 1: Label.LV_CAVITY, 300: Label.RV_CAVITY, -1: Label.LV_MYOCARDIUM}
    expected = [Label.BACKGROUND, Label.LV_CAVITY]
    np.testing.assert_array_equal(relabel(np.array([0, 1], np.uint8), convention), expected)
    with pytest.raises(UnusableError, match="the mask holds the label 255"):
        relabel(np.array([255], np.uint8), convention)
