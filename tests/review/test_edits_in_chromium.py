"""Whole slices in the page of `review`: deleted, copied, carried on, given back; the phases moved by hand. By keys."""

import json

import numpy as np
import pytest
from correcting_page import CorrectingPage

from cardioseg.image.labels import Label
from cardioseg.results.description import read_description
from cardioseg.results.folder import CaseFolder
from cardioseg.review.carried_correction import carried

SLICE, PHASE = 3, 2


@pytest.fixture
def page(notched: CorrectingPage) -> CorrectingPage:
    """The case without changes."""
    notched.open("notched")
    notched.go_to(SLICE, PHASE)
    return notched


def expect(page: CorrectingPage, expected: np.ndarray) -> None:
    """The page's mask is this one, differs from the saved one, and one undo brings that back."""
    np.testing.assert_array_equal(page.mask, expected)
    assert (expected != page.saved.voxels).any()
    page.press("Ctrl+z")
    assert not page.is_unsaved


def test_the_chosen_structure_is_deleted_here(page: CorrectingPage) -> None:
    expected = page.saved.voxels.copy()
    here = expected[PHASE, SLICE]
    here[here == Label.LV_MYOCARDIUM] = 0
    page.press("2", "x")
    assert page.text("#deed") == f"LV myocardium deleted in slice {SLICE}, phase {PHASE}"
    expect(page, expected)


def test_the_chosen_structure_is_deleted_at_all_phases(page: CorrectingPage) -> None:
    expected = page.saved.voxels.copy()
    here = expected[:, SLICE]
    here[here == Label.RV_CAVITY] = 0
    page.press("1")
    page.press_shift("x")
    expect(page, expected)


def test_all_structures_are_deleted_here_and_at_all_phases(page: CorrectingPage) -> None:
    expected = page.saved.voxels.copy()
    expected[PHASE, SLICE] = 0
    page.press("Delete")
    expect(page, expected)
    expected[:, SLICE] = 0
    page.press("Shift+Delete")
    expect(page, expected)


@pytest.mark.parametrize(("key", "steps"), [(",", -1), (".", 1)])
def test_a_slice_is_copied_from_a_neighbouring_phase(page: CorrectingPage, key: str, steps: int) -> None:
    expected = page.saved.voxels.copy()
    expected[PHASE, SLICE] = expected[PHASE + steps, SLICE]
    page.press(key)
    expect(page, expected)


def test_a_slice_is_copied_to_a_phase_that_has_not_arrived(notched: CorrectingPage) -> None:
    """The mask of the phase is held back, as by a slow connection."""
    browser = notched.browser
    hold_back = f"""(() => {{
        const ask = window.fetch;
        const held = new Promise(resolve => {{ window.letGo = resolve; }});
        window.fetch = async (address, ...rest) => {{
            if (String(address).includes('/masks/{PHASE}')) await held;
            return ask(address, ...rest);
        }};
    }})()"""
    added = browser.ask("Page.addScriptToEvaluateOnNewDocument", source=hold_back)
    page = notched.open("notched")
    browser.ask("Page.removeScriptToEvaluateOnNewDocument", identifier=added["identifier"])
    page.go_to(SLICE, PHASE)
    assert not browser.evaluate("document.querySelector('#notice').hidden")
    browser.key(",")
    browser.wait_for("document.querySelector('#deed').textContent === 'Reading the mask …'")
    browser.evaluate("window.letGo()")
    page.rest()
    assert page.text("#deed") == f"Copied from phase {PHASE - 1} to slice {SLICE}, phase {PHASE}"
    expected = page.saved.voxels.copy()
    expected[PHASE, SLICE] = expected[PHASE - 1, SLICE]
    expect(page, expected)


@pytest.mark.parametrize(("key", "steps"), [("u", 1), ("j", -1)])
def test_a_slice_is_copied_from_its_neighbour(page: CorrectingPage, key: str, steps: int) -> None:
    """Slice 4 of these stacks is the base."""
    expected = page.saved.voxels.copy()
    expected[PHASE, SLICE] = expected[PHASE, SLICE + steps]
    page.press(key)
    expect(page, expected)


def test_beyond_the_base_there_is_nothing_to_copy(page: CorrectingPage) -> None:
    page.press("Home", "u")
    assert not page.is_unsaved


