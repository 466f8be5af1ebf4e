"""The report in a browser: no complaint, nothing fetched, sortable, printable, usable in a narrow window."""

import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from chromium import Chromium
from PIL import Image, ImageColor
from small_phantoms import SQUARE

from cardioseg.image.flag import Flag
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.measure.reference_values import reference_values
from cardioseg.measure.ventricles import measure
from cardioseg.measure.wall_measures import measure_wall
from cardioseg.measure.wall_motion import wall_values
from cardioseg.phantom import Phantom, cine, reference
from cardioseg.report.case_report import CaseReport
from cardioseg.report.charts import Times
from cardioseg.report.palette import COLOURS, ON_LIGHT
from cardioseg.report.run_report import write_report
from cardioseg.results.case_pictures import write_pictures
from cardioseg.results.folder import CaseFolder

SMALL = replace(SQUARE, phases=6, ed_phase=0)
SIZES_MM = {"small": 22.0, "large": 30.0, "middle": 26.0}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three hearts, one of them flagged, and a case that failed."""
    out = tmp_path_factory.mktemp("out")
    cases = [CaseReport("broken", "failed", "the slice near 40 mm is missing (`cardioseg inspect broken` says more)")]
    for name, radius_mm in SIZES_MM.items():
        phantom = Phantom(**{**vars(SMALL), "lv_radius_mm": radius_mm})
        image, mask = cine(phantom), reference(phantom)
        curves = LabelledCine(mask, STRUCTURES).curves_ml
        folds = [{label: tuple(share * ml for ml in curve) for label, curve in curves.items()} for share in (0.9, 1.1)]
        person = Acquisition(1.8, 80.0, 65.0, sex="F", age_years=61)
        heart = LabelledCine(mask, STRUCTURES, person)
        measures = measure(heart, fold_curves_ml=folds)
        wall = measure_wall(mask, heart.wall, measures.moments(Label.LV_CAVITY))
        measures = measures.joined(wall_values(wall))
        references = reference_values(person) if name == "large" else {}
        flags = [Flag("open ring", "12 % of the LV cavity's outline has no myocardium", 3, 2)] * (name == "middle")
        write_pictures(CaseFolder(out / name), image, mask, measures, flags=flags, title=name)
        pictures = [CaseFolder(out / name).overlay, CaseFolder(out / name).loop]
        cases.append(
            CaseReport(
                name, "done", "", measures, curves, Times(mask.times_ms), pictures, flags, wall, references, person
            )
        )
    write_report(out / "report.html", {"model": "none", "version": "1"}, cases)
    return out / "report.html"


def rows(browser: Chromium) -> list[str]:
    """The cases in the table, from top to bottom."""
    names = browser.evaluate("[...document.querySelectorAll('.overview tbody th')].map(th => th.innerText).join()")
    return str(names).split(",")


def click(browser: Chromium, heading: str) -> None:
    buttons = "[...document.querySelectorAll('th button')]"
    browser.evaluate(f"{buttons}.find(button => button.innerText.startsWith('{heading}')).click()")


def test_it_opens_without_a_complaint_and_fetches_nothing(browser: Chromium, report: Path) -> None:
    browser.open(report)
    assert browser.complaints == []
    assert browser.requests == [report.absolute().as_uri()]
    assert browser.evaluate("[...document.images].every(image => image.naturalWidth > 0)")
    assert browser.evaluate("document.images.length") == 6


def test_a_complaint_and_a_request_would_be_seen(browser: Chromium, tmp_path: Path) -> None:
    page = tmp_path / "bad.html"
    page.write_text("<script>nothing()</script><img src=picture.png>")
    browser.open(page)
    assert "nothing is not defined" in "".join(browser.complaints)
    assert browser.requests[1:] == [(tmp_path / "picture.png").as_uri()]


def test_its_pictures_and_curves_are_seen(browser: Chromium, report: Path) -> None:
    browser.open(report)
    picture = np.asarray(Image.open(BytesIO(browser.screenshot())).convert("RGB"), int)
    assert picture.shape[0] > 1600
    for label in STRUCTURES:
        for colour in (COLOURS[label], ON_LIGHT[label]):
            assert (np.abs(picture - ImageColor.getrgb(colour)).max(axis=-1) < 40).sum() > 100, (label, colour)


def test_a_click_on_a_heading_sorts(browser: Chromium, report: Path) -> None:
    browser.open(report)
    assert rows(browser) == ["broken", "middle", "small", "large"]
    click(browser, "EDV")
    assert rows(browser) == ["large", "middle", "small", "broken"]
    click(browser, "EDV")
    assert rows(browser) == ["small", "middle", "large", "broken"]
    click(browser, "Case")
    assert rows(browser) == ["broken", "large", "middle", "small"]
    click(browser, "Flags")
    assert rows(browser)[:2] == ["broken", "middle"]
    assert browser.evaluate("document.querySelectorAll('[aria-sort]').length") == 1
    assert browser.complaints == []


def test_without_scripts_it_is_all_there(browser: Chromium, report: Path) -> None:
    browser.ask("Emulation.setScriptExecutionDisabled", value=True)
    browser.open(report)
    plain = Image.open(BytesIO(browser.screenshot()))
    browser.ask("Emulation.setScriptExecutionDisabled", value=False)
    browser.open(report)
    assert Image.open(BytesIO(browser.screenshot())).size == plain.size


def test_what_is_of_no_ventricle_stands_in_no_ventricles_column(browser: Chromium, report: Path) -> None:
    browser.open(report)
    right = "getBoundingClientRect().right"
    heads = f"[...document.querySelectorAll('.numbers:not(.body) thead th')].map(th => [th.innerText, th.{right}])"
    columns = {name: edge for name, edge in browser.evaluate(heads) if name in ("LV", "RV")}
    values = f"[...document.querySelectorAll('.body tbody tr')].map(tr => [tr.cells[0].innerText, tr.cells[1].{right}])"
    found = dict(browser.evaluate(values))
    assert {"Heart rate", "Cardiac output", "Slices", "Slice step", "Phases"} <= found.keys()
    assert all(abs(edge - column) > 20 for edge in found.values() for column in columns.values())
    assert browser.evaluate("document.querySelector('.body thead').innerText.trim()") == "Scan and body"


@pytest.mark.parametrize("width", [360, 700, 1000])
def test_a_narrow_window_does_not_scroll_sideways(browser: Chromium, report: Path, width: int) -> None:
    browser.open(report, width, 800)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width


def test_it_prints_a_page_a_case(browser: Chromium, report: Path) -> None:
    browser.open(report)
    pages = len(re.findall(rb"/Type\s*/Page\b", browser.pdf()))
    assert pages == 1 + len(SIZES_MM) + 1  # all cases first, and the run last
