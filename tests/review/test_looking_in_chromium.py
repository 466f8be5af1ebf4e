"""The page of `review` in a browser: cases are found, opened, looked through and played, by mouse and by keyboard."""

import json
import shutil
from collections.abc import Iterator
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from chromium import Chromium
from PIL import ImageColor
from served_results import Served, served_here

from cardioseg.image.labels import Label
from cardioseg.image.nifti import read_cine
from cardioseg.report.palette import COLOURS
from cardioseg.results.description import Description, read_description
from cardioseg.results.folder import CaseFolder

SEEN = "!document.querySelector('#case').hidden && document.querySelector('#notice').hidden"


@pytest.fixture
def page(browser: Chromium, review: Served) -> Iterator[Chromium]:
    """The case `notched`; afterwards: no complaint, and no request to elsewhere."""
    open_case(browser, review, "notched")
    yield browser
    assert_quiet(browser, review)


@pytest.fixture
def cases(browser: Chromium, review: Served) -> Iterator[Chromium]:
    """The list of cases."""
    browser.visit(review.address)
    browser.wait_for("document.querySelector('#cases tbody tr')")
    yield browser
    assert_quiet(browser, review)


@pytest.fixture(scope="module")
def notched(results: Path) -> Description:
    return read_description(CaseFolder(results / "notched"))


def open_case(browser: Chromium, review: Served, name: str, width: int = 1240, height: int = 900) -> None:
    browser.visit(f"{review.address}/{name}", width, height)
    browser.wait_for(f"{SEEN} && document.querySelector('#grey').textContent")


def assert_quiet(browser: Chromium, review: Served) -> None:
    assert browser.complaints == []
    assert {address.split("/")[2] for address in browser.requests} == {f"127.0.0.1:{review.port}"}


def text(browser: Chromium, selector: str) -> str:
    return str(browser.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))


def place(browser: Chromium) -> tuple[int, int]:
    """The slice and the phase that the page shows, when it has drawn them."""
    browser.evaluate("new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)))")
    words = text(browser, "#place").split()
    return int(words[1]), int(words[words.index("phase") + 1])


def shown_cases(browser: Chromium) -> list[str]:
    rows = "[...document.querySelectorAll('#cases tbody tr:not([hidden]) [data-case]')]"
    return list(browser.evaluate(f"{rows}.map(name => name.innerText)"))


def focused(browser: Chromium) -> str:
    return str(browser.evaluate("document.activeElement.innerText"))


def test_the_list_names_every_case_with_flags_and_numbers(cases: Chromium, notched: Description) -> None:
    assert shown_cases(cases) == ["broken", "dicom", "notched", "still"]  # failed first, then by the number of flags
    assert text(cases, "#counts") == "4 cases, 3 flagged, 1 failed"
    rows = cases.evaluate("[...document.querySelectorAll('#cases tbody tr')].map(row => row.innerText)")
    assert "failed" in rows[0]
    assert "every pixel has the same value" in rows[0]
    assert f"{len(notched.flags)} flags" in rows[2]
    assert f"{notched.measures['lv_ef_percent']:.1f}" in rows[2]


def test_the_list_is_filtered_and_sorted(cases: Chromium) -> None:
    cases.key("/")
    for letter in "image no":
        cases.key(letter)
    assert shown_cases(cases) == ["broken"]  # in the reason; words in any order
    cases.evaluate("document.querySelector('#filter').select()")
    for letter in "notched":
        cases.key(letter)
    assert shown_cases(cases) == ["notched"]
    assert text(cases, "#counts").startswith("1 of 4 cases")
    for letter in "zz":
        cases.key(letter)
    assert text(cases, "#none") == "No case fits the filter."
    cases.evaluate("document.querySelector('#filter').value = ''")
    cases.evaluate("document.querySelector('#filter').dispatchEvent(new Event('input'))")
    cases.click("#cases thead [data-key=case_id] button")
    assert shown_cases(cases) == ["broken", "dicom", "notched", "still"]
    cases.click("#cases thead [data-key=lv_edv_ml] button")
    assert shown_cases(cases)[-2:] == ["still", "broken"]  # what is not known comes last
    cases.click("#cases thead [data-key=lv_edv_ml] button")
    assert shown_cases(cases)[0] == "still"
    assert shown_cases(cases)[-1] == "broken"
    assert cases.evaluate("document.querySelectorAll('[aria-sort=ascending]').length") == 1


