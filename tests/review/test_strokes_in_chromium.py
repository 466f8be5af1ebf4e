"""The tools of the page that draws corrections: which pixels a stroke changes, and what undo makes of it."""

import json
from typing import Any

import numpy as np
import pytest
from correcting_page import CorrectingPage
from scipy.ndimage import binary_dilation
from skimage.measure import points_in_poly

from cardioseg.image.labels import Label

PIXEL_MM = 6.0
PLACE = (2, 0)  # slice and phase
MIDDLE = (24.5, 20.5)
EIGHT = np.ones((3, 3), bool)


@pytest.fixture
def page(notched: CorrectingPage) -> CorrectingPage:
    """The case without changes, at a slice with all structures, with discs of 9 mm."""
    notched.open("notched")
    notched.go_to(*PLACE)
    set_radius(notched, 9.0)
    return notched


@pytest.fixture
def ring(page: CorrectingPage) -> np.ndarray:
    """The plane with nothing but a wall of 6 pixels around a cavity of 3.5, which the brush draws; discs of 9 mm."""
    page.press("a", "Delete", "b")
    for structure, radius_mm in (("2", 36.0), ("3", 21.0)):
        set_radius(page, radius_mm)
        page.press(structure)
        page.stroke(MIDDLE)
    page.press("a")
    set_radius(page, 9.0)
    return plane(page)


def set_radius(page: CorrectingPage, radius_mm: float) -> None:
    page.browser.evaluate(f"""(size => {{
        size.value = {radius_mm};
        size.dispatchEvent(new Event('input'));
    }})(document.querySelector('#size'))""")
    page.rest()


def plane(page: CorrectingPage) -> np.ndarray:
    slice_, phase = PLACE
    return np.asarray(page.mask[phase, slice_])


def saved_plane(page: CorrectingPage) -> np.ndarray:
    slice_, phase = PLACE
    return np.asarray(page.saved.voxels[phase, slice_])


def changed_elsewhere(page: CorrectingPage) -> bool:
    changed = page.mask != page.saved.voxels
    changed[PLACE[1], PLACE[0]] = False
    return bool(changed.any())


def distances_mm(shape: tuple[int, ...], start: tuple[float, float], end: tuple[float, float]) -> np.ndarray:
    """The distance of the middle of each pixel from a line."""
    middles = np.stack(np.indices(shape), axis=-1) + 0.5
    line = np.subtract(end, start)
    along = ((middles - start) @ line / max(float(line @ line), 1e-9)).clip(0, 1)[..., None]
    return np.asarray(np.linalg.norm(middles - (np.asarray(start) + along * line), axis=-1) * PIXEL_MM)


def enclosed(line: list[tuple[float, float]], shape: tuple[int, ...]) -> np.ndarray:
    """The pixels whose middle lies inside a line that does not cross itself."""
    middles = np.stack(np.indices(shape), axis=-1).reshape(-1, 2) + 0.5
    return points_in_poly(middles, line).reshape(shape)


def far_from(line: list[tuple[float, float]], shape: tuple[int, ...]) -> np.ndarray:
    """The pixels whose middle is a tenth of a pixel or more away from a closed line."""
    ends = zip(line, [*line[1:], line[0]], strict=True)
    return np.min([distances_mm(shape, start, end) for start, end in ends], axis=0) > PIXEL_MM / 10


def pixel_at(page: CorrectingPage, point: tuple[float, float]) -> list[int]:
    """Red, green and blue of the large slice at a point of the window."""
    colour = page.browser.evaluate(f"""(canvas => {{
        const {{ left, top }} = canvas.getBoundingClientRect();
        const [x, y] = [{point[0]} - left, {point[1]} - top].map(at => Math.floor(at * devicePixelRatio));
        return [...canvas.getContext('2d').getImageData(x, y, 1, 1).data];
    }})(document.querySelector('#large canvas'))""")
    return list(colour[:3])


def middle_of(mask: np.ndarray) -> tuple[float, float]:
    row, column = (np.argwhere(mask).mean(axis=0)).tolist()
    return row + 0.5, column + 0.5


