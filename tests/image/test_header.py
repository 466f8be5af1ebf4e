"""A damaged or lying NIfTI file is refused in one line, quietly; no voxel is ever made up."""

import gzip
import struct
import tracemalloc
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cardioseg.errors import UnusableError
from cardioseg.image.foreign_formats import foreign_content
from cardioseg.image.nifti import is_4d, read_cine, write_volume
from cardioseg.image.nifti_header import read_header
from cardioseg.image.volume import Cine, Grid, Volume

some = settings(
    max_examples=80, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
GRID = Grid((4, 6, 5), (8.0, 1.5, 1.25), (10.0, -20.0, 30.0))
VOXELS = np.random.default_rng(0).integers(-500, 500, GRID.shape).astype(np.int16)
FIRST = 352
Patch = tuple[int, str, tuple[float, ...]]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("plain") / "a.nii"
    write_volume(path, Volume(VOXELS, GRID))
    return path.read_bytes()


@pytest.fixture(scope="module")
def packed(plain: bytes) -> bytes:
    return gzip.compress(plain, mtime=0)


def read(content: bytes, suffix: str) -> Cine:
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        path.write_bytes(content)
        return read_cine(path)


def refusal(content: bytes, suffix: str) -> str:
    with pytest.raises(UnusableError) as caught:
        read(content, suffix)
    name, reason = caught.value.message.split(f"a{suffix}: ")
    assert "\n" not in name + reason
    return reason


def patched(content: bytes, *patches: Patch) -> bytes:
    changed = bytearray(content)
    for offset, kinds, values in patches:
        struct.pack_into(f"<{kinds}", changed, offset, *values)
    return bytes(changed)


@some
@given(data=st.data(), suffix=st.sampled_from([".nii", ".nii.gz"]))
def test_every_truncation_is_refused(
    plain: bytes, packed: bytes, capfd: pytest.CaptureFixture[str], data: st.DataObject, suffix: str
) -> None:
    whole = plain if suffix == ".nii" else packed
    reason = refusal(whole[: data.draw(st.integers(0, len(whole) - 1))], suffix)
    assert reason in {"damaged or truncated", "not a readable NIfTI file"}
    assert capfd.readouterr() == ("", "")


@some
@given(st.binary(max_size=500), st.sampled_from([b"", b"\x1f\x8b", b"\x1f\x8b\x08\0", struct.pack("<i", 348)]))
def test_garbage_is_refused(capfd: pytest.CaptureFixture[str], content: bytes, start: bytes) -> None:
    reason = refusal(start + content, ".nii.gz")
    other = foreign_content("a.nii.gz", start + content) or ("not a readable NIfTI file", "")
    assert reason in {"damaged or truncated", other[0]}
    assert capfd.readouterr() == ("", "")


@some
@given(data=st.data())
def test_a_damaged_packed_file_is_refused_or_whole(packed: bytes, data: st.DataObject) -> None:
    damaged = bytearray(packed)
    damaged[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    try:
        voxels = read(bytes(damaged), ".nii.gz").voxels[0]
    except UnusableError:
        return
    np.testing.assert_array_equal(voxels, VOXELS)


@some
@given(data=st.data())
def test_a_damaged_header_is_refused_or_makes_sense(
    plain: bytes, capfd: pytest.CaptureFixture[str], data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, FIRST - 4))
    damaged = plain[:start] + data.draw(st.binary(min_size=1, max_size=4)) + plain[start:][4:]
    damaged += bytes(max(0, len(plain) - len(damaged)))
    try:
        cine = read(damaged, ".nii")
    except UnusableError:
        pass
    else:
        assert cine.voxels.size <= VOXELS.size * 2
        assert np.isfinite(cine.grid.position_mm(np.array(GRID.shape))).all()
        assert min(cine.grid.spacing_mm) > 0
    assert capfd.readouterr() == ("", "")


NAN, INF = float("nan"), float("inf")
SHEARED = (280, "12f", (1.2, 0.5, 0, 0, 0, 1.3, 0, 0, 0, 0.4, 8, 0))


@pytest.mark.parametrize(
    ("reason", "patches"),
    [
        ("not a readable NIfTI file", [(0, "i", (540,))]),
        (
            "it is the header of a pair, but there is no .img file of the same name beside it",
            [(344, "4s", (b"ni1\0",))],
        ),
        ("an Analyze image, which does not tell left from right", [(344, "4s", (bytes(4),))]),
        ("not a readable NIfTI file", [(40, "h", (0,))]),
        ("not a readable NIfTI file", [(40, "h", (8,))]),
        ("not a readable NIfTI file", [(42, "h", (0,))]),
        ("not a readable NIfTI file", [(42, "h", (-5,))]),
        ("2 dimensions, expected 3 or 4", [(40, "h", (2,))]),
        ("6 dimensions, expected 3 or 4", [(40, "8h", (7, 2, 2, 2, 2, 2, 2, 1))]),
        ("more than 5e+08 voxels", [(42, "3h", (30000, 30000, 30000))]),
        ("its voxels are not one real number each", [(70, "2h", (0, 0))]),
        ("its voxels are not one real number each", [(70, "2h", (128, 24))]),
        ("its voxels are not one real number each", [(70, "2h", (32, 64))]),
        ("damaged or truncated", [(70, "2h", (16, 32))]),  # floats need twice the bytes
        ("damaged or truncated", [(108, "f", (1e9,))]),
        ("damaged or truncated", [(108, "f", (1e30,))]),
        ("damaged or truncated", [(108, "f", (-1,))]),
        ("damaged or truncated", [(108, "f", (NAN,))]),
        ("its spacing is not three positive numbers", [(80, "f", (0,))]),
        ("its spacing is not three positive numbers", [(84, "f", (-1.5,))]),
        ("its spacing is not three positive numbers", [(88, "f", (NAN,))]),
        ("its spacing is not three positive numbers", [(88, "f", (INF,))]),
        ("its geometry is not finite", [(280, "f", (NAN,))]),
        ("its geometry is not finite", [(268, "f", (INF,))]),
        ("its geometry is not finite", [(280, "f", (1e30,))]),
        ("its orientation is no rotation", [(252, "h", (1,)), (256, "3f", (0.9, 0.9, 0.9))]),
        ("its orientation is no rotation", [(252, "h", (1,)), (256, "f", (4e5,))]),
        (
            "its axes are not perpendicular: its columns and rows are 20.2 degrees off a right angle (limit 1)",
            [(252, "h", (0,)), SHEARED],
        ),
        ("its affine maps all columns to the same place", [(252, "h", (0,)), (280, "12f", (0,) * 12)]),
    ],
)
def test_a_lying_header_is_refused(
    plain: bytes, capfd: pytest.CaptureFixture[str], reason: str, patches: list[Patch]
) -> None:
    assert refusal(patched(plain, *patches), ".nii") == reason
    assert refusal(gzip.compress(patched(plain, *patches)), ".nii.gz") == reason
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "patches",
    [
        [(108, "f", (0,))],
        [(40, "8h", (5, 5, 6, 4, 1, 1, 1, 1))],
        [(112, "2f", (0, 5))],  # a slope of zero: not scaled
        [(112, "2f", (NAN, 0))],
        [SHEARED],  # the other form is sound
        [(252, "h", (0,)), (256, "6f", (NAN,) * 6)],  # not used
    ],
)
def test_oddities_that_do_no_harm(plain: bytes, capfd: pytest.CaptureFixture[str], patches: list[Patch]) -> None:
    cine = read(patched(plain, *patches), ".nii")
    np.testing.assert_array_equal(cine.voxels[0], VOXELS)
    assert cine.voxels.dtype == np.int16
    assert cine.grid.matches(GRID)
    assert capfd.readouterr() == ("", "")