def test_the_mask_of_a_slice_is_pasted_into_another_slice_and_phase(page: CorrectingPage) -> None:
    page.press("Ctrl+v")
    assert page.text("#deed") == "Nothing to paste: no mask of this case was copied (Ctrl c)"
    assert not page.is_unsaved
    expected = page.saved.voxels.copy()
    page.press("Ctrl+c")
    assert page.text("#deed") == f"Copied the mask of slice {SLICE}, phase {PHASE}"
    page.press("Delete")  # what was copied stays as it was
    page.go_to(SLICE - 1, PHASE + 3)
    page.press("Ctrl+v")
    words = f"Pasted the mask of slice {SLICE}, phase {PHASE} into slice {SLICE - 1}, phase {PHASE + 3}"
    assert page.text("#deed") == words
    expected[PHASE + 3, SLICE - 1] = expected[PHASE, SLICE]
    expected[PHASE, SLICE] = 0
    np.testing.assert_array_equal(page.mask, expected)
    page.press("Ctrl+z", "Ctrl+z")
    assert not page.is_unsaved
    place = f"slice {SLICE}, phase {PHASE}"
    page.go_to(SLICE, PHASE)
    page.press("Ctrl+v")
    assert page.text("#deed") == f"Pasted the mask of {place} into {place}: nothing to change"


def test_what_was_copied_in_another_case_is_not_pasted(page: CorrectingPage) -> None:
    page.press("Ctrl+c")
    address = page.browser.evaluate("location.hash")
    for case in ("dicom", "notched"):
        page.browser.evaluate(f"location.hash = {json.dumps(address.replace('notched', case))}")
        page.browser.wait_for(f"document.querySelector('#case h1').textContent === '{case}'")
        page.browser.wait_for("document.querySelector('#notice').hidden")
        page.press("Ctrl+v")
        assert page.text("#deed").startswith("Nothing to paste")


def test_words_that_are_selected_are_copied_by_the_browser(page: CorrectingPage) -> None:
    page.browser.evaluate("getSelection().selectAllChildren(document.querySelector('#measures caption, #measured h2'))")
    page.press("Ctrl+c")
    assert page.text("#deed") == ""
    page.browser.evaluate("getSelection().removeAllRanges()")
    page.press("Ctrl+c")
    assert page.text("#deed").startswith("Copied")


def test_carrying_on_says_how_many_phases_changed(page: CorrectingPage) -> None:
    page.press("t")
    assert page.text("#deed") == f"Correction of slice {SLICE}: nothing to carry on"
    page.press("Delete")
    before = page.mask
    page.press("t")
    count = int((page.mask != before).any(axis=(1, 2, 3)).sum())
    assert count > 1
    assert page.text("#deed") == f"Correction of slice {SLICE} carried on to {count} phases"
    page.press("t")
    assert page.text("#deed") == f"Correction of slice {SLICE}: nothing to carry on"
    page.press("Ctrl+z", "Ctrl+z")
    assert not page.is_unsaved


def test_a_correction_is_carried_on_and_carried_on_anew(page: CorrectingPage) -> None:
    network = page.saved.voxels
    page.press("b", "1")
    page.stroke((8.5, 8.5), (30.5, 8.5))
    corrected = page.mask
    expected = corrected.copy()
    expected[:, SLICE] = carried(network[:, SLICE], corrected[:, SLICE], page.seen)
    page.press("t")
    np.testing.assert_array_equal(page.mask, expected)
    assert (expected != corrected).any(axis=(2, 3))[:, SLICE].sum() > 1
    page.stroke((8.5, 5.5), (30.5, 5.5))  # a second thought at the same phase
    corrected[PHASE] = page.mask[PHASE]
    expected[:, SLICE] = carried(network[:, SLICE], corrected[:, SLICE], page.seen)
    page.press("t")
    np.testing.assert_array_equal(page.mask, expected)
    page.press("Ctrl+z", "Ctrl+z", "Ctrl+z", "Ctrl+z")
    assert not page.is_unsaved


def test_the_network_s_mask_comes_back_here_and_at_all_phases(page: CorrectingPage) -> None:
    page.press("Shift+Delete")
    expected = page.mask.copy()
    expected[PHASE, SLICE] = page.saved.voxels[PHASE, SLICE]
    page.press("w")
    np.testing.assert_array_equal(page.mask, expected)
    page.press_shift("w")
    assert not page.is_unsaved