def test_the_brush_draws_the_chosen_structure_along_its_way(page: CorrectingPage) -> None:
    start, end = (6.4, 5.3), (10.8, 14.6)
    page.press("b", "1")
    page.stroke(start, end)
    before, after = saved_plane(page), plane(page)
    distance = distances_mm(before.shape, start, end)
    assert (after[distance < 8.7] == Label.RV_CAVITY).all()
    assert (after == before)[distance > 9.3].all()
    assert not changed_elsewhere(page)
    assert "RV cavity" in page.text("#deed")


def test_the_smallest_disc_draws_the_pixel_under_the_pointer(page: CorrectingPage) -> None:
    set_radius(page, 0.5)
    page.press("b", "2")
    page.stroke((3.1, 4.9))
    changed = np.argwhere(plane(page) != saved_plane(page))
    assert changed.tolist() == [[3, 4]]


def test_the_size_follows_the_keys(page: CorrectingPage) -> None:
    page.press("]")
    assert page.text("#size-text") == "radius 10.8 mm"
    page.press("[", "[")
    assert page.text("#size-text") == "radius 7.5 mm"


def test_the_eraser_leaves_nothing_where_it_was(page: CorrectingPage) -> None:
    place = middle_of(saved_plane(page) == Label.RV_CAVITY)
    page.press("e", "a")  # without the rule of the wall
    page.stroke(place)
    before, after = saved_plane(page), plane(page)
    distance = distances_mm(before.shape, place, place)
    assert before[distance < 8.7].any()
    assert not after[distance < 8.7].any()
    assert (after == before)[distance > 9.3].all()
    page.press("a")


def test_push_from_inside_moves_the_inner_contour_outwards_and_keeps_the_wall(
    page: CorrectingPage, ring: np.ndarray
) -> None:
    end = (MIDDLE[0] + 8, MIDDLE[1])  # beyond the wall
    page.press("q")
    page.stroke(MIDDLE, end)
    after = plane(page)
    reached = distances_mm(ring.shape, MIDDLE, end)
    assert (after[reached < 8.7] == Label.LV_CAVITY).all()
    grown = binary_dilation((after == Label.LV_CAVITY) & (ring != Label.LV_CAVITY), EIGHT)
    assert set(np.unique(after[grown])) == {Label.LV_MYOCARDIUM, Label.LV_CAVITY}
    assert (after == ring)[~grown & (reached > 9.3)].all()
    page.press("Ctrl+z")
    np.testing.assert_array_equal(plane(page), ring)  # the stroke and the wall were one step
    page.press("a", "q")
    page.stroke(MIDDLE, end)
    assert (plane(page) == np.where(reached < 9.0, Label.LV_CAVITY, ring))[abs(reached - 9.0) > 0.3].all()
    page.press("a")


def test_push_from_outside_moves_the_outer_contour_inwards(page: CorrectingPage, ring: np.ndarray) -> None:
    start, end = (MIDDLE[0] + 9, MIDDLE[1]), (MIDDLE[0] + 6, MIDDLE[1])
    page.press("q")
    page.stroke(start, end)
    after, reached = plane(page), distances_mm(ring.shape, start, end)
    assert (ring[reached < 8.7] == Label.LV_MYOCARDIUM).any()
    assert (after == np.where(reached < 9.0, Label.BACKGROUND, ring))[abs(reached - 9.0) > 0.3].all()
    page.stroke(start, MIDDLE)  # and no further than a wall of one pixel
    open_to = binary_dilation(plane(page) == Label.LV_CAVITY, EIGHT)
    assert set(np.unique(plane(page)[open_to])) == {Label.LV_MYOCARDIUM, Label.LV_CAVITY}


def test_push_from_the_wall_moves_the_inner_contour_inwards(page: CorrectingPage, ring: np.ndarray) -> None:
    start, end = (MIDDLE[0] + 5, MIDDLE[1]), (MIDDLE[0] + 2, MIDDLE[1])
    page.press("q")
    page.stroke(start, end)
    after, reached = plane(page), distances_mm(ring.shape, start, end)
    assert (ring[reached < 8.7] == Label.LV_CAVITY).any()
    assert (after == np.where(reached < 9.0, Label.LV_MYOCARDIUM, ring))[abs(reached - 9.0) > 0.3].all()


