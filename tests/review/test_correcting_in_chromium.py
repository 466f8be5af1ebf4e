"""A case is corrected in the page and saved: what is written, what comes back, and what is said when it cannot be."""

import csv
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from chromium import Chromium
from correcting_page import CorrectingPage, correcting
from highdicom.seg import segread
from served_results import served
from small_phantoms import SMALL
from thresholds import write_threshold_model

from cardioseg.cli.app import run
from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine
from cardioseg.locks import sole_writer
from cardioseg.phantom import write_dicom
from cardioseg.results.description import read_description
from cardioseg.results.folder import CaseFolder

BASE = 4
MIDDLE = (24.5, 20.5)
DIALOG = "document.querySelector('#{}-dialog').open"
HASH = "decodeURIComponent(location.hash.split('/')[1] ?? '')"


@pytest.fixture(scope="module")
def predicted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A DICOM case with objects for the PACS, and a scan beside it; tests copy the results."""
    folder = tmp_path_factory.mktemp("corrected")
    write_dicom(SMALL, folder / "scans" / "heart")
    write_dicom(replace(SMALL, seed=5), folder / "scans" / "other")
    model = write_threshold_model(folder / "model")
    arguments = ["predict", str(folder / "scans"), "-o", str(folder / "results"), "-m", str(model), "-q"]
    assert run([*arguments, "--format", "nifti,dicom-seg"]) == 0
    return folder / "results"


@pytest.fixture
def folder(predicted: Path, tmp_path: Path) -> Path:
    shutil.copytree(predicted, tmp_path / "results")
    return tmp_path / "results"


@pytest.fixture
def page(browser: Chromium, folder: Path) -> Iterator[CorrectingPage]:
    with correcting(browser, folder, "heart") as opened:
        yield opened


def test_a_change_is_that_of_the_numbers_and_not_of_the_texts(page: CorrectingPage) -> None:
    for now, before, text in (
        (("145.7", 145.746), ("138.2", 138.226), "+7.5"),
        (("145.8", 145.76), ("145.7", 145.74), ""),
        (("138.2", 138.24), ("145.7", 145.74), "\N{MINUS SIGN}7.5"),
        (("145.7", 145.746), ("145.7", 145.66), "+0.1"),
    ):
        rows = [{"value": value, "unit": "mL", "number": number} for value, number in (now, before)]
        arguments = ", ".join(map(json.dumps, rows))
        assert page.browser.evaluate(f"import('/page/numbers.js').then((it) => it.changeText({arguments}))") == text


def correct(page: CorrectingPage) -> np.ndarray:
    """Delete the base at both moments and push a contour; the mask then."""
    measures = read_description(CaseFolder(page.results / "heart")).measures
    for phase in (measures.ed_phase, measures.es_phase):
        page.go_to(BASE, phase or 0)
        page.press("Delete")
    page.go_to(2, measures.ed_phase or 0)
    page.press("q")
    page.stroke(MIDDLE, (MIDDLE[0] + 6, MIDDLE[1]))
    page.press("Escape")
    return page.mask


def row_of(table: Path, case_id: str = "heart") -> dict[str, str]:
    with table.open(newline="") as file:
        [row] = [row for row in csv.DictReader(file) if row["case_id"] == case_id]
    return row


def bytes_of(page: CorrectingPage) -> bytes:
    return page.file.read_bytes()


def test_what_is_saved_is_what_was_drawn_and_measured(page: CorrectingPage, tmp_path: Path) -> None:
    corrected = correct(page)
    shown = page.text("#measures")
    page.save()
    assert page.text("#saved").startswith("saved ")
    np.testing.assert_array_equal(page.saved.voxels, corrected)
    assert run(["measure", str(page.results), "-o", str(tmp_path / "measured"), "-q"]) == 0
    row, measured = row_of(page.results / "measures.csv"), row_of(tmp_path / "measured" / "measures.csv")
    numbers = [name for name in row if name.startswith(("lv_", "rv_"))]
    assert {name: row[name] for name in numbers} == {name: measured[name] for name in numbers}
    assert f"{float(row['lv_edv_ml']):.1f}" in shown
    assert f"{float(row['lv_ef_percent']):.1f}" in (page.results / "report.html").read_text()
    ed = int(row["ed_phase"])
    segments = segread(page.results / "heart" / "seg_ed.dcm")
    [number] = [
        segment.SegmentNumber for segment in segments.SegmentSequence if segment.SegmentLabel == Label.LV_CAVITY.title
    ]
    of_segment = [
        frame.SegmentIdentificationSequence[0].ReferencedSegmentNumber == number
        for frame in segments.PerFrameFunctionalGroupsSequence
    ]
    assert segments.pixel_array[of_segment].sum() == (corrected[ed] == Label.LV_CAVITY).sum()


def test_a_reload_shows_what_was_saved_and_the_network_s_mask_comes_back_to_the_byte(page: CorrectingPage) -> None:
    before = bytes_of(page)
    corrected = correct(page)
    page.save("Tab", "A", "B")
    page.open()
    np.testing.assert_array_equal(page.mask, corrected)
    assert "corrected in review by AB" in page.text("#remarks")
    assert "(" in page.text("#measures")  # the change since the network's mask
    measures = read_description(CaseFolder(page.results / "heart")).measures
    page.browser.wait_for("document.querySelectorAll('#overview .corrected').length === 3")
    for slice_, phase in ((BASE, measures.ed_phase), (BASE, measures.es_phase), (2, measures.ed_phase)):
        page.go_to(slice_, phase or 0)
        page.press("w")
    page.save()
    assert bytes_of(page) == before
    page.browser.wait_for("document.querySelectorAll('#overview .corrected').length === 0")


def test_undo_reaches_beyond_a_save(page: CorrectingPage) -> None:
    before, table = bytes_of(page), (page.results / "measures.csv").read_bytes()
    page.press_shift("d")
    corrected = correct(page)
    page.save()
    assert bytes_of(page) != before
    for _ in range(4):
        page.press("Ctrl+z")
    assert page.is_unsaved
    page.press("Ctrl+z")  # nothing is left
    page.save()
    assert bytes_of(page) == before
    assert row_of(page.results / "measures.csv")["lv_ef_percent"] in table.decode()
    assert read_description(CaseFolder(page.results / "heart")).measures.ed_phase == int(
        page.text("#overview").split("phase")[1].split()[0]
    )
    for _ in range(4):
        page.press("Ctrl+Shift+z")
    np.testing.assert_array_equal(page.mask, corrected)


def test_the_keyboard_alone_suffices(browser: Chromium, folder: Path) -> None:
    with served(folder) as review:
        page = CorrectingPage(browser, review, folder, "heart")
        browser.visit(review.address)
        browser.wait_for("document.activeElement.dataset.case")
        browser.key("Enter")
        browser.wait_for("!document.querySelector('#case').hidden && document.querySelector('#notice').hidden")
        page.name = browser.evaluate(HASH)
        first, before = page.name, page.saved.voxels
        page.press("g", "d", "Home", "Delete", "s", "Delete", "t", "ArrowDown", "3", "u")
        corrected = page.mask
        assert not corrected[:, BASE].any()  # the deletion was carried on
        page.press("Ctrl+z")
        page.save("Tab", "A", "B", "Tab", "b", "a", "s", "e", "Tab")
        assert (page.saved.voxels[:, BASE] == 0).all()
        np.testing.assert_array_equal(page.saved.voxels[:, :BASE], before[:, :BASE])
        browser.key("n")
        shown = "document.querySelector('#case h1').textContent"
        browser.wait_for(f"{shown} !== '{first}' && document.querySelector('#notice').hidden")
        page.rest()
        page.save()  # accepted as it is; the initials are remembered
        browser.key("Escape")
        browser.wait_for("!document.querySelector('#list').hidden")
        reviews = (
            "[...document.querySelectorAll('#cases tbody td:nth-child(3)')].map(cell => cell.innerText.split(/\\s/))"
        )
        assert sorted(browser.evaluate(reviews)) == [["accepted", "AB"], ["corrected", "AB"]]
        assert browser.complaints == []


def test_the_list_is_sorted_and_filtered_by_review(page: CorrectingPage) -> None:
    page.save("ArrowDown")  # the decision: excluded
    browser = page.browser
    assert page.text("#reviewed").lower().startswith("excluded")
    browser.key("Escape")
    browser.wait_for("!document.querySelector('#list').hidden")
    names = "[...document.querySelectorAll('#cases tbody tr:not([hidden]) [data-case]')].map(name => name.innerText)"
    browser.click("#cases thead [data-key=review] button")
    assert browser.evaluate(names) == ["heart", "other"]  # who was not reviewed comes last
    assert "excluded" in page.text("#cases tbody tr:first-child")
    browser.click("#to-review-only")
    assert browser.evaluate(names) == ["other"]


def test_leaving_asks_first(page: CorrectingPage) -> None:
    browser = page.browser
    for answer, case in (("stay", "heart"), ("discard", "other")):
        if answer == "stay":
            page.press("Delete")
        browser.key("n")
        browser.wait_for(DIALOG.format("leave"))
        assert "heart are not saved" in page.text("#leave-dialog")
        browser.click(f"#leave-dialog [value={answer}]")
        browser.wait_for(f"!{DIALOG.format('leave')} && {HASH} === '{case}'")
        browser.wait_for(f"document.querySelector('#case h1').textContent === '{case}'")
        assert page.is_unsaved == (answer == "stay")
    page.name = "other"
    page.rest()
    page.press("Delete")
    browser.key("Escape")
    browser.wait_for(DIALOG.format("leave"))
    browser.click("#leave-dialog [value=save]")
    browser.wait_for(DIALOG.format("save"))
    browser.key("Enter")
    browser.wait_for("!document.querySelector('#list').hidden")
    assert (page.saved.voxels == 0).all(axis=(2, 3)).any()


def test_closing_the_tab_asks_first(page: CorrectingPage) -> None:
    page.open()
    assert page.browser.dialogs == []
    page.press("Delete")
    page.browser.click("#deed")  # browsers ask only for a page that was used
    page.open()
    assert page.browser.dialogs == ["beforeunload"]


def test_a_case_that_was_changed_meanwhile(page: CorrectingPage) -> None:
    page.press("Delete")
    corrected = page.mask
    measures = page.results / "heart" / "measures.json"
    os.utime(measures, ns=(1, 1))  # as if another tab had saved
    page.press("ArrowDown")
    page.browser.key("Delete")
    slice_, phase = page.place
    places = f"slice {slice_}, phase {phase}; slice {slice_ + 1}, phase {phase}"
    page.browser.wait_for(f"document.querySelector('#trouble span').textContent.includes({json.dumps(places)})")
    lost = f"Your unsaved changes ({places}) cannot be saved from this page, and loading it again discards them."
    assert page.text("#trouble span").startswith(f"heart was changed meanwhile (load it again). {lost}")
    page.browser.key("s", ctrl=True)
    page.browser.wait_for(DIALOG.format("save"))
    page.browser.key("Enter")
    page.browser.wait_for("!document.querySelector('#save-dialog .trouble').hidden")
    page.browser.wait_for("document.querySelector('#save-dialog .trouble').textContent.includes('changed meanwhile')")
    assert lost in page.text("#save-dialog .trouble")
    page.browser.key("Escape")
    page.browser.wait_for(f"!{DIALOG.format('save')}")
    assert page.is_unsaved  # nothing is lost
    assert (corrected != page.saved.voxels).any()
    page.browser.click("#trouble button")
    page.browser.wait_for(DIALOG.format("leave"))
    page.browser.click("#leave-dialog [value=discard]")
    page.browser.wait_for(f"!{DIALOG.format('leave')} && document.querySelector('#trouble').hidden")
    page.browser.wait_for("document.querySelector('#saved').textContent === ''")
    assert all("409" in complaint for complaint in page.browser.complaints)  # which browsers write down
    page.browser.complaints.clear()


def test_while_another_run_writes_the_tables_are_later(page: CorrectingPage) -> None:
    page.press("Delete")
    with sole_writer(page.results):
        page.browser.key("s", ctrl=True)
        page.browser.wait_for(DIALOG.format("save"))
        page.browser.key("Enter")
        page.browser.wait_for(f"!{DIALOG.format('save')}")
        said = page.browser.wait_for("document.querySelector('#trouble span').textContent")
        assert "written later" in said
        assert page.text("#saved").startswith("saved")


def test_a_folder_that_may_only_be_read(browser: Chromium, folder: Path) -> None:
    with served(folder, "--read-only") as review:
        page = CorrectingPage(browser, review, folder, "heart").open()
        assert browser.evaluate("document.querySelector('#correct').hidden && document.querySelector('#save').hidden")
        assert "Masks cannot be corrected here: the page was started with --read-only" in page.text("#remarks")
        posts = len(browser.posts)
        page.press("Delete", "b", "t", "Ctrl+s")
        page.stroke(MIDDLE, (MIDDLE[0] + 5, MIDDLE[1]))
        assert not browser.evaluate(DIALOG.format("save"))
        assert len(browser.posts) == posts
        assert page.text("#saved") == ""


def test_a_scan_that_has_moved_can_be_corrected(browser: Chromium, folder: Path) -> None:
    record = folder / "heart" / "case.json"
    document = json.loads(record.read_text())
    record.write_text(json.dumps(document).replace("/scans", "/moved"))
    with served(folder) as review:
        page = CorrectingPage(browser, review, folder, "heart")
        browser.visit(f"{review.address}/heart", 1240, 900)
        browser.wait_for("document.querySelector('#remarks').innerText.includes('there are no images')")
        page.rest()
        page.press("Home", "Delete")
        expected = page.mask
        page.save()
        np.testing.assert_array_equal(read_cine(page.file).voxels, expected)


@pytest.mark.parametrize(("width", "height"), [(1600, 900), (1000, 700)])
def test_tools_and_numbers_fit_into_the_window(page: CorrectingPage, width: int, height: int) -> None:
    page.open("heart", width, height)
    page.press("Delete")
    boxes = page.browser.evaluate("""['#large', '#correct', '#curve', '#measured', '#save'].map(
        selector => Object.values(document.querySelector(selector).getBoundingClientRect().toJSON()))""")
    assert all(right <= width and bottom <= height for _, _, _, _, _, right, bottom, _ in boxes)
    assert page.browser.evaluate("(area => area.scrollWidth <= area.clientWidth)(document.querySelector('#measured'))")
    assert page.browser.evaluate("document.querySelector('#large').clientHeight") > height / 3
    named = "#case button, #case input, dialog, dialog input, dialog button"
    nameless = f"""[...document.querySelectorAll('{named}')].filter(
        element => !(element.getAttribute('aria-label') || element.getAttribute('aria-labelledby')
          || element.textContent.trim() || element.labels?.length)).length"""
    assert page.browser.evaluate(nameless) == 0


def test_the_list_shows_new_tables_as_soon_as_they_are_written(page: CorrectingPage) -> None:
    """A folder of thousands of cases needs minutes for them; here the answer is held back."""
    browser = page.browser
    browser.evaluate("""(() => {
        const ask = window.fetch;
        const held = new Promise(resolve => { window.letGo = resolve; });
        window.fetch = async (address, ...rest) => {
            if (String(address) === '/api/tables') await held;
            return ask(address, ...rest);
        };
    })()""")
    browser.key("s", ctrl=True)
    browser.key("Enter")
    browser.wait_for("document.querySelector('#saved').textContent.endsWith('writing the tables …')")
    browser.wait_for(f"!{DIALOG.format('save')}")
    browser.key("Escape")
    browser.wait_for("!document.querySelector('#list').hidden")
    assert page.text("#counts").endswith("the tables are being written …")
    assert "accepted" not in page.text("#cases")
    browser.evaluate("window.letGo()")
    browser.wait_for("document.querySelector('#cases').innerText.includes('accepted')")
    assert page.text("#counts") == "2 cases, 2 flagged, 0 failed, 1 reviewed"