def test_keys_alone_lead_to_a_case_and_back(cases: Chromium) -> None:
    cases.wait_for("document.activeElement.dataset.case")
    assert focused(cases) == "broken"
    cases.key("ArrowDown")
    cases.key("ArrowDown")
    assert focused(cases) == "notched"
    cases.key("Enter")
    cases.wait_for(SEEN)
    assert text(cases, "#case h1") == "notched"
    cases.key("n")
    cases.wait_for("document.querySelector('#case h1').textContent === 'still'")
    cases.key("p")
    cases.wait_for("document.querySelector('#case h1').textContent === 'notched'")
    cases.key("Escape")
    cases.wait_for("!document.querySelector('#list').hidden")
    assert focused(cases) == "notched"


def test_wheel_and_keys_change_slice_and_phase(page: Chromium, notched: Description) -> None:
    ed, es = notched.measures.ed_phase, notched.measures.es_phase
    assert place(page) == (2, ed)
    page.wheel("#large", 1)
    assert place(page) == (1, ed)  # to the apex: slice 4 of these stacks is the base
    page.wheel("#large", -1)
    page.wheel("#large", -1)
    assert place(page) == (3, ed)
    page.wheel("#large", 1, shift=True)
    assert place(page) == (3, 0)  # the beat starts again
    page.key("ArrowUp")
    page.key("ArrowUp")
    assert place(page) == (4, 0)  # there is no slice beyond the base
    page.key("ArrowRight")
    page.key("ArrowRight")
    page.key("ArrowLeft")
    assert place(page) == (4, 1)
    page.key("s")
    assert place(page) == (4, es)
    page.key("d")
    page.key("End")
    assert place(page) == (0, ed)
    page.click("#neighbours button:first-child")
    assert place(page) == (1, ed)
    page.click("#overview > button:last-of-type")
    assert place(page) == (0, es)


def test_the_overview_shows_the_phases_of_the_rv(page: Chromium, notched: Description) -> None:
    ed, es = notched.measures["rv_ed_phase"], notched.measures["rv_es_phase"]
    assert (ed, es) != (notched.measures.ed_phase, notched.measures.es_phase)
    assert text(page, "#overview").split()[:4] == ["LV", "RV", "ED", "·"]
    marks = "[...document.querySelectorAll('#curve text.moment')].map(mark => mark.textContent)"
    assert page.evaluate(marks) == ["ED", "ES", "RV ED", "RV ES"]
    page.click("#overview .choice button:last-child")
    page.wait_for("document.querySelector('#overview').innerText.includes('RV ED')")
    assert f"RV ED · {ed}\n\nRV ES · {es}" in text(page, "#overview")
    page.click("#overview > button:last-of-type")
    assert place(page) == (0, es)
    page.key("d")
    page.wait_for("!document.querySelector('#overview').innerText.includes('RV ED')")
    page.key("v")
    page.wait_for("document.querySelector('#overview').innerText.includes('RV ED')")
    assert place(page) == (0, ed)


def test_it_plays_every_phase_and_stops(page: Chromium) -> None:
    page.evaluate("""(() => {
        window.seen = [];
        const look = () => window.seen.push(document.querySelector('#curve').getAttribute('aria-valuenow'));
        new MutationObserver(look).observe(document.querySelector('#curve'), { attributeFilter: ['aria-valuenow'] });
    })()""")
    page.key(" ")
    page.wait_for("window.seen.length > 16")
    page.wait_for("document.querySelector('#play').textContent === 'Pause'")
    page.key(" ")
    page.wait_for("document.querySelector('#play').textContent === 'Play'")
    seen = [int(phase) for phase in page.evaluate("window.seen")]
    assert {(after - before) % 8 for before, after in pairwise(seen)} == {1}