def test_the_eraser_lets_no_cavity_out_of_the_wall(page: CorrectingPage, ring: np.ndarray) -> None:
    page.press("e")
    page.stroke((MIDDLE[0], MIDDLE[1] + 5), (MIDDLE[0], MIDDLE[1] + 3))
    after = plane(page)
    assert ((ring != 0) & (after == 0)).any()
    around = binary_dilation(after == Label.LV_CAVITY, EIGHT)
    assert set(np.unique(after[around])) == {Label.LV_MYOCARDIUM, Label.LV_CAVITY}


def test_rv_that_is_drawn_beside_the_cavity_leaves_a_wall(page: CorrectingPage, ring: np.ndarray) -> None:
    page.press("b", "1")
    page.stroke((MIDDLE[0], MIDDLE[1] - 8), (MIDDLE[0], MIDDLE[1] - 4))
    after = plane(page)
    assert (after == Label.RV_CAVITY).any()
    assert not (after == Label.RV_CAVITY)[binary_dilation(after == Label.LV_CAVITY, EIGHT)].any()


def test_fill_fills_what_is_enclosed_and_nothing_else(page: CorrectingPage, ring: np.ndarray) -> None:
    page.press("k", "1")
    page.stroke(MIDDLE)
    np.testing.assert_array_equal(plane(page), np.where(ring == Label.LV_CAVITY, Label.RV_CAVITY, ring))
    now = plane(page)
    page.stroke((1.5, 1.5))
    np.testing.assert_array_equal(plane(page), now)
    assert page.text("#deed") == (
        "Not filled: fill changes the whole area that you click into, and this area reaches the edge of the image. "
        "To draw a new area, use outline (o)"
    )


@pytest.mark.parametrize("zoom", ["whole", "heart"])
def test_an_outline_gives_the_structure_to_all_pixels_whose_centre_it_encloses(page: CorrectingPage, zoom: str) -> None:
    line = [(16.2, 14.3), (17.8, 27.9), (20.4, 24.2), (29.7, 26.1), (27.3, 15.8)]
    page.press("a", "o", "1", *["z"] * (zoom == "heart"))
    page.browser.drag(page.in_window(line, page.heart if zoom == "heart" else None))
    page.rest()
    assert page.text("#deed") == f"Outlined RV cavity in slice {PLACE[0]}, phase {PLACE[1]}"
    expected = np.where(enclosed(line, saved_plane(page).shape), Label.RV_CAVITY, saved_plane(page))
    assert (plane(page) == expected)[far_from(line, expected.shape)].all()
    assert (expected != saved_plane(page)).sum() > 50
    assert not changed_elsewhere(page)
    page.press("Ctrl+z", "a", *["z"] * (zoom == "heart"))
    assert not page.is_unsaved


def test_an_outline_that_crosses_itself_fills_all_that_it_encloses(page: CorrectingPage) -> None:
    twice = [(4.2, 4.2), (4.2, 14.3), (14.3, 14.3), (14.3, 4.2), (4.2, 4.2), (4.2, 9.3), (9.3, 9.3), (9.3, 4.2)]
    eight = [(20.2, 4.2), (30.3, 14.3), (20.2, 14.3), (30.3, 4.2)]
    page.press("a", "o", "1")
    page.stroke(*twice)
    page.stroke(*eight)
    after = plane(page)
    assert (after[4:14, 4:14] == Label.RV_CAVITY).all()  # also where the line goes around a second time
    left, right = [(20.2, 4.2), (25.25, 9.25), (30.3, 4.2)], [(20.2, 14.3), (25.25, 9.25), (30.3, 14.3)]
    shape = after.shape
    inside = enclosed(left, shape) | enclosed(right, shape)
    expected = np.where(inside, Label.RV_CAVITY, saved_plane(page))
    assert inside.sum() > 40
    assert (after == expected)[20:][far_from(eight, shape)[20:]].all()
    page.press("a")


def test_an_outline_may_leave_the_image(page: CorrectingPage) -> None:
    page.press("a", "o", "1")
    page.stroke((2.2, 3.8), (-3.0, 3.8), (-3.0, 8.2), (2.2, 8.2))
    changed = np.argwhere(plane(page) != saved_plane(page))
    assert changed.tolist() == [[row, column] for row in range(2) for column in range(4, 8)]
    page.press("a")


