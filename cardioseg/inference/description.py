"""Description: what is said about one mask, whether a network or a hand drew it: measures, curves and flags."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from cardioseg.errors import UnusableError
from cardioseg.files import write_json
from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.image.volume import Cine
from cardioseg.inference.cases import Case
from cardioseg.ingest.labels.layouts.acdc import read_body
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Curve, Curves, Moments
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.measure.quality import quality_flags
from cardioseg.measure.ventricles import measure

MASK_FILE = "mask.nii.gz"
MEASURES_FILE = "measures.json"


@dataclass(frozen=True)
class Description:
    """The content of a case's `measures.json`.

    Attributes:
        measures: volumes, ejection fractions and the rest.
        flags: why a human must look.
        curves_ml: volume at each phase for each structure.
        times_ms: time of each phase, or empty where unknown.
        acquisition: what is known of the scan beside its voxels.
        fold_curves_ml: the curves of each network of an ensemble, or empty.
    """

    measures: Measures
    flags: tuple[Flag, ...]
    curves_ml: Curves
    times_ms: tuple[float, ...]
    acquisition: Acquisition
    fold_curves_ml: tuple[Curves, ...] = ()

    @property
    def remark(self) -> str:
        """The flags in one line, or nothing."""
        if not self.flags:
            return ""
        kinds = dict.fromkeys(flag.kind + (f" ({flag.place})" if flag.place else "") for flag in self.flags)
        return f"{len(self.flags)} flag{'s' if len(self.flags) > 1 else ''}: {', '.join(kinds)}"

    def write(self, folder: Path) -> None:
        """Write `measures.json` into a case's folder."""
        document: dict[str, Any] = {
            "measures": self.measures.as_row(),
            "flags": [asdict(flag) for flag in self.flags],
            "curves_ml": _rounded(self.curves_ml),
            "times_ms": [round(value, 3) for value in self.times_ms],
            "acquisition": self.acquisition.document(),
            "fold_curves_ml": [_rounded(curves) for curves in self.fold_curves_ml],
        }
        write_json(folder / MEASURES_FILE, document)


def describe(
    mask: Cine,
    labels: Collection[Label],
    acquisition: Acquisition,
    moments: Moments,
    fold_curves_ml: Sequence[Curves] = (),
    *,
    earlier: Measures = Measures(),  # noqa: B008 - frozen
) -> Description:
    """Measure and judge a mask.

    Args:
        mask: `Label` values (phase, slice, row, column).
        labels: the structures that the model has.
        acquisition: of the scan.
        moments: phases that a person chose.
        fold_curves_ml: the curves of each network of an ensemble.
        earlier: what was measured before; its phases stay where nobody chose others.

    Raises:
        UnusableError: a chosen phase is not in the mask.
    """
    heart = LabelledCine(mask, labels, acquisition)
    measures = measure(heart, moments, fold_curves_ml, earlier=earlier)
    flags = quality_flags(heart, measures)
    return Description(measures, flags, heart.curves_ml, mask.times_ms, acquisition, tuple(fold_curves_ml))


def read_description(folder: Path) -> Description:
    """Read `measures.json` from a case's folder.

    Raises:
        UnusableError: it cannot be read, or is none.
    """
    path = folder / MEASURES_FILE
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        return Description(
            Measures.from_document(document["measures"]),
            tuple(map(Flag.from_document, document["flags"])),
            _curves(document["curves_ml"]),
            tuple(float(value) for value in document["times_ms"]),
            Acquisition.from_document(document["acquisition"]),
            tuple(_curves(curves) for curves in document["fold_curves_ml"]),
        )
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UnusableError(f"{path}: not what predict writes", "predict the case again, or remove the file") from None


def acquisition_of(case: Case) -> Acquisition:
    """What is known of a scan: from its DICOM headers, or from the ACDC Info.cfg beside a NIfTI."""
    stack = case.series.stack if case.series else None
    if stack is None:
        return Acquisition(*read_body(case.source.parent), flags=case.flags)
    body = stack.height_m, stack.weight_kg, stack.heart_rate_bpm
    return Acquisition(*body, stack.missing, stack.flags, stack.thickness_mm)


def _rounded(curves_ml: Curves) -> dict[str, list[float]]:
    return {label.key: [round(value, 3) for value in curve] for label, curve in curves_ml.items()}


def _curves(document: Mapping[str, Curve]) -> dict[Label, Curve]:
    return {Label[key.upper()]: tuple(map(float, curve)) for key, curve in document.items()}
