"""Description: what `measures.json` says about one mask: measures, curves and flags."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pydantic import BaseModel

from cardioseg.errors import UnusableError
from cardioseg.files import write_json
from cardioseg.image.flag import Flag
from cardioseg.image.labels import Label
from cardioseg.measure.acquisition import Acquisition
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Curve, Curves
from cardioseg.measure.quantity import KEPT_DIGITS
from cardioseg.measure.reference_values import STUDY, ReferenceValue, reference_values
from cardioseg.measure.wall_measures import WallMeasures
from cardioseg.results.folder import CaseFolder
from cardioseg.results.records import read_record

_HINT = "predict the case again, or remove the file"


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
        wall: the measures of the LV's wall; none in files of earlier versions.
    """

    measures: Measures
    flags: tuple[Flag, ...]
    curves_ml: Curves
    times_ms: tuple[float, ...]
    acquisition: Acquisition
    fold_curves_ml: tuple[Curves, ...] = ()
    wall: WallMeasures = WallMeasures()  # noqa: RUF009 - frozen

    @property
    def references(self) -> Mapping[str, ReferenceValue]:
        """What healthy people have, by key of the quantity; empty unless a user asks for it."""
        is_ed_known = self.measures["lv_ed_phase"] is not None
        return reference_values(self.acquisition, is_ed_known=is_ed_known)

    def write(self, folder: CaseFolder) -> None:
        """Write `measures.json`."""
        document: dict[str, Any] = {
            "measures": self.measures.document(),
            "flags": [asdict(flag) for flag in self.flags],
            "curves_ml": rounded_curves(self.curves_ml),
            "times_ms": [round(value, 3) for value in self.times_ms],
            "acquisition": self.acquisition.document(),
            "fold_curves_ml": [rounded_curves(curves) for curves in self.fold_curves_ml],
            "wall": self.wall.document(),
            "reference_values": f"{STUDY.citation}, doi {STUDY.doi}" if self.references else "",
        }
        write_json(folder.measures, document)


class _Document(BaseModel):
    """The same as it stands in the file."""

    measures: dict[str, float | int | None]
    flags: list[Flag]
    curves_ml: dict[str, Curve]
    times_ms: tuple[float, ...]
    acquisition: Acquisition
    fold_curves_ml: list[dict[str, Curve]]
    wall: WallMeasures = WallMeasures()


def read_description(folder: CaseFolder) -> Description:
    """Read `measures.json`.

    Raises:
        UnusableError: it cannot be read, or is none.
    """
    document = read_record(folder.measures, _Document, _HINT)
    try:
        measures = Measures.from_document(document.measures)
        curves, *folds = map(_curves, (document.curves_ml, *document.fold_curves_ml))
    except (KeyError, ValueError):
        raise UnusableError(f"{folder.measures}: it holds unknown measures or structures", _HINT) from None
    flags, times = tuple(document.flags), document.times_ms
    return Description(measures, flags, curves, times, document.acquisition, tuple(folds), document.wall)


def rounded_curves(curves_ml: Curves) -> dict[str, list[float]]:
    """Volume in mL at each phase, by the key of the structure, as JSON keeps it."""
    return {label.key: [round(value, KEPT_DIGITS) for value in curve] for label, curve in curves_ml.items()}


def _curves(document: Mapping[str, Curve]) -> dict[Label, Curve]:
    return {Label[key.upper()]: tuple(map(float, curve)) for key, curve in document.items()}
