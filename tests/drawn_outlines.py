"""The phantom's exact outlines, and RTSTRUCT files and cvi42 workspaces that hold them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

import numpy as np
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian, MRImageStorage, RTStructureSetStorage, generate_uid

from cardioseg.phantom import Phantom
from cardioseg.phantom.beating_heart import Section, sections
from cardioseg.phantom.study import uid_of

NAMES = {"LV endo": "saendocardialContour", "LV epi": "saepicardialContour", "RV": "sarvendocardialContour"}
_POINTS = 180


def polygon_area(points: np.ndarray) -> float:
    """Area of a simple polygon in pixels, by the shoelace formula."""
    rows, columns = points.T
    return float(abs(rows @ np.roll(columns, -1) - columns @ np.roll(rows, -1))) / 2


@dataclass(frozen=True)
class Drawn:
    """One outline.

    Attributes:
        name: of its structure.
        slice: from 0.
        phase: from 0.
        points: (n, 2) row and column.
        kind: the geometric type of an RTSTRUCT.
        images: SOP instance UIDs.
    """

    name: str
    slice: int
    phase: int
    points: np.ndarray
    kind: str = "CLOSED_PLANAR"
    images: tuple[str, ...] = field(default=())

    def points_mm(self, phantom: Phantom) -> np.ndarray:
        return phantom.grid.position_mm(np.column_stack([np.full(len(self.points), self.slice), self.points]))


def outlines(phantom: Phantom, phases: Sequence[int] | None = None) -> Iterator[Drawn]:
    """The LV's and the RV's outlines at some phases, at ED and ES if none are given."""
    for phase in phases or sorted(set(phantom.ed_es_phases)):
        for index, section in enumerate(sections(phantom, phase)):
            image = (sop_uid(phantom, index, phase),)
            for name, points in _of_section(phantom, section):
                yield Drawn(name, index, phase, points, images=image)


def sop_uid(phantom: Phantom, index: int, phase: int) -> str:
    return str(uid_of(phantom, "short axis", str(phantom.instance_number(index, phase))))


def circle(radius: float, middle: tuple[float, float], points: int = _POINTS) -> np.ndarray:
    turn = np.arange(points) * 2 * np.pi / points
    return np.array(middle) + radius * np.column_stack([np.sin(turn), np.cos(turn)])


def _of_section(phantom: Phantom, section: Section) -> Iterator[tuple[str, np.ndarray]]:
    turn = np.arange(_POINTS) * 2 * np.pi / _POINTS
    if section.cavity_mm:
        yield "LV endo", _points(phantom, section, section.cavity, turn)
        yield "LV epi", _points(phantom, section, section.epicardium, turn)
    if section.rv_depth_mm and section.epicardium_mm:
        half = section.pose.septum + np.linspace(-np.deg2rad(70), np.deg2rad(70), _POINTS)
        outer, inner = (_points(phantom, section, wall, half) for wall in (section.rv, section.epicardium))
        yield "RV", np.concatenate([outer, inner[::-1]])


def _points(phantom: Phantom, section: Section, wall: Callable[[np.ndarray], np.ndarray], angle: np.ndarray) -> Any:
    (right, down), radius = section.center_mm, wall(angle)
    row = (down + radius * np.sin(angle)) / phantom.spacing_mm[1] + (phantom.rows - 1) / 2
    column = (right + radius * np.cos(angle)) / phantom.spacing_mm[2] + (phantom.columns - 1) / 2
    return np.column_stack([row, column])


def write_rtstruct(path: Path, phantom: Phantom, drawn: Sequence[Drawn], **changes: Any) -> Path:
    """Write an RTSTRUCT; the regions of interest are the names, in the order in which they come."""
    dataset = Dataset()
    dataset.SOPClassUID, dataset.SOPInstanceUID = RTStructureSetStorage, generate_uid()
    dataset.Modality, dataset.StructureSetLabel = "RTSTRUCT", "contours"
    frame_of_reference = uid_of(phantom, "frame of reference")
    numbers = {name: number for number, name in enumerate(dict.fromkeys(one.name for one in drawn), start=1)}
    dataset.StructureSetROISequence = [
        _dataset(ROINumber=number, ReferencedFrameOfReferenceUID=frame_of_reference, ROIName=name)
        for name, number in numbers.items()
    ]
    dataset.ROIContourSequence = [
        _dataset(
            ReferencedROINumber=number,
            ContourSequence=[_contour(phantom, one) for one in drawn if one.name == name],
        )
        for name, number in numbers.items()
    ]
    for keyword, value in changes.items():
        setattr(dataset, keyword, value)
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    path.parent.mkdir(parents=True, exist_ok=True)
    dataset.save_as(path, enforce_file_format=True)
    return path


def listed(uids: Sequence[str]) -> list[Dataset]:
    """The sequence that lists the images of a structure set as a whole."""
    images = [_dataset(ReferencedSOPClassUID=MRImageStorage, ReferencedSOPInstanceUID=uid) for uid in uids]
    study = _dataset(RTReferencedSeriesSequence=[_dataset(ContourImageSequence=images)])
    return [_dataset(RTReferencedStudySequence=[study])]


def _contour(phantom: Phantom, one: Drawn) -> Dataset:
    points = one.points_mm(phantom)
    contour = _dataset(
        ContourGeometricType=one.kind,
        NumberOfContourPoints=len(points),
        ContourData=[f"{value:.4f}" for value in points.ravel()],
    )
    if one.images:
        contour.ContourImageSequence = [
            _dataset(ReferencedSOPClassUID=MRImageStorage, ReferencedSOPInstanceUID=uid) for uid in one.images
        ]
    return contour


def _dataset(**values: Any) -> Dataset:
    dataset = Dataset()
    for keyword, value in values.items():
        setattr(dataset, keyword, value)
    return dataset


def workspace(contours: Mapping[str, Sequence[tuple[str, np.ndarray]]], resolution: int | None = 4) -> str:
    """A cvi42 workspace in XML.

    Args:
        contours: SOP instance UID -> names and points (n, 2), row and column.
        resolution: sub-pixels per pixel.
    """
    images = "".join(
        f'<Hash:item Hash:key={quoteattr(uid)} Hash:count="2"><Hash:item Hash:key="ZoomFactor">1</Hash:item>'
        f'<Hash:item Hash:key="Contours" Hash:count="{len(several)}">'
        + "".join(_cvi42_contour(name, points, resolution) for name, points in several)
        + "</Hash:item></Hash:item>"
        for uid, several in contours.items()
    )
    spaces = "".join(
        f' xmlns:{part}="http://www.circlecvi.com/cvi42/Workspace/{part}/"' for part in ("Hash", "List", "Point")
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<Workspace:Workspace xmlns:Workspace="http://www.circlecvi.com/cvi42/Workspace/"{spaces}>'
        '<Hash:item Hash:key="StudyMapStates" List:count="1"><List:item><Hash:item Hash:key="StudyUid">1.2</Hash:item>'
        f'<Hash:item Hash:key="ImageStates" Hash:count="{len(contours)}">{images}</Hash:item>'
        "</List:item></Hash:item></Workspace:Workspace>"
    )


def _cvi42_contour(name: str, points: np.ndarray, resolution: int | None) -> str:
    subpixels = np.rint(points[:, ::-1] * (resolution or 4)).astype(int).tolist()
    listed_points = "".join(
        f"<List:item><Point:x>{x}</Point:x><Point:y>{y}</Point:y></List:item>" for x, y in subpixels
    )
    of_resolution = f'<Hash:item Hash:key="SubpixelResolution">{resolution}</Hash:item>' if resolution else ""
    return (
        f'<Hash:item Hash:key={quoteattr(name)}><Hash:item Hash:key="Points" List:count="{len(points)}">'
        f"{listed_points}</Hash:item>{of_resolution}</Hash:item>"
    )