def test_stored_numbers_are_scaled(plain: bytes) -> None:
    cine = read(patched(plain, (112, "2f", (2.0, -3.0))), ".nii")
    assert cine.voxels.dtype == np.float32
    np.testing.assert_array_equal(cine.voxels[0], VOXELS * 2.0 - 3.0)


def test_big_endian(plain: bytes) -> None:
    swapped = bytearray(plain)
    for offset, size, count in ((0, 4, 1), (40, 2, 8), (70, 2, 2), (76, 4, 11), (252, 2, 2), (256, 4, 18)):
        field = np.frombuffer(plain, f"<u{size}", count, offset)
        swapped[offset : offset + size * count] = field.astype(f">u{size}").tobytes()
    swapped[FIRST:] = VOXELS.astype(">i2").tobytes()
    cine = read(bytes(swapped), ".nii")
    np.testing.assert_array_equal(cine.voxels[0], VOXELS)
    assert cine.voxels.dtype == np.dtype("=i2")
    assert cine.grid.matches(GRID)


def test_packings(plain: bytes, packed: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    members = gzip.compress(plain[:400]) + gzip.compress(plain[400:])
    for content, suffix in ((members, ".nii.gz"), (plain, ".nii.gz"), (packed + bytes(9), ".NII.GZ"), (plain, ".NII")):
        np.testing.assert_array_equal(read(content, suffix).voxels[0], VOXELS)
    assert refusal(packed, ".nii") == "packed with gzip"
    assert refusal(packed + b"rubbish", ".nii.gz") == "damaged or truncated"
    assert capfd.readouterr() == ("", "")


def test_a_bomb_is_not_unpacked_beyond_its_promise(plain: bytes) -> None:
    bomb = gzip.compress(plain + bytes(2**24), 1)
    tracemalloc.start()
    assert refusal(bomb, ".nii.gz") == "damaged or truncated"
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match=r"missing\.nii: cannot be read: no such file"):
        read_header(tmp_path / "missing.nii")
    with pytest.raises(UnusableError, match="cannot be read: is a directory"):
        is_4d(tmp_path)


def test_units_of_time_and_length(plain: bytes) -> None:
    four = [(40, "8h", (4, 5, 6, 1, 4, 1, 1, 1))]
    steps = [(2 | 16, 80.0), (2 | 8, 0.08), (2 | 24, 80_000.0), (2, 0.08), (2, 80.0)]
    *known, unknown = (
        read(patched(plain, *four, (123, "B", (units,)), (92, "f", (step,))), ".nii").times_ms for units, step in steps
    )
    assert all(times_ms == pytest.approx((0, 80, 160, 240)) for times_ms in known)
    assert unknown == ()
    metres = [(123, "B", (1,)), (80, "3f", (0.00125, 0.0015, 0.008))]
    forms = [(252, "2h", (1, 0)), (256, "6f", (0, 0, 1, -0.01, 0.02, 0.03))]
    assert read(patched(plain, *metres, *forms), ".nii").grid.spacing_mm == pytest.approx(GRID.spacing_mm)
