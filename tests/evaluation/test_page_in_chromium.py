"""The pages in a browser: no complaint, nothing fetched, sortable, usable on a phone, printable."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from chromium import Chromium
from hearts import evaluated
from PIL import Image, ImageColor

from cardioseg.evaluation.evaluation_page import write_comparison, write_evaluation
from cardioseg.evaluation.systems import compare
from cardioseg.image.labels import STRUCTURES
from cardioseg.report.palette import COLOURS, ON_LIGHT

ROWS = "[...document.querySelectorAll('.volumes tbody tr')].filter(row => row.offsetParent)"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page of each kind."""
    out = tmp_path_factory.mktemp("out")
    found = {"unet": evaluated(), "other": evaluated(small=3, middle=3, large=3)}
    for name, evaluation in found.items():
        write_evaluation(evaluation, name, out / name)
    write_comparison(found, compare(found), out, {name: f"{name}/evaluation.html" for name in found})
    return out


@pytest.fixture(scope="module")
def page(folder: Path) -> Path:
    return folder / "unet" / "evaluation.html"


def column(browser: Chromium, index: int) -> list[str]:
    """The values of a column as they stand, from top to bottom."""
    return list(browser.evaluate(f"{ROWS}.map(row => row.cells[{index}].dataset.value)"))


def click(browser: Chromium, heading: str) -> None:
    buttons = "[...document.querySelectorAll('.sortable th button')]"
    browser.evaluate(f"{buttons}.find(button => button.innerText.startsWith('{heading}')).click()")


def test_it_opens_without_a_complaint_and_fetches_nothing(browser: Chromium, page: Path) -> None:
    browser.open(page)
    assert browser.complaints == []
    assert browser.requests == [page.absolute().as_uri()]


def test_pictures_and_plots_are_seen(browser: Chromium, page: Path) -> None:
    browser.open(page)
    picture = np.asarray(Image.open(BytesIO(browser.screenshot())).convert("RGB"), np.int16)
    for colour in (*(COLOURS[label] for label in STRUCTURES), *(ON_LIGHT[label] for label in STRUCTURES)):
        assert (np.abs(picture - ImageColor.getrgb(colour)).max(axis=-1) < 40).sum() > 100, colour
    boxes = browser.evaluate("[...document.querySelectorAll('.tiles image')].map(i => i.getBoundingClientRect().width)")
    assert min(boxes) > 60


def test_a_click_on_a_heading_sorts(browser: Chromium, page: Path) -> None:
    browser.open(page)
    dice = [float(value) for value in column(browser, 3)]
    assert dice == sorted(dice)
    click(browser, "Dice")
    assert [float(value) for value in column(browser, 3)] == sorted(dice, reverse=True)
    click(browser, "Difference")
    differences = [float(value) for value in column(browser, 8)]
    assert differences == sorted(differences, reverse=True)
    click(browser, "Case")
    assert column(browser, 0) == sorted(column(browser, 0))
    assert browser.evaluate("document.querySelectorAll('.volumes [aria-sort]').length") == 1
    assert browser.complaints == []


def test_a_label_can_be_shown_alone(browser: Chromium, page: Path) -> None:
    browser.open(page)
    assert len(column(browser, 2)) == 18
    browser.evaluate("document.querySelector('#only-rv_cavity').click()")
    assert column(browser, 2) == ["RV cavity"] * 6


def test_outlines_can_be_hidden(browser: Chromium, page: Path) -> None:
    shown = "[...document.querySelectorAll('.tiles .{}')].filter(path => path.getBoundingClientRect().width).length"
    browser.open(page)
    assert browser.evaluate(shown.format("reference")) > 0
    browser.evaluate("document.querySelector('#show-reference').click()")
    assert browser.evaluate(shown.format("reference")) == 0
    assert browser.evaluate(shown.format("predicted")) > 0
    browser.evaluate("document.querySelector('#show-predicted').click()")
    assert browser.evaluate(shown.format("predicted")) == 0


def test_a_row_leads_to_its_picture(browser: Chromium, page: Path) -> None:
    browser.open(page)
    assert browser.evaluate("document.querySelectorAll('.volumes a').length") == 18
    missing = "[...document.querySelectorAll('a')].filter(a => !document.querySelector(a.getAttribute('href'))).length"
    assert browser.evaluate(missing) == 0


def test_without_scripts_it_is_all_there(browser: Chromium, page: Path) -> None:
    heights = []
    for is_disabled in (True, False):
        browser.ask("Emulation.setScriptExecutionDisabled", value=is_disabled)
        browser.open(page)
        heights.append(browser.ask("Page.getLayoutMetrics")["cssContentSize"]["height"])
    assert heights[0] == heights[1] > 1600


@pytest.mark.parametrize("name", ["unet/evaluation.html", "comparison.html"])
@pytest.mark.parametrize("width", [360, 700, 1000])
def test_a_narrow_window_does_not_scroll_sideways(browser: Chromium, folder: Path, name: str, width: int) -> None:
    browser.open(folder / name, width, 800)
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.complaints == []


def test_on_a_phone_the_first_figures_have_their_heading(browser: Chromium, page: Path) -> None:
    browser.open(page, 360, 800)
    within = "(() => {{ const one = document.createRange(); one.selectNodeContents({}); return one.{}; }})()"
    first = "document.querySelector('.headline .side span').firstChild"
    assert browser.evaluate(within.format(first, "toString()")) == "Dice"
    heading = browser.evaluate(within.format(first, "getBoundingClientRect().left"))
    figure = browser.evaluate("document.querySelector('.headline td b').getBoundingClientRect().left")
    assert abs(heading - figure) < 40


def test_on_a_desk_no_table_of_an_evaluation_is_cut(browser: Chromium, page: Path) -> None:
    browser.open(page)
    cut = "[...document.querySelectorAll('.scroll')].filter(one => one.scrollWidth > one.clientWidth).length"
    assert browser.evaluate(cut) == 0


def test_the_keyboard_reaches_what_scrolls_and_sorts(browser: Chromium, page: Path) -> None:
    browser.open(page)
    scrolling = "[...document.querySelectorAll('.scroll')].every(one => one.tabIndex === 0 && one.ariaLabel)"
    assert browser.evaluate(scrolling)
    assert browser.evaluate("[...document.querySelectorAll('.volumes th button')].every(one => one.tabIndex === 0)")


def test_a_comparison_sorts_and_leads_to_its_systems(browser: Chromium, folder: Path) -> None:
    browser.open(folder / "comparison.html")
    assert browser.complaints == []
    click(browser, "Difference")
    values = browser.evaluate(
        "[...document.querySelectorAll('.tests tbody tr')].map(row => +row.cells[6].dataset.value)"
    )
    assert values == sorted(values, reverse=True)
    links = browser.evaluate("[...document.querySelectorAll('.means a')].map(a => a.getAttribute('href'))")
    assert [(folder / link).is_file() for link in links] == [True, True]


def test_it_prints_on_few_pages(browser: Chromium, page: Path) -> None:
    browser.open(page)
    assert 2 <= len(re.findall(rb"/Type\s*/Page\b", browser.pdf())) <= 6
