"""NRRD: the sequences of 3D Slicer, and what is no cine."""

import gzip
from pathlib import Path

import numpy as np
import pytest
from itk_written import voxels_of

from cardioseg.errors import UnusableError
from cardioseg.image.nrrd import is_4d, read_cine


def sequence(path: Path, voxels: np.ndarray, kinds: str, sizes: str, directions: str, *lines: str) -> Path:
    """A sequence as 3D Slicer stores it, in RAS; `voxels` as they lie in the file."""
    fields = {
        "type": "short", "dimension": "4", "space": "right-anterior-superior", "sizes": sizes, "kinds": kinds,
        "space directions": directions, "endian": "little", "encoding": "gzip", "space origin": "(1,2,3)",
    }  # fmt: skip
    head = ["NRRD0005", *(f"{name}: {value}" for name, value in fields.items()), "axis 0 index type:=numeric", *lines]
    path.write_bytes("\n".join([*head, "", ""]).encode() + gzip.compress(voxels.astype("<i2").tobytes()))
    return path


def test_a_sequence_of_slicer_with_its_list_first_or_last(tmp_path: Path) -> None:
    voxels = voxels_of((6, 4, 20, 24))  # phase, slice, row, column
    space = "(1.5,0,0) (0,1.5,0) (0,0,8)"
    first = np.moveaxis(voxels, 0, -1)
    by_first = sequence(tmp_path / "a.seq.nrrd", first, "list domain domain domain", "6 24 20 4", f"none {space}")
    by_last = sequence(tmp_path / "b.seq.nrrd", voxels, "domain domain domain list", "24 20 4 6", f"{space} none")
    for path in (by_first, by_last):
        cine = read_cine(path)
        assert np.array_equal(cine.voxels, voxels)
        assert cine.grid.origin_mm == (-1, -2, 3)
        assert cine.grid.directions[2] == (-1, 0, 0)
        assert cine.times_ms == ()
        assert is_4d(path)


TIMES = "0 40 80.5 120 160 200"
TIMED = [f"axis 0 index values:={TIMES}", 'labels: "time" "" "" ""']
COMMAS = TIMES.replace(" ", ",")


@pytest.mark.parametrize(
    ("lines", "times_ms"),
    [
        ([*TIMED, 'units: "ms" "" "" ""'], [0, 40, 80.5, 120, 160, 200]),
        ([TIMED[0].replace(TIMES, "0 .04 .0805 .12 .16 .2"), "axis 0 index unit:=s"], [0, 40, 80.5, 120, 160, 200]),
        (
            [
                f"MultiVolume.FrameLabels:={COMMAS}",
                "MultiVolume.FrameIdentifyingDICOMTagName:=TriggerTime",
                "MultiVolume.FrameIdentifyingDICOMTagUnits:=ms",
            ],
            [0, 40, 80.5, 120, 160, 200],
        ),
        (
            [
                f"MultiVolume.FrameLabels:={COMMAS}",
                "MultiVolume.FrameIdentifyingDICOMTagName:=FlipAngle",
                "MultiVolume.FrameIdentifyingDICOMTagUnits:=ms",
            ],
            [],
        ),
        (TIMED, []),  # 40 of what
        ([*TIMED, 'units: "%" "" "" ""'], []),
        ([TIMED[0].replace(" 200", ""), 'units: "ms" "" "" ""'], []),
        ([TIMED[0].replace("80.5", "20"), 'units: "ms" "" "" ""'], []),
        ([TIMED[0].replace("80.5", "nan"), 'units: "ms" "" "" ""'], []),
        ([TIMED[0].replace("80.5", "early"), 'units: "ms" "" "" ""'], []),
        ([TIMED[0], 'units: "s" "" "" ""'], []),  # a beat of four minutes
    ],
)
def test_a_sequence_says_when_its_phases_were_acquired(lines: list[str], times_ms: list[float], tmp_path: Path) -> None:
    voxels, space = np.moveaxis(voxels_of((6, 4, 20, 24)), 0, -1), "(1.5,0,0) (0,1.5,0) (0,0,8)"
    path = sequence(tmp_path / "a.seq.nrrd", voxels, "list domain domain domain", "6 24 20 4", f"none {space}", *lines)
    assert read_cine(path).times_ms == pytest.approx(times_ms)