def test_an_outline_around_no_pixel_centre_changes_nothing_and_says_so(page: CorrectingPage) -> None:
    page.press("o", "1")
    for line in ([(6.1, 6.1), (6.1, 6.4), (6.4, 6.4)], [(10.5, 10.5)]):
        page.stroke(*line)
        assert page.text("#deed") == "Outline: the line encloses no pixel centre, so nothing was changed"
        assert not page.is_unsaved


def test_an_outline_keeps_the_cavity_inside_the_wall_and_says_so(page: CorrectingPage, ring: np.ndarray) -> None:
    line = [(MIDDLE[0] - 8.2, MIDDLE[1] - 1.3), (MIDDLE[0] - 8.2, MIDDLE[1] + 1.3), MIDDLE]
    page.press("o", "3")
    page.stroke(*line)
    after, drawn = plane(page), enclosed(line, ring.shape)
    assert (after[drawn] == Label.LV_CAVITY).all()
    around = binary_dilation(after == Label.LV_CAVITY, EIGHT)
    assert set(np.unique(after[around])) == {Label.LV_MYOCARDIUM, Label.LV_CAVITY}
    assert page.text("#deed").endswith("; wall added around the cavity (a turns this off)")
    page.press("Ctrl+z")
    np.testing.assert_array_equal(plane(page), ring)  # the outline and the wall were one step


def test_the_line_is_shown_in_the_colour_of_the_structure_until_escape_drops_it(page: CorrectingPage) -> None:
    page.press("o", "1")
    assert page.browser.evaluate("getComputedStyle(document.querySelector('#large canvas')).cursor") == "crosshair"
    corners = page.in_window([(6.5, 6.5), (6.5, 14.5), (14.5, 14.5)])
    page.hold(*corners)
    [red, green, blue] = page.browser.evaluate("""getComputedStyle(
        document.querySelector('#structures [aria-pressed=true] i')).backgroundColor.match(/\\d+/g).map(Number)""")
    [middle] = page.in_window([(6.5, 10.5)])
    assert pixel_at(page, middle) == pytest.approx([red, green, blue], abs=3)
    assert not page.is_unsaved
    page.press("Escape")
    assert pixel_at(page, middle) != pytest.approx([red, green, blue], abs=3)
    page.let_go(corners[-1])
    assert not page.is_unsaved
    assert page.browser.evaluate("document.querySelector('[data-tool=outline]').ariaPressed") == "true"


def test_a_line_that_is_not_closed_when_another_slice_is_shown_is_dropped(page: CorrectingPage) -> None:
    page.press("o", "1")
    corners = page.in_window([(6.5, 6.5), (6.5, 14.5), (14.5, 14.5)])
    page.hold(*corners)
    page.press("ArrowDown")
    page.let_go(corners[-1])
    assert page.text("#deed") == "Outline dropped: its line was not closed"
    assert not page.is_unsaved


def test_a_stroke_says_what_the_rule_of_the_wall_did_only_if_it_did_something(
    page: CorrectingPage, ring: np.ndarray
) -> None:
    beyond = (MIDDLE[0] + 8, MIDDLE[1])
    page.press("b", "3")
    page.stroke(MIDDLE, beyond)
    place = f"slice {PLACE[0]}, phase {PLACE[1]}"
    assert page.text("#deed") == f"Drawn with LV cavity in {place}; wall added around the cavity (a turns this off)"
    page.press("Ctrl+z")
    page.stroke(MIDDLE)  # inside the cavity
    assert page.text("#deed").startswith(f"Drawn with LV cavity in {place}: nothing")
    page.press("e")
    page.stroke((MIDDLE[0], MIDDLE[1] + 5))  # within the wall, which is not thinner than a pixel then
    assert page.text("#deed") == f"Erased in {place}; wall kept around the cavity (a turns this off)"
    page.press("Ctrl+z", "a", "b")
    page.stroke(MIDDLE, beyond)
    assert page.text("#deed") == f"Drawn with LV cavity in {place}"
    page.press("a")