def test_a_flag_leads_to_its_place_and_to_its_other_places(page: Chromium, notched: Description) -> None:
    [index] = [number for number, flag in enumerate(notched.flags) if flag.kind == "open ring"]
    flag = notched.flags[index]
    page.click(f"#flags li:nth-child({index + 1}) button")
    assert place(page) == (flag.slice, flag.phase)
    others = [(place, phase) for phase, place in flag.places if (place, phase) != (flag.slice, flag.phase)]
    page.click(f"#flags li:nth-child({index + 1}) button")
    assert place(page) == others[0]
    assert "2 of" in text(page, "#flags .shown .place")
    page.key("g")
    assert text(page, "#flags .shown strong").lower() == notched.flags[index + 1].kind


def test_the_curve_is_dragged_and_shows_volumes(page: Chromium, notched: Description) -> None:
    line = page.evaluate("""(([line]) => [line.getBoundingClientRect().x, line.getBoundingClientRect().y + 20])(
        document.querySelectorAll('#curve .moment'))""")
    x, y = line
    middle = page.middle("#curve")
    page.drag([middle, ((x + middle[0]) / 2, y), (x, y)])
    assert place(page)[1] == notched.measures.ed_phase
    page.drag([(x, y), (0, y)])
    assert place(page)[1] == 0
    rows = page.evaluate("[...document.querySelectorAll('#volumes tr')].map(row => row.innerText)")
    for label, row in zip((Label.RV_CAVITY, Label.LV_MYOCARDIUM, Label.LV_CAVITY), rows, strict=True):
        assert row.split("\t") == [label.title, f"{notched.curves_ml[label][0]:.1f}", "mL"]
    spoken = page.evaluate("document.querySelector('#curve').getAttribute('aria-valuetext')")
    assert spoken.startswith("phase 0: RV cavity")


def pixels(browser: Chromium, points: np.ndarray) -> np.ndarray:
    """Red, green, blue of the large canvas at points (x, y): of the four pixels around each the most colourful."""
    corners = [np.floor(points) - (across, down) for across in (0, 1) for down in (0, 1)]
    read = f"""(() => {{
        const canvas = document.querySelector('#large canvas');
        const copy = new OffscreenCanvas(canvas.width, canvas.height).getContext('2d');
        copy.drawImage(canvas, 0, 0);
        const {{ data }} = copy.getImageData(0, 0, canvas.width, canvas.height);
        const points = {json.dumps(np.concatenate(corners).astype(int).tolist())};
        return points.map(([x, y]) => [...data.subarray(4 * (y * canvas.width + x)).subarray(0, 3)]);
    }})()"""
    colours = np.array(browser.evaluate(read), int).reshape(4, len(points), 3)
    return colours[np.ptp(colours, axis=2).argmax(0), np.arange(len(points))]


def in_canvas(browser: Chromium, corners: np.ndarray) -> np.ndarray:
    """Points (x, y) of the large canvas of corners (row, column) of the whole image; a pixel has one at either end."""
    width, height = browser.evaluate("(c => [c.width, c.height])(document.querySelector('#large canvas'))")
    scale = min(height / 48, width / 40)  # of an image of 48 x 40 square pixels
    return corners[:, ::-1] * scale + (np.array([width, height]) - scale * np.array([40, 48])) / 2


def edges(mask: np.ndarray, label: Label) -> np.ndarray:
    """The middles of the pixel edges around a structure, as corners (row, column); beside no other label."""
    padded = np.pad(mask, 1)
    found = []
    for row, column in np.argwhere(padded == label):
        for down, across in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if padded[row + down, column + across] == Label.BACKGROUND:
                found.append((row - 0.5 + down / 2, column - 0.5 + across / 2))
    return np.array(found)


def like(colours: np.ndarray, label: Label) -> np.ndarray:
    """Which colours have the hue of a structure: a share of it over some grey."""
    wanted = np.array(ImageColor.getrgb(COLOURS[label]), float)
    centred = colours - colours.mean(1, keepdims=True)
    wanted -= wanted.mean()
    size = np.linalg.norm(centred, axis=1)
    return np.asarray((centred @ wanted > 0.9 * size * np.linalg.norm(wanted)) & (size > 30))


