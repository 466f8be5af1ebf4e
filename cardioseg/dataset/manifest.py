"""Manifest: what `dataset.json` says of a prepared dataset, its subjects and their volumes."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainSerializer

from cardioseg.image.labels import Label
from cardioseg.image.nifti_forms import Forms
from cardioseg.image.volume import Grid
from cardioseg.skipped import Skipped

FORMAT = "cardioseg-dataset"
VERSION = 1


def _label_of(key: object) -> object:
    """The label of a key; anything else is left to the validation."""
    return {label.key: label for label in Label}.get(key, key) if isinstance(key, str) else key


def _is_label(label: Label) -> Label:
    if label is Label.BACKGROUND:
        raise ValueError("the background is no structure")
    return label


_Millimetres = Annotated[float, Field(gt=0, allow_inf_nan=False)]
_Vector = tuple[float, float, float]
_Spacing = tuple[_Millimetres, _Millimetres, _Millimetres]
_Count = Annotated[int, Field(ge=0)]
_Structure = Annotated[
    Label, BeforeValidator(_label_of), AfterValidator(_is_label), PlainSerializer(lambda label: label.key)
]


class PreparedGrid(BaseModel):
    """The geometry of a volume; see `Grid`. The forms are those of the NIfTI file that it was read from."""

    model_config = ConfigDict(frozen=True)

    shape: tuple[int, int, int]
    spacing_mm: _Spacing
    origin_mm: _Vector
    directions: tuple[_Vector, _Vector, _Vector]
    forms: Forms | None = None

    @classmethod
    def of(cls, grid: Grid) -> "PreparedGrid":
        """What is stored of a grid."""
        return cls.model_validate({name: getattr(grid, name) for name in cls.model_fields})

    def grid(self) -> Grid:
        """The grid again, without the forms."""
        return Grid(self.shape, self.spacing_mm, self.origin_mm, self.directions)


class VolumeRecord(BaseModel):
    """One volume of a subject; see `LabelledVolume`.

    Attributes:
        name: `ed` or `es` if known.
        shape: (slices, rows, columns).
        spacing_mm: along them; None if unknown.
        phase: 0-based phase in the 4D source, or None if the source is 3D.
        labels: the structures that are drawn.
        annotated_slices: number of slices on which any drawn structure is annotated.
        case_ids: names under which a prediction of it may be stored.
        sources: the source of each slice.
        grid: geometry in space; None if unknown.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    shape: tuple[int, int, int]
    spacing_mm: _Spacing | None
    phase: int | None
    labels: tuple[_Structure, ...]
    annotated_slices: _Count
    case_ids: tuple[str, ...]
    sources: tuple[str, ...]
    grid: PreparedGrid | None


class SubjectRecord(BaseModel):
    """One subject.

    Attributes:
        subject_id: from folder names or a CSV.
        group: diagnosis or group if the source gives one.
        file: its arrays, relative to the dataset's folder.
        sha256: hash of that file.
        volumes: in the order of the arrays.
        patient: the name of the patient if several subjects are studies of one; None if none else is of this patient.
    """

    model_config = ConfigDict(frozen=True)

    subject_id: str
    group: str
    file: str = Field(pattern=r"^subjects/[A-Za-z0-9._-]+\.npz$")
    sha256: str
    volumes: tuple[VolumeRecord, ...]
    patient: str | None = None


class Manifest(BaseModel):
    """The whole `dataset.json`.

    Attributes:
        format: says that cardioseg wrote it.
        version: of this format.
        cardioseg: the version that wrote it.
        name: of the dataset.
        layout: of its sources.
        remark: what else to say of where the labels come from.
        patient_remarks: what the DICOM files say of who is the same patient.
        subjects: in the order of their ids.
        skipped: parts of the sources that were not used.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal["cardioseg-dataset"]
    version: Literal[1]
    cardioseg: str = ""
    name: str
    layout: str = ""
    remark: str = ""
    patient_remarks: tuple[Skipped, ...] = ()
    subjects: tuple[SubjectRecord, ...]
    skipped: tuple[Skipped, ...] = ()

    def document(self) -> dict[str, Any]:
        """For JSON: what was set, so that nothing is written where there is nothing to say."""
        return self.model_dump(exclude_unset=True)