@pytest.mark.parametrize("kind", ["RGB-color", "vector", "3-vector", "covariant-vector"])
def test_colours_and_vectors_are_no_phases(kind: str, tmp_path: Path) -> None:
    voxels, space = voxels_of((4, 20, 24, 3)), "none (1.5,0,0) (0,1.5,0) (0,0,8)"
    path = sequence(tmp_path / "a.nrrd", voxels, f"{kind} domain domain domain", "3 24 20 4", space)
    with pytest.raises(UnusableError, match="not one real number each"):
        read_cine(path)


def still(path: Path, stored: bytes, *lines: str) -> Path:
    """A label map in LPS, whose header has further lines."""
    head = [
        "NRRD0005", "type: short", "dimension: 3", "space: LPS", "sizes: 24 20 4", "endian: little",
        "space directions: (1.5,0,0) (0,1.5,0) (0,0,8)", "space origin: (1,2,3)", *lines,
    ]  # fmt: skip
    path.write_bytes("\n".join([*head, "", ""]).encode() + stored)
    return path


VOXELS = voxels_of((4, 20, 24))
RAW = VOXELS.astype("<i2").tobytes()


@pytest.mark.parametrize(
    ("stored", "lines"),
    [
        (b"sixteen bytes..." + RAW, ["encoding: raw", "byte skip: 16"]),
        (b"any number of bytes" + RAW, ["encoding: raw", "byteskip: -1"]),
        (b"two\nlines\n" + RAW, ["encoding: raw", "line skip: 2"]),
        (b"a line\nfive." + RAW, ["encoding: raw", "line skip: 1", "byte skip: 5"]),
        (b"a line\n" + gzip.compress(b"five." + RAW), ["encoding: gzip", "lineskip: 1", "byte skip: 5"]),
        (RAW, ["encoding: raw", "byte skip: 0", "line skip: 0"]),
    ],
)
def test_what_the_header_skips_is_skipped(stored: bytes, lines: list[str], tmp_path: Path) -> None:
    assert np.array_equal(read_cine(still(tmp_path / "a.nrrd", stored, *lines)).voxels[0], VOXELS)


@pytest.mark.parametrize(
    ("stored", "lines", "complaint"),
    [
        (RAW, ["encoding: raw", "byte skip: 16"], "damaged or truncated"),
        (RAW[:-2], ["encoding: raw", "byte skip: -1"], "damaged or truncated"),
        (RAW, ["encoding: raw", "byte skip: -2"], "not a readable NRRD file"),
        (gzip.compress(RAW), ["encoding: gzip", "byte skip: -1"], "not a readable NRRD file"),
        (gzip.compress(RAW), ["encoding: gzip", "byte skip: 999999999999"], "damaged or truncated"),
        (RAW, ["encoding: raw", "line skip: 9999999"], "not a readable NRRD file"),
        (RAW, ["encoding: raw", 'space units: "inch" "inch" "inch"'], "its positions are in the unit 'inch'"),
    ],
)
def test_what_cannot_be_skipped_or_measured_is_said(
    stored: bytes, lines: list[str], complaint: str, tmp_path: Path
) -> None:
    with pytest.raises(UnusableError, match=complaint):
        read_cine(still(tmp_path / "a.nrrd", stored, *lines))


@pytest.mark.parametrize(("unit", "mm"), [("cm", 10.0), ("um", 0.001), ("m", 1000.0), ("mm", 1.0), ("", 1.0)])
def test_positions_in_another_unit_are_in_mm(unit: str, mm: float, tmp_path: Path) -> None:
    lines = ["encoding: raw", f'space units: "{unit}" "{unit}" "{unit}"']
    grid = read_cine(still(tmp_path / "a.nrrd", RAW, *lines)).grid
    np.testing.assert_allclose(grid.spacing_mm, mm * np.array((8.0, 1.5, 1.5)))
    np.testing.assert_allclose(grid.origin_mm, mm * np.array((1.0, 2.0, 3.0)))