def test_contours_lie_on_the_edges_of_the_mask(page: Chromium, results: Path, notched: Description) -> None:
    page.key("z")
    slice_, ed = place(page)
    mask = read_cine(results / "notched" / "mask.nii.gz").voxels[ed, slice_]
    for label in (Label.LV_CAVITY, Label.LV_MYOCARDIUM, Label.RV_CAVITY):
        corners = edges(mask, label)
        assert len(corners) > 3
        assert like(pixels(page, in_canvas(page, corners)), label).mean() > 0.98, label
    inside = np.argwhere(mask == Label.LV_CAVITY) + 0.5
    assert not like(pixels(page, in_canvas(page, inside)), Label.LV_CAVITY).any()
    page.key("f")
    place(page)
    assert like(pixels(page, in_canvas(page, inside)), Label.LV_CAVITY).all()
    page.key("h")
    place(page)
    assert not like(pixels(page, in_canvas(page, inside)), Label.LV_CAVITY).any()
    page.key("c")
    page.key("z")


def test_the_image_is_drawn_where_and_as_bright_as_it_is(page: Chromium, results: Path) -> None:
    page.key("z")
    page.key("h")
    slice_, ed = place(page)
    image = read_cine(results.parent / "scans" / "notched.nii.gz").voxels[ed, slice_].astype(float)
    centre, width = (float(word) for word in text(page, "#grey").replace("C", "").split("W"))
    expected = np.clip((image - centre) / width + 0.5, 0, 1).ravel() * 255
    drawn = pixels(page, in_canvas(page, np.argwhere(np.ones(image.shape)) + 0.5))
    assert np.ptp(drawn, axis=1).max() == 0
    assert np.ptp(expected) > 200
    assert np.median(np.abs(drawn[:, 0] - expected)) < 3
    assert np.corrcoef(drawn[:, 0], expected)[0, 1] > 0.99
    page.key("c")
    page.key("z")


def test_the_window_is_dragged_with_the_right_button(page: Chromium) -> None:
    x, y = page.middle("#large")
    before = text(page, "#grey")
    page.drag([(x, y), (x + 100, y)], "right")
    wider = text(page, "#grey").split()
    assert wider[1] == before.split()[1]
    assert float(wider[3]) == pytest.approx(1.25 * float(before.split()[3]), abs=2)
    page.drag([(x, y), (x, y - 100)], "right")
    place(page)
    assert float(text(page, "#grey").split()[1]) < float(wider[1])  # brighter
    page.key("r")
    place(page)
    assert text(page, "#grey") == before
    page.key("ArrowUp", shift=True)
    place(page)
    assert text(page, "#grey") != before
    page.click("#reset")


def test_measures_are_a_table(page: Chromium, notched: Description) -> None:
    rows = page.evaluate("[...document.querySelectorAll('#measures tbody tr')].map(row => row.innerText.split('\t'))")
    measures = notched.measures
    ef = [f"{measures[f'{side}_ef_percent']:.1f}" for side in ("lv", "rv")]
    assert ["EF", *ef, "%"] in rows
    assert page.evaluate("document.querySelectorAll('#measures th[scope=row]').length") == len(rows)


def test_the_keys_are_listed(page: Chromium) -> None:
    page.key("?")
    assert page.evaluate("document.querySelector('#keys').open")
    assert "play the beat" in text(page, "#keys")
    before = page.evaluate("document.querySelector('#place').textContent")
    page.key("ArrowUp")
    page.key("Escape")
    assert not page.evaluate("document.querySelector('#keys').open")
    assert page.evaluate("document.querySelector('#place').textContent") == before
    assert not page.evaluate("document.querySelector('#case').hidden")


def test_a_volume_without_phases_has_no_curve_and_no_play(browser: Chromium, review: Served) -> None:
    open_case(browser, review, "still")
    assert browser.evaluate("document.querySelector('#beat').hidden && document.querySelector('#play').hidden")
    assert "one phase" in text(browser, "#place")
    browser.key(" ")
    browser.key("ArrowRight")
    browser.key("ArrowUp")
    browser.wait_for("document.querySelector('#place').textContent.startsWith('slice 3 of 0 to 4')")
    assert_quiet(browser, review)


