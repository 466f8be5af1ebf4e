"""SliceHeader: the header of one image: its position, its time and its kind."""

from dataclasses import dataclass, field
from pathlib import Path

from cardioseg.archive.member_paths import Stamp
from cardioseg.ingest.dicom.uncompressed_pixels import PlainPixels


@dataclass(frozen=True)
class SliceHeader:
    """One image: a file, or a frame of an enhanced multi-frame file. Geometry is finite and plausible by construction.

    Attributes:
        path: the file, as the user gave it.
        study_uid, series_uid, sop_uid, patient_id: for grouping in memory only; never shown, never written.
        is_mr: whether it is a magnetic resonance image.
        shape: (rows, columns).
        pixel_mm: in-plane spacing (row, column).
        position_mm: LPS position of the centre of pixel (0, 0).
        orientation: LPS unit vectors along increasing column index (first three) and row index (last three).
        frame: 0-based index in a multi-frame file, or None if the file contains one image.
        encoding: UID of the transfer syntax.
        stamp: of the file when the header was read; with another, pixels are refused. None: any file will do.
        plain: location of its pixels, if they are uncompressed; it may differ between two copies.
        rescale: slope and intercept from stored values to intensities.
        padding: lowest and highest stored value that is no intensity, if a magnetic resonance image declares one.
        image_type: kind of image (magnitude, phase ...), to distinguish kinds; never shown.
        instance_number: the image's number; for a frame without one, its 1-based number in the file.
        trigger_ms: nominal time after the R wave.
        actual_trigger_ms: measured time after the R wave.
        temporal_position: order in time, if the scanner numbers it.
        time_offset_s: time after the first image.
        beat_percent: time after the R wave in percent of the beat.
        time_index: index in an enhanced object's dimensions of time.
        acquisition_s: date and time in seconds since the year 1; the time of day, below 86400, if the date is unknown.
            The content time is not read: it is the order of reconstruction, not of the heart.
        acquisition_number, series_number: order of measurement.
        nominal_interval_ms: mean RR interval.
        echo_ms, inversion_ms: of the sequence; several values at one position are a map, not a film.
        flip_degrees: flip angle of the sequence.
        sequence: its kind and its name, as far as they are given; never shown.
        gating: how the images were synchronised with the heart beat, as CardiacSynchronizationTechnique says.
        heart_rate_bpm, height_m, weight_kg: as given, plausible or not.
        thickness_mm: thickness of the excited slice; the distance between slices follows from positions alone.
    """

    path: Path
    study_uid: str = field(repr=False)
    series_uid: str = field(repr=False)
    is_mr: bool
    shape: tuple[int, int]
    pixel_mm: tuple[float, float]
    position_mm: tuple[float, float, float]
    orientation: tuple[float, ...]
    frame: int | None = None
    encoding: str = field(default="", repr=False)
    stamp: Stamp | None = field(default=None, repr=False, compare=False)
    plain: PlainPixels | None = field(default=None, repr=False, compare=False)
    rescale: tuple[float, float] = (1.0, 0.0)
    padding: tuple[int, int] | None = None
    sop_uid: str = field(default="", repr=False)
    patient_id: str = field(default="", repr=False, compare=False)  # copies of an image may have several
    image_type: tuple[str, ...] = field(default=(), repr=False)
    instance_number: int | None = None
    trigger_ms: float | None = None
    actual_trigger_ms: float | None = None
    temporal_position: float | None = None
    time_offset_s: float | None = None
    beat_percent: float | None = None
    time_index: float | None = None
    acquisition_s: float | None = None
    acquisition_number: float | None = None
    series_number: float | None = None
    nominal_interval_ms: float | None = None
    echo_ms: float | None = None
    inversion_ms: float | None = None
    flip_degrees: float | None = None
    sequence: tuple[str, str] = field(default=("", ""), repr=False)
    gating: str = ""
    heart_rate_bpm: float | None = field(default=None, repr=False)
    height_m: float | None = field(default=None, repr=False)
    weight_kg: float | None = field(default=None, repr=False)
    thickness_mm: float | None = None

    @property
    def where(self) -> str:
        """The file; for a multi-frame file also the frame, from 1."""
        return str(self.path) if self.frame is None else f"{self.path}, frame {self.frame + 1}"

    @property
    def age(self) -> tuple[float, ...]:
        """Sort key from the earliest to the latest measurement: by time, or by the scanner's numbers."""
        order = (self.acquisition_s, self.series_number, self.acquisition_number, self.instance_number)
        return tuple(-1.0 if value is None else float(value) for value in order)