def test_what_was_corrected_is_marked_in_colour_and_in_words(page: CorrectingPage) -> None:
    ed = read_description(CaseFolder(page.results / "notched")).measures.ed_phase
    page.go_to(SLICE, ed or 0)
    marked = "[...document.querySelectorAll('#overview .corrected')].map(button => button.ariaLabel)"
    assert page.browser.evaluate(marked) == []
    page.press("Delete")
    [words] = page.browser.evaluate(marked)
    assert words.startswith(f"slice {SLICE}, ED")
    assert words.endswith("corrected")
    assert page.text("#place").endswith("corrected")
    page.browser.wait_for("document.querySelector('#said').textContent.includes('All structures deleted')")
    page.press("Ctrl+z")
    assert page.browser.evaluate(marked) == []
    assert "corrected" not in page.text("#place")


def test_numbers_follow_with_the_change_in_brackets(page: CorrectingPage) -> None:
    measures = read_description(CaseFolder(page.results / "notched")).measures
    page.go_to(SLICE, measures.ed_phase or 0)
    page.press("3", "x")
    rows = page.browser.evaluate(
        "[...document.querySelectorAll('#measures tbody tr')].map(row => [...row.cells].map(cell => cell.innerText))"
    )
    [edv] = [row[1].split() for row in rows if row[0] == "EDV"]
    volume, change = float(edv[0]), float(edv[1].strip("()").replace("−", "-"))
    pixels = (page.saved.voxels[measures.ed_phase or 0, SLICE] == Label.LV_CAVITY).sum()
    assert change == pytest.approx(-pixels * 6 * 6 * 16 / 1000, abs=0.11)
    assert volume == pytest.approx(float(measures["lv_edv_ml"] or 0) + change, abs=0.11)
    assert any("after saving" in " ".join(row) for row in rows)
    assert page.browser.evaluate("document.querySelectorAll('#curve .line.before').length") == 1
    assert "Shift+D or Shift+S: the phase that is shown becomes ED or ES" in page.text("#number-remarks")
    assert page.text("#flags-old").startswith("Of the mask before your changes")
    page.press("Ctrl+z")
    assert page.browser.evaluate("document.querySelector('#flags-old').hidden")
    assert "(" not in page.text("#measures")
    assert page.browser.evaluate("document.querySelectorAll('#curve .line.before').length") == 0


def test_a_measure_that_is_lost_has_no_value_and_is_not_promised(page: CorrectingPage) -> None:
    es_phase = read_description(CaseFolder(page.results / "notched")).measures.es_phase
    page.press("s", "Home", "3", "x")
    for _ in range(4):
        page.press("ArrowDown", "x")
    cells = page.browser.evaluate(
        "[...document.querySelectorAll('#measures tbody tr')].map(row => [...row.cells].map(cell => cell.innerText))"
    )
    values = {title: lv for title, lv, *_ in cells}
    assert {values[title] for title in ("ESV", "SV", "EF", "ES phase")} == {"–"}
    assert values["Largest wall thickness"] == "after saving"
    why = f"ES is not known: the mask has no cavity at phase {es_phase}, which was ES"
    assert page.text("#number-remarks").startswith(why)
    page.press("ArrowRight", "s")
    assert page.text("#deed").startswith(why)
    page.press(*["Ctrl+z"] * 5)
    assert page.text("#number-remarks") == ""


def test_end_diastole_and_end_systole_are_moved_by_hand(page: CorrectingPage) -> None:
    measures = read_description(CaseFolder(page.results / "notched")).measures
    page.press_shift("d")
    assert page.sent.by_hand.ed_phase == PHASE
    assert page.sent.by_hand.es_phase is None
    assert f"ED · phase {PHASE}" in page.text("#overview")
    assert "ED" in page.text("#place")
    page.press("ArrowRight", "ArrowRight")
    page.press_shift("s")
    assert page.sent.by_hand.es_phase == PHASE + 2
    rows = page.browser.evaluate("[...document.querySelectorAll('#measures tr')].map(row => row.innerText)")
    assert any(row.startswith("ED phase") and f"was {measures.ed_phase}" in row.replace("\n", " ") for row in rows)
    page.press("Ctrl+z", "Ctrl+z")
    assert not page.is_unsaved
    assert f"ED · phase {measures.ed_phase}" in page.text("#overview")


def test_a_phase_is_never_both_moments(page: CorrectingPage) -> None:
    es_phase = read_description(CaseFolder(page.results / "notched")).measures.es_phase
    assert es_phase is not None
    page.go_to(SLICE, es_phase)
    page.press_shift("d")
    assert f"ED · phase {es_phase}" in page.text("#overview")
    assert f"ES · phase {es_phase}" not in page.text("#overview")
    assert "ES · phase" in page.text("#overview")
    page.press_shift("s")
    assert (page.sent.by_hand.ed_phase, page.sent.by_hand.es_phase) == (None, es_phase)
    assert f"ES · phase {es_phase}" in page.text("#overview")
    assert f"ED · phase {es_phase}" not in page.text("#overview")


