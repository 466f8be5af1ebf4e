"""What the page of `review` says when something is wrong, and how it bears a thousand cases."""

import csv
import json
import shutil
from pathlib import Path

import pytest
from chromium import Chromium
from correcting_page import CorrectingPage, correcting
from served_results import Served, served

from cardioseg.results.folder import ResultsFolder

NO_SCAN = "there are no images: the scan is no longer where it was, or its files were changed"


def message(browser: Chromium) -> tuple[str, str]:
    """The heading of the page that stands for all others, and its hint."""
    browser.wait_for("!document.querySelector('#message').hidden")
    heading, hint = browser.evaluate(
        "['h1', '.hint'].map(part => document.querySelector(`#message ${part}`).innerText)"
    )
    return heading, hint


def test_an_address_that_was_not_copied_whole(browser: Chromium, review: Served) -> None:
    for address in (review.address.partition("#")[0], review.address[:-3]):
        browser.visit(address)
        heading, hint = message(browser)
        assert heading == "This address lacks the secret of the running cardioseg review"
        assert hint == "copy the whole address that it prints, with all that follows the #"


def test_a_case_that_does_not_exist(browser: Chromium, review: Served) -> None:
    browser.visit(f"{review.address}/nobody")
    assert message(browser)[0] == "there is no such case"
    browser.click("#message .back")
    browser.wait_for("!document.querySelector('#list').hidden")


def test_a_case_that_cannot_be_opened(browser: Chromium, results: Path, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "results")
    mask = tmp_path / "results" / "dicom" / "mask.nii.gz"
    mask.write_bytes(mask.read_bytes()[:1000])
    with served(tmp_path / "results") as review:
        browser.visit(f"{review.address}/dicom")
        assert message(browser)[0].startswith("dicom/mask.nii.gz")
        shutil.copy(results / "dicom" / "mask.nii.gz", mask)
        browser.click("#message .again")
        browser.wait_for("!document.querySelector('#case').hidden")


def test_a_scan_that_has_moved(browser: Chromium, results: Path, tmp_path: Path) -> None:
    shutil.copytree(results, tmp_path / "results")
    record = tmp_path / "results" / "notched" / "case.json"
    record.write_text(record.read_text().replace("notched.nii.gz", "moved.nii.gz"))
    with served(tmp_path / "results") as review:
        browser.visit(f"{review.address}/notched")
        browser.wait_for("document.querySelector('#remarks').innerText")
        assert browser.evaluate("document.querySelector('#remarks').innerText") == NO_SCAN
        browser.key("f")
        browser.wait_for("document.querySelector('#notice').hidden")
        colours = """(canvas => new Set(new Uint32Array(canvas.getContext('2d').getImageData(
            0, 0, canvas.width, canvas.height).data.buffer)).size)(document.querySelector('#large canvas'))"""
        browser.wait_for(f"{colours} > 3")  # the mask alone
        assert browser.evaluate("document.querySelector('#trouble').hidden")


@pytest.fixture
def without_slice_1(results: Path, tmp_path: Path) -> Path:
    """The results, whose case `notched` says that slice 1 was not acquired."""
    copy = Path(shutil.copytree(results, tmp_path / "results"))
    measures = copy / "notched" / "measures.json"
    document = json.loads(measures.read_text())
    document["acquisition"]["missing"] = [1]
    measures.write_text(json.dumps(document))
    return copy


def test_a_slice_that_was_not_acquired(browser: Chromium, without_slice_1: Path) -> None:
    with served(without_slice_1) as review:
        browser.visit(f"{review.address}/notched")
        browser.wait_for("document.querySelector('#grey').textContent && document.querySelector('#notice').hidden")
        assert "1 · not acquired" in browser.evaluate("document.querySelector('#overview').innerText")
        browser.key("ArrowDown")
        browser.wait_for("document.querySelector('#notice').textContent === 'Slice 1 was not acquired'")


def test_a_case_that_is_replaced_while_it_is_shown(browser: Chromium, review: Served) -> None:
    browser.visit(review.address)
    browser.wait_for("document.querySelector('#cases tbody tr')")
    browser.evaluate("""(() => {
        const ask = window.fetch;
        window.fetch = (address, ...rest) => ask(String(address).replace(/version=.*/, 'version=old'), ...rest);
    })()""")  # as if it had been replaced after it was described
    browser.evaluate("document.querySelector('[data-case=dicom]').click()")
    browser.wait_for("!document.querySelector('#trouble').hidden")
    said = browser.evaluate("document.querySelector('#trouble span').textContent")
    assert said == "dicom was changed meanwhile (load it again)"


def test_the_server_has_ended(browser: Chromium, results: Path) -> None:
    with served(results) as review:
        browser.visit(review.address)
        browser.wait_for("document.querySelector('#cases tbody tr')")
        review.end()
        browser.evaluate("document.querySelector('[data-case=dicom]').click()")
        assert message(browser) == ("cardioseg review has ended", "start it again; it prints a new address")


def test_the_server_has_ended_before_changes_were_saved(browser: Chromium, results: Path) -> None:
    with served(results) as review:
        page = CorrectingPage(browser, review, results, "notched").open()
        page.go_to(1, 2)
        page.press_shift("x")
        review.end()
        browser.key("Delete")
        said = browser.wait_for("document.querySelector('#trouble span').textContent")
        assert said.startswith("cardioseg review has ended (start it again; it prints a new address). Your unsaved")
        assert f"(slice 1, phases 0 to {page.saved.phases - 1}) cannot be saved from this page" in said
        assert "open the case in another tab and draw them again there" in said
        assert page.text("#saved") == "not saved"


def test_a_thousand_cases(browser: Chromium, results: Path, tmp_path: Path) -> None:
    out = ResultsFolder(tmp_path / "results")
    shutil.copytree(results, out.path)
    for table in (out.status, out.measures):
        with table.open(newline="") as file:
            [row] = [row for row in csv.DictReader(file) if row["case_id"] == "notched"]
        with table.open("a", newline="") as file:
            writer = csv.DictWriter(file, row)
            writer.writerows(row | {"case_id": f"subject {number:04}"} for number in range(1000))
    with served(out.path) as review:
        browser.visit(review.address)
        browser.wait_for("document.querySelectorAll('#cases tbody tr').length > 1000")
        took_ms = browser.evaluate("""(() => {
            const begun = performance.now();
            const filter = document.querySelector('#filter');
            filter.value = '0999';
            filter.dispatchEvent(new Event('input'));
            document.body.offsetHeight;
            return performance.now() - begun;
        })()""")
        assert browser.evaluate("document.querySelector('#counts').textContent").startswith("1 of 1004 cases")
        assert took_ms < 1000


def test_nothing_is_drawn_in_a_slice_that_was_not_acquired(browser: Chromium, without_slice_1: Path) -> None:
    with correcting(browser, without_slice_1, "notched") as page:
        page.go_to(1, 0)
        page.press("b", "3")
        page.stroke((24.5, 20.5))
        assert page.text("#deed").startswith("Not changed: this slice was not acquired")
        page.press("x", "j")
        assert page.text("#saved") != "not saved"
        page.go_to(2, 0)
        page.press("x")
        assert page.text("#saved") == "not saved"
