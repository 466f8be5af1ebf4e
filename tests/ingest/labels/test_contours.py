from pathlib import Path

import numpy as np
import pytest
from drawn_outlines import polygon_area
from hypothesis import given
from hypothesis import strategies as st

from cardioseg.errors import UnusableError
from cardioseg.ingest.labels.contours import filled, polygon_mask, read_sunnybrook_contour

PIXEL_MM = 1.37  # Sunnybrook's


def circle(radius: float, centre: np.ndarray, points: int = 120) -> np.ndarray:
    angles = np.linspace(0, 2 * np.pi, points, endpoint=False)
    return centre + radius * np.stack([np.sin(angles), np.cos(angles)], axis=1)


@pytest.mark.parametrize("radius_mm", [6, 8, 12, 16, 20, 24, 28])
def test_area_is_unbiased(radius_mm: float) -> None:
    rng = np.random.default_rng(radius_mm)
    outlines = [circle(radius_mm / PIXEL_MM, rng.uniform(24, 25, 2)) for _ in range(300)]
    drawn = sum(polygon_mask(outline, (49, 49)).sum() for outline in outlines)
    assert drawn / sum(map(polygon_area, outlines)) == pytest.approx(1, abs=0.005)


@pytest.mark.parametrize("radius_mm", [6, 12, 20, 28])
def test_area_is_unbiased_on_half_pixel_outlines(radius_mm: float) -> None:
    """As experts draw: on half pixels, so that outlines run exactly through pixel centres."""
    rng = np.random.default_rng(radius_mm)
    outlines = [np.round(2 * circle(radius_mm / PIXEL_MM, rng.uniform(24, 25, 2))) / 2 for _ in range(300)]
    drawn = sum(polygon_mask(outline, (49, 49)).sum() for outline in outlines)
    assert drawn / sum(map(polygon_area, outlines)) == pytest.approx(1, abs=0.005)


@given(
    corner=st.tuples(st.integers(-3, 8), st.integers(-3, 8)),
    size=st.tuples(st.integers(1, 6), st.integers(1, 6)),
    turned=st.booleans(),
)
def test_whole_pixel_rectangles_have_their_area(corner: tuple[int, int], size: tuple[int, int], turned: bool) -> None:
    (top, left), (height, width) = corner, size
    points = np.array([[top, left], [top, left + width], [top + height, left + width], [top + height, left]], float)
    mask = polygon_mask(points[::-1] if turned else points, (10, 12))
    expected = np.zeros((30, 30), bool)
    expected[top + 10 : top + 10 + height, left + 10 : left + 10 + width] = True
    np.testing.assert_array_equal(mask, expected[10:20, 10:22])


def test_neighbours_share_no_pixel_and_leave_none_out() -> None:
    whole = circle(9, np.array([12.0, 12.0]))
    cut = np.array([[12.0, 3.0], [12.0, 21.0]])  # through pixel centres
    upper = np.concatenate([cut[:1], whole[whole[:, 0] < 12], cut[1:]])
    parts = [polygon_mask(points, (25, 25)).astype(int) for points in (_sorted(upper), _sorted(_mirror(upper)))]
    np.testing.assert_array_equal(sum(parts) > 0, sum(parts) == 1)
    assert (sum(parts)[12, 4:21] == 1).all()


def _mirror(points: np.ndarray) -> np.ndarray:
    return np.stack([24 - points[:, 0], points[:, 1]], axis=1)


def _sorted(points: np.ndarray) -> np.ndarray:
    """In order of the angle around their mean: a convex outline."""
    away = points - points.mean(axis=0)
    return points[np.argsort(np.arctan2(away[:, 0], away[:, 1]))]


def test_reading_turns_x_y_into_zero_based_row_column(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("120.50 137.00\n121.00 136.50\n\n1 1\n")
    np.testing.assert_array_equal(read_sunnybrook_contour(path), [[136, 119.5], [135.5, 120], [0, 0]])


@pytest.mark.parametrize(
    "text", ["", "1 2\n3 4\n", "1 2\n3\n4 5", "a b\nc d\ne f", "1 2\n3 nan\n4 5", "1 2 3\n" * 4, "é"]
)
def test_what_is_no_contour(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.txt"
    path.write_text(text)
    with pytest.raises(UnusableError, match=r"contour file|three pairs"):
        read_sunnybrook_contour(path)


def test_real_contours_are_unbiased(shared_data: Path) -> None:
    files = sorted((shared_data / "sunnybrook" / "SCD_ManualContours").rglob("*.txt"))
    outlines = [read_sunnybrook_contour(path) for path in files]
    drawn = sum(polygon_mask(outline, (256, 256)).sum() for outline in outlines)
    assert len(files) == 84
    assert drawn / sum(map(polygon_area, outlines)) == pytest.approx(1, abs=0.001)


def test_too_many_outlines_of_one_structure_are_refused() -> None:
    outlines = [circle(2, np.array([place, place])) for place in np.linspace(5, 40, 101)]
    with pytest.raises(UnusableError, match="more than 100 contours on one image"):
        filled(outlines, (49, 49))


def test_outlines_that_only_touch_are_holes_or_parts() -> None:
    """Two tools may round a common border differently."""
    whole, hole = circle(10, np.array([24.0, 24.0])), circle(6, np.array([24.0, 28.1]))
    assert filled([whole, hole], (49, 49)).sum() == pytest.approx(np.pi * (100 - 36), rel=0.03)
    apart = circle(6, np.array([24.0, 39.8]))
    assert filled([whole, apart], (49, 49)).sum() == pytest.approx(np.pi * (100 + 36), rel=0.03)
