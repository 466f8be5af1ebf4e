"""The page of `review` while a case is saved: what is in the file is what was sent, and what the page then shows."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from chromium import Chromium
from correcting_page import CorrectingPage, correcting

from cardioseg.image.labels import Label
from cardioseg.image.nifti import write_cine
from cardioseg.results.description import read_description
from cardioseg.results.folder import CaseFolder

OPEN = "document.querySelector('#save-dialog').open"
SAYS = "document.querySelector('#save-dialog .trouble').textContent"
HOLD_BACK = """(() => {
    const ask = window.fetch;
    const held = new Promise(resolve => { window.letGo = resolve; });
    window.fetch = async (address, ...rest) => {
        const answer = await ask(address, ...rest);
        if (String(address).endsWith('/review')) await held;
        return answer;
    };
})()"""  # the answer to a save
MIDDLE = (24.5, 20.5)


@pytest.fixture
def page(browser: Chromium, results: Path, tmp_path: Path) -> Iterator[CorrectingPage]:
    shutil.copytree(results, tmp_path / "results")
    with correcting(browser, tmp_path / "results", "notched") as opened:
        yield opened


def edv_ml(page: CorrectingPage) -> str:
    """What the page shows."""
    rows = page.browser.evaluate("[...document.querySelectorAll('#measures tr')].map(row => row.innerText)")
    [row] = [row for row in rows if row.startswith("EDV\t")]
    return str(row.split("\t")[1].split()[0])


def test_the_page_shows_what_is_in_the_file_after_changes_behind_a_save(page: CorrectingPage) -> None:
    ed_phase = read_description(CaseFolder(page.file.parent)).measures.ed_phase
    assert ed_phase is not None
    page.go_to(2, ed_phase)
    page.press("Delete")
    corrected = page.mask
    page.browser.evaluate(HOLD_BACK)
    page.browser.key("s", ctrl=True)
    page.browser.key("Enter")
    page.browser.wait_for(f"{SAYS} === 'Saving …'")
    page.browser.click("#save-dialog .cancel")
    for _ in range(3):
        page.browser.key("Escape")
    assert page.browser.evaluate(OPEN)
    page.browser.evaluate("document.querySelector('#save-dialog').close()")  # as some browsers can be made to
    page.browser.wait_for(OPEN)
    page.browser.key("ArrowUp")
    page.browser.key("Delete")
    page.browser.evaluate("window.letGo()")
    page.browser.wait_for(f"!{OPEN}")
    page.browser.wait_for("!document.querySelector('#saved').textContent.includes('writing')")
    page.rest()
    np.testing.assert_array_equal(page.saved.voxels, corrected)
    assert not page.is_unsaved
    measures = read_description(CaseFolder(page.file.parent)).measures
    counted_ml = (page.saved.voxels[ed_phase] == Label.LV_CAVITY).sum() * page.saved.grid.voxel_ml
    assert edv_ml(page) == f"{counted_ml:.1f}" == f"{measures['lv_edv_ml']:.1f}"
    page.press("ArrowUp", "Delete")
    assert page.is_unsaved  # changes are possible again
    assert (page.mask != corrected).any()


def test_flags_stay_in_sight_beside_a_long_remark(page: CorrectingPage) -> None:
    page.press("Delete")
    page.browser.key("s", ctrl=True)
    page.browser.wait_for(OPEN)
    page.browser.evaluate("document.querySelector('#save-dialog textarea').value = 'A long remark. '.repeat(40)")
    page.browser.key("Enter")
    page.browser.wait_for(f"!{OPEN} && document.querySelector('#remarks').innerText.includes('A long remark')")
    flag, noted = page.browser.evaluate("""['#flags li', '#noted'].map(
        selector => document.querySelector(selector).getBoundingClientRect().bottom)""")
    assert flag < noted < 900


def test_what_was_changed_after_it_was_sent_is_not_saved(page: CorrectingPage) -> None:
    unsaved = page.browser.evaluate("""import('/page/correction.js').then(({ Correction }) => {
        const correction = new Correction(() => new Uint8Array(4), { ed: null, es: null });
        correction.put([{ phase: 0, slice: 0, labels: Uint8Array.of(1, 1, 0, 0) }]);
        const sent = correction.snapshot();
        correction.put([{ phase: 0, slice: 0, labels: Uint8Array.of(1, 1, 2, 0) }], { ed: 1 });
        correction.put([{ phase: 1, slice: 0, labels: Uint8Array.of(3, 0, 0, 0) }]);
        correction.markSaved(sent);
        return [correction.isDirty, correction.document()];
    })""")
    planes = [{"phase": 0, "slice": 0, "runs": [2, 1, 2]}, {"phase": 1, "slice": 0, "runs": [0, 1, 3]}]
    assert unsaved == [True, {"ed_phase": 1, "es_phase": None, "planes": planes}]


def test_a_stroke_that_is_held_when_the_case_is_saved_is_in_the_file(page: CorrectingPage) -> None:
    page.press("b", "3")
    before = page.saved.voxels.copy()
    points = page.in_window([(4.5, 4.5), (4.5, 8.5)])
    page.hold(*points)
    page.browser.key("s", ctrl=True)
    page.browser.key("Enter")
    page.let_go(points[-1])
    page.browser.wait_for(f"!{OPEN}")
    page.browser.wait_for("!document.querySelector('#saved').textContent.includes('writing')")
    slice_, phase = page.place
    assert (page.saved.voxels[phase, slice_, 4, 4:9] == Label.LV_CAVITY).all()
    assert not page.is_unsaved
    page.press("Ctrl+z")
    np.testing.assert_array_equal(page.mask, before)


def test_a_key_during_a_stroke_changes_nothing(notched: CorrectingPage) -> None:
    page = notched.open("notched")
    page.go_to(3, 2)
    page.press("Ctrl+c", "b", "1")
    page.stroke((4.5, 4.5))
    page.press("3")
    points = page.in_window([MIDDLE, (MIDDLE[0] + 3, MIDDLE[1])])
    drawn = page.mask
    for key in ("x", "Delete", ",", ".", "u", "j", "w", "Ctrl+v", "Ctrl+z", "t"):
        page.hold(*points)
        page.press(key)
        assert page.text("#deed") == "Not changed: a stroke is being drawn; let go of the button first"
        page.let_go(points[-1])
        assert (page.mask != drawn).any()
        page.press("Ctrl+z")
        np.testing.assert_array_equal(page.mask, drawn)
    page.press("Ctrl+z")
    assert not page.is_unsaved


def test_a_stroke_that_is_held_when_the_case_is_left_is_a_change(notched: CorrectingPage) -> None:
    page = notched.open("notched")
    page.press("b", "3")
    points = page.in_window([(4.5, 4.5), (4.5, 8.5)])
    page.hold(*points)
    page.browser.key("p")
    page.browser.wait_for("document.querySelector('#leave-dialog').open")
    page.let_go(points[-1])
    page.browser.click("#leave-dialog [value=stay]")
    page.rest()
    assert page.is_unsaved


def offered(page: CorrectingPage) -> tuple[list[str], str]:
    """The decisions that the dialog offers, and the one that it begins with; the dialog is closed again."""
    page.browser.key("s", ctrl=True)
    page.browser.wait_for(OPEN)
    words, first = page.browser.evaluate("""[
        [...document.querySelectorAll('#save-dialog fieldset label:not([hidden])')].map(
            label => label.innerText.trim()),
        document.querySelector('#save-dialog form').elements.decision.value,
    ]""")
    page.browser.key("Escape")
    page.browser.wait_for(f"!{OPEN}")
    return words, first


ACCEPTED = ["Accepted: use the network's mask", "Excluded: do not use this case"]
CORRECTED = ["Corrected: use the mask as it is now", "Excluded: do not use this case"]


def test_an_edited_mask_is_never_offered_as_the_network_s(page: CorrectingPage) -> None:
    assert offered(page) == (ACCEPTED, "accepted")
    edited = page.saved
    edited.voxels[:, 2] = 0
    write_cine(page.file, edited)  # as another program does
    page.open()
    assert offered(page) == (CORRECTED, "corrected")
    page.press("w")
    assert page.text("#deed") == "Not changed: the network's own mask is lost, because another program wrote over it"
    page.press("3", "x")
    page.press("Ctrl+z")
    assert offered(page) == (CORRECTED, "corrected")
    page.save()
    assert page.text("#reviewed").lower().startswith("corrected")
    np.testing.assert_array_equal(page.saved.voxels, edited.voxels)
    assert offered(page) == (CORRECTED, "corrected")


def test_the_network_s_mask_comes_back_from_beside_an_edit(page: CorrectingPage) -> None:
    network = page.saved
    slice_, phase = page.place
    edited = page.saved
    edited.voxels[phase, slice_] = 0
    write_cine(page.file.with_name("edited.nii.gz"), edited)
    page.open()
    assert offered(page) == (CORRECTED, "corrected")
    page.browser.wait_for("document.querySelector('#place').innerText.includes('corrected')")
    page.press("w")
    assert page.is_unsaved
    assert offered(page) == (ACCEPTED, "accepted")
    page.save()
    np.testing.assert_array_equal(page.saved.voxels, network.voxels)
    assert page.text("#reviewed").lower().startswith("accepted")


def test_a_correction_that_is_taken_back_after_a_reload_is_offered_as_accepted(page: CorrectingPage) -> None:
    network = page.saved
    page.press("Delete")
    page.save()
    page.open()
    assert offered(page) == (CORRECTED, "corrected")
    page.press("w")
    assert offered(page) == (ACCEPTED, "accepted")
    page.press_shift("d")
    assert offered(page) == (CORRECTED, "corrected")  # another phase is a correction, too
    page.press("Ctrl+z")
    page.save()
    assert page.text("#reviewed").lower().startswith("accepted")
    np.testing.assert_array_equal(page.saved.voxels, network.voxels)