@pytest.mark.parametrize(("width", "height"), [(1240, 900), (900, 650)])
def test_nothing_is_cut_off_and_nothing_jumps(browser: Chromium, review: Served, width: int, height: int) -> None:
    browser.visit(f"{review.address}/dicom", width, height)
    browser.wait_for("!document.querySelector('#case').hidden")
    boxes = """['#large', '#neighbours', '#curve', '#facts', '#overview', '#tools'].map(
        selector => Object.values(document.querySelector(selector).getBoundingClientRect().toJSON()))"""
    early = browser.evaluate(boxes)
    browser.wait_for(f"{SEEN} && document.querySelector('#grey').textContent")
    assert browser.evaluate(boxes) == early
    assert all(right <= width and bottom <= height for _, _, _, _, _, right, bottom, _ in early)
    assert browser.evaluate("document.querySelector('#tools').offsetHeight") < 40  # one line
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert_quiet(browser, review)


def boxes_of(browser: Chromium, selector: str) -> list[tuple[float, float, float, float]]:
    """Left, top, right and bottom of all elements."""
    sides = "(({ left, top, right, bottom }) => [left, top, right, bottom])(element.getBoundingClientRect())"
    found = browser.evaluate(f"[...document.querySelectorAll({json.dumps(selector)})].map(element => {sides})")
    return [(left, top, right, bottom) for left, top, right, bottom in found]


def overlapping(boxes: list[tuple[float, float, float, float]]) -> int:
    """How many pairs of boxes lie over each other by more than a pixel."""
    return sum(
        min(one[2], other[2]) - max(one[0], other[0]) > 1 and min(one[3], other[3]) - max(one[1], other[1]) > 1
        for one, other in combinations(boxes, 2)
    )


def test_in_a_narrow_window_all_is_one_below_the_other(browser: Chromium, review: Served) -> None:
    open_case(browser, review, "notched", 420, 800)
    parts = boxes_of(browser, "#case header, #tools, #correct, #stage, #beat, #overview, #facts")
    assert len(parts) == 7
    assert overlapping(parts) == 0
    assert all(left >= 0 and right <= 420 and bottom > top + 20 for left, top, right, bottom in parts)
    assert browser.evaluate("document.documentElement.scrollWidth") <= 420
    assert browser.evaluate("document.querySelector('#large').clientHeight") > 200
    browser.evaluate("document.querySelector('#facts').scrollIntoView({ block: 'end' })")
    [(_, _, _, bottom)] = boxes_of(browser, "#facts")
    assert bottom < 801  # all of it can be reached


@pytest.mark.parametrize(("ed", "es"), [(0, -1), (-1, 0)])
def test_the_names_of_phases_at_the_ends_of_the_curve_can_be_read(
    browser: Chromium, results: Path, tmp_path: Path, ed: int, es: int
) -> None:
    file = Path(shutil.copytree(results, tmp_path / "results")) / "notched" / "measures.json"
    document = json.loads(file.read_text())
    last = len(document["curves_ml"]["lv_cavity"]) - 1
    right = {"rv_ed_phase": ed % (last + 1), "rv_es_phase": es % (last + 1)}
    left = {f"{side}ed_phase": right["rv_es_phase"] for side in ("", "lv_")}
    document["measures"] |= right | left | {"es_phase": last // 2, "lv_es_phase": last // 2}
    file.write_text(json.dumps(document))
    with served_here(tmp_path / "results") as review:
        open_case(browser, review, "notched")
        names = browser.evaluate("[...document.querySelectorAll('#curve text.moment')].map(text => text.textContent)")
        assert names == ["ED", "ES", "RV ED", "RV ES"]
        [(left_edge, top, right_edge, _)] = boxes_of(browser, "#curve")
        marks = boxes_of(browser, "#curve text.moment")
        assert all(box[0] >= left_edge and box[1] >= top - 1 and box[2] <= right_edge for box in marks)
        axis = boxes_of(browser, "#curve text:not(.moment)")
        assert sum(overlapping([*marks, label]) for label in axis) == 0


def test_everything_is_named_for_those_who_do_not_see(page: Chromium) -> None:
    nameless: Any = """[...document.querySelectorAll('#case button, #case [role=slider], #case input, dialog')].filter(
        element => !(element.getAttribute('aria-label') || element.getAttribute('aria-labelledby')
          || element.textContent.trim() || element.labels?.length)).length"""
    assert page.evaluate(nameless) == 0
    place(page)
    page.wait_for("document.querySelector('#said').textContent.startsWith('slice')")