def test_undo_and_redo_have_no_limit(page: CorrectingPage) -> None:
    page.press("b", "1")
    states = [plane(page)]
    for number in range(12):
        page.stroke((4.5 + number, 4.5))
        states.append(plane(page))
    for state in reversed(states[:-1]):
        page.press("Ctrl+z")
        np.testing.assert_array_equal(plane(page), state)
    assert not page.is_unsaved
    page.press("Ctrl+z")  # there is nothing before
    for state in states[1:]:
        page.press("Ctrl+Shift+z")
        np.testing.assert_array_equal(plane(page), state)
    page.press("Ctrl+z", "Ctrl+z", "Ctrl+y")
    np.testing.assert_array_equal(plane(page), states[-2])


def test_undo_shows_where_it_was(page: CorrectingPage) -> None:
    page.press("b")
    page.stroke((6.5, 6.5))
    page.press("Home", "ArrowRight", "Ctrl+z")
    assert page.place == PLACE


def test_look_and_the_right_button_draw_nothing(page: CorrectingPage) -> None:
    page.press("b", "Escape")
    page.stroke((10.5, 10.5), (20.5, 20.5))
    page.press("b")
    page.browser.drag(page.in_window([(10.5, 10.5), (20.5, 20.5)]), "right")
    page.rest()
    assert not page.is_unsaved
    assert page.browser.evaluate("!document.querySelector('#case').hidden")  # Escape left the tool, not the case


def test_escape_drops_a_stroke_that_has_not_ended(page: CorrectingPage) -> None:
    page.press("b")
    [(x, y)] = page.in_window([(10.5, 10.5)])
    held: Any = {"button": "left", "buttons": 1, "clickCount": 1}
    page.browser.ask("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **held)
    page.browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=x + 50, y=y, **held)
    page.press("Escape")
    page.browser.ask("Input.dispatchMouseEvent", type="mouseReleased", x=x, y=y, **held)
    page.rest()
    assert not page.is_unsaved
    assert page.browser.evaluate("document.querySelector('[data-tool=brush]').ariaPressed") == "true"


def test_a_stroke_is_drawn_while_it_lasts_and_the_circle_is_as_large_as_the_disc(page: CorrectingPage) -> None:
    page.press("b", "1", "f")
    [(x, y), (far_x, far_y)] = page.in_window([(6.5, 6.5), (6.5, 12.5)])
    held: Any = {"button": "left", "buttons": 1, "clickCount": 1}
    picture = "(canvas => canvas.toDataURL())(document.querySelector('#large canvas'))"
    before = page.browser.evaluate(picture)
    page.browser.ask("Input.dispatchMouseEvent", type="mousePressed", x=x, y=y, **held)
    page.browser.ask("Input.dispatchMouseEvent", type="mouseMoved", x=far_x, y=far_y, **held)
    page.browser.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
    assert page.browser.evaluate(picture) != before
    radius = float(page.browser.evaluate("document.querySelector('#circle circle').getAttribute('r')"))
    assert radius == pytest.approx((far_x - x) / 6 * 9 / PIXEL_MM, rel=0.01)
    page.browser.ask("Input.dispatchMouseEvent", type="mouseReleased", x=far_x, y=far_y, **held)
    page.press("c")


def test_numbers_that_are_sent_are_what_differs(page: CorrectingPage) -> None:
    """The runs of the page, read as the server reads them, for planes of any kind."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        base, now = (rng.integers(0, 4, 60).repeat(rng.integers(1, 5, 60)).astype(int)[:60] for _ in range(2))
        script = f"""(async () => {{
            const {{ runs, withRuns }} = await import('/page/correction.js');
            const [base, now] = [Uint8Array.from({json.dumps(base.tolist())}), Uint8Array.from({now.tolist()})];
            const numbers = runs(base, now);
            return [numbers, [...withRuns(base, numbers)]];
        }})()"""
        numbers, again = page.browser.evaluate(script)
        assert again == now.tolist()
        places = [place for at in range(0, len(numbers), 3) for place in range(numbers[at], sum(numbers[at : at + 2]))]
        assert places == np.flatnonzero(base != now).tolist()