@pytest.mark.parametrize(("width", "height"), [(1600, 900), (1000, 700)])
def test_the_menu_says_what_its_entries_do_in_any_window(page: CorrectingPage, width: int, height: int) -> None:
    page.open("notched", width, height)
    page.browser.click("#edits-open")
    page.browser.wait_for("document.querySelector('#edits').matches(':popover-open')")
    entries = page.browser.evaluate("[...document.querySelectorAll('#edits button')].map(button => button.innerText)")
    for words in ("copy the mask of this slice", "paste the mask that was copied"):
        assert sum(entry.startswith(words) for entry in entries) == 1
    [top, bottom] = page.browser.evaluate(
        "(box => [box.top, box.bottom])(document.querySelector('#edits').getBoundingClientRect())"
    )
    assert top >= 0
    assert bottom <= height
    page.browser.key("Escape")


def test_the_menu_does_the_same(page: CorrectingPage) -> None:
    page.browser.click("#edits-open")
    page.browser.wait_for("document.querySelector('#edits').matches(':popover-open')")
    entries = page.browser.evaluate("[...document.querySelectorAll('#edits button')].map(button => button.innerText)")
    at = next(number for number, words in enumerate(entries, 1) if words.startswith("delete all structures"))
    page.browser.click(f"#edits button:nth-child({at})")
    page.rest()
    expected = page.saved.voxels.copy()
    expected[PHASE, SLICE] = 0
    assert not page.browser.evaluate("document.querySelector('#edits').matches(':popover-open')")
    expect(page, expected)


def test_keys_of_text_fields_stay_theirs(page: CorrectingPage) -> None:
    page.press("Delete")
    page.browser.key("s", ctrl=True)
    page.browser.wait_for("document.querySelector('#save-dialog').open")
    page.browser.evaluate("document.querySelector('#save-dialog textarea').focus()")
    for key in ("x", "t", "w"):
        page.browser.key(key)
    page.browser.evaluate("""(() => {
        window.taken = [];
        window.addEventListener('keydown', event => window.taken.push(event.defaultPrevented));
    })()""")
    for key in ("z", "c", "v"):
        page.browser.key(key, ctrl=True)
    assert page.browser.evaluate("window.taken") == [False, False, False]
    assert page.browser.evaluate("document.querySelector('#save-dialog').open")
    page.browser.key("Escape")
    page.rest()
    assert page.is_unsaved
    assert len(page.sent.planes) == 1


def test_a_mask_without_phases_offers_what_makes_sense(notched: CorrectingPage) -> None:
    page = notched.open("still")
    before = page.saved.voxels
    page.press("t", ",", ".")
    page.press_shift("d")
    assert not page.is_unsaved
    page.browser.click("#edits-open")
    shown = "[...document.querySelectorAll('#edits button:not([hidden])')].map(button => button.innerText)"
    assert not any("phase" in words for words in page.browser.evaluate(shown))
    page.browser.key("Escape")
    page.press("Delete")
    expected = before.copy()
    expected[0, 2] = 0
    np.testing.assert_array_equal(page.mask, expected)


def test_strokes_stay_when_a_request_fails(page: CorrectingPage) -> None:
    page.browser.evaluate("""(() => {
        const ask = window.fetch;
        window.fetch = (address, ...rest) => {
            if (!window.fails) return ask(address, ...rest);
            return Promise.resolve(new Response(JSON.stringify({ message: 'the disk is full', hint: 'make room' }),
                { status: 409 }));
        };
        window.fails = true;
    })()""")
    page.browser.key("Delete")
    page.browser.wait_for("!document.querySelector('#trouble').hidden")
    assert page.text("#trouble span") == "the disk is full (make room)"
    assert page.browser.evaluate("document.querySelector('#measures').classList.contains('old')")
    page.browser.evaluate("window.fails = false")
    page.browser.key(",")
    page.rest()
    assert page.browser.evaluate("document.querySelector('#trouble').hidden")
    assert json.loads(page.browser.posts[-1][1])["planes"]
    page.press("Ctrl+z", "Ctrl+z")
    assert not page.is_unsaved
