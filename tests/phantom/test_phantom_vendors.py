"""The phantom in the shapes and transfer syntaxes that scanners and archives export."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pydicom
import pytest
import small_phantoms

from cardioseg.ingest.finding.survey import Kind, survey
from cardioseg.phantom import Encoding, Phantom, Vendor, cine, enhanced_instance, write_dicom, write_instance

SMALL = replace(small_phantoms.SMALL, seed=4)
TINY = Phantom(slices=5, phases=8, rows=16, columns=20, spacing_mm=(16.0, 9.0, 8.0))


@pytest.mark.parametrize("vendor", Vendor)
def test_every_shape_is_the_same_cine(tmp_path: Path, vendor: Vendor) -> None:
    folder = write_dicom(SMALL, tmp_path, vendor)
    found = survey(tmp_path)
    assert not found.unused
    assert [series.kind for series in found.series] == [Kind.LOCALIZER, Kind.SHORT_AXIS_CINE]
    (series,) = found.cines
    assert series.folder == folder
    assert len(series.files) == (1 if vendor is Vendor.ENHANCED else 40)
    assert ("joined from 5 series" in series.reason) == (vendor is Vendor.SERIES_A_SLICE)
    assert series.stack is not None
    assert (series.stack.flags, series.stack.missing) == ((), ())
    read, written = series.stack.read(), cine(SMALL)
    np.testing.assert_array_equal(read.voxels, written.voxels)
    assert read.grid.matches(written.grid, tolerance_mm=1e-6)
    assert read.times_ms == pytest.approx(written.times_ms)
    assert series.stack.heart_rate_bpm == pytest.approx(65.2, abs=0.3)
    assert (series.stack.height_m, series.stack.weight_kg, series.stack.thickness_mm) == (1.75, 70, 16)
    np.testing.assert_array_equal(series.stack.volume(3).voxels, written.phase(3).voxels)


@pytest.mark.parametrize("vendor", [Vendor.CLASSIC, Vendor.ENHANCED])
@pytest.mark.parametrize("encoding", Encoding)
def test_every_encoding_keeps_every_bit(tmp_path: Path, vendor: Vendor, encoding: Encoding) -> None:
    folder = write_dicom(TINY, tmp_path, vendor, encoding)
    named = pydicom.dcmread(next(folder.iterdir()), stop_before_pixels=True).file_meta.TransferSyntaxUID.name
    assert encoding.split("-")[0] in named.lower()
    (series,) = survey(tmp_path).cines
    assert series.stack is not None
    read = series.stack.read()
    assert read.voxels.dtype.str == "<i2"
    np.testing.assert_array_equal(read.voxels, cine(TINY).voxels)


def test_equal_settings_give_equal_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write_instance(tmp_path / name, enhanced_instance(TINY, cine(TINY).voxels), Encoding.JPEG_LS)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize(
    ("encoding", "program"),
    [
        (Encoding.JPEG, "dcmdjpeg"),
        (Encoding.JPEG_SV1, "dcmdjpeg"),
        (Encoding.JPEG_LS, "dcmdjpls"),
        (Encoding.RLE, "dcmdrle"),
    ],
)
def test_another_decoder_reads_the_same(tmp_path: Path, encoding: Encoding, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} (Debian's dcmtk) is not installed")
    written = cine(TINY).voxels - np.int16(50)  # negative values too
    write_instance(tmp_path / "a", enhanced_instance(TINY, written), encoding)
    subprocess.run([program, str(tmp_path / "a"), str(tmp_path / "b")], check=True)
    decoded = pydicom.dcmread(tmp_path / "b").pixel_array.reshape(5, 8, 16, 20)[::-1].transpose(1, 0, 2, 3)
    np.testing.assert_array_equal(decoded, written)


def test_dicom_validator_finds_no_error(tmp_path: Path) -> None:
    if shutil.which("dciodvfy") is None:
        pytest.skip("dciodvfy (Debian's dicom3tools) is not installed")
    for encoding in (Encoding.EXPLICIT, Encoding.JPEG_SV1):
        write_instance(tmp_path / "a", enhanced_instance(SMALL, cine(SMALL).voxels), encoding)
        verdict = subprocess.run(["dciodvfy", str(tmp_path / "a")], capture_output=True, text=True, check=False)
        assert "EnhancedMRImage" in verdict.stderr + verdict.stdout
        assert "Error" not in verdict.stderr + verdict.stdout


@pytest.mark.parametrize("vendor", Vendor)
def test_no_reader_takes_the_scanner_for_a_real_one(tmp_path: Path, vendor: Vendor) -> None:
    """dcm2niix knows makers by their first letters: any C is Canon's, whose phases it orders in another way."""
    for path in write_dicom(TINY, tmp_path, vendor).parent.rglob("*.dcm"):
        assert pydicom.dcmread(path, stop_before_pixels=True).Manufacturer == "Synthetic"
