"""Opened case: the mask, the numbers and the images of one case, as the page of `review` asks for them."""

from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock

import numpy as np

from cardioseg.cases.scan import Scan
from cardioseg.correction.corrected_mask import Prediction, read_prediction
from cardioseg.correction.edited_mask import EditedMask, read_edited
from cardioseg.errors import CardiosegError, UnusableError
from cardioseg.image.labels import STRUCTURES
from cardioseg.image.volume import Cine
from cardioseg.measure.curves import Curves
from cardioseg.measure.labelled_cine import LabelledCine
from cardioseg.report.crop import Crop, crop_around
from cardioseg.results.case_record import CaseRecord, read_case_record
from cardioseg.results.description import Description
from cardioseg.results.folder import CaseFolder
from cardioseg.results.mask_files import files_beside
from cardioseg.review.case_images import CaseImages, look_for_scan

_AS_EDITED = "the mask was edited after it was measured: `cardioseg measure` gives its numbers"
_NO_PLACE = "there are no images: the results do not say where the scan lies"
_NO_SCAN = "there are no images: the scan is no longer where it was, or its files were changed"
_ELSEWHERE = "has no mask here: `cardioseg measure` wrote its numbers, and its mask lies elsewhere"


@dataclass
class OpenedCase:
    """A case with all that the page shows.

    Attributes:
        folder: where it lies.
        version: changes when a file in its folder changes.
        mask: `Label` values (phase, slice, row, column).
        description: measures and flags.
        remarks: what else a person should know.
        scan: of which it was made; None where that is not known, is gone, or was changed.
        record: where the scan lies, and what a person who reviewed it decided.
        is_edited: whether another program edited the mask since `predict` or `review` wrote it.
    """

    folder: CaseFolder
    version: str
    mask: Cine = field(repr=False)
    description: Description = field(repr=False)
    scan: Future[Scan | None] = field(repr=False)
    remarks: tuple[str, ...] = ()
    record: CaseRecord | None = None
    is_edited: bool = False
    _images: CaseImages | None = field(default=None, repr=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    @property
    def first_phase(self) -> int:
        """The phase that is shown first: end-diastole, as far as it is known."""
        return min(self.description.measures.ed_phase or 0, self.mask.phases - 1)

    @cached_property
    def heart(self) -> Crop:
        """The rectangle around all that is labelled at any phase, with a margin."""
        return crop_around(self.mask)

    @cached_property
    def labelled(self) -> LabelledCine:
        """The mask with what it takes to measure all that a person can draw, and its pixels counted once."""
        return LabelledCine(self.mask, STRUCTURES, self.description.acquisition)

    @cached_property
    def predicted_curves_ml(self) -> Curves:
        """The volume curves of the network's own mask; empty if that is lost."""
        network = self.prediction.mask
        if network is None:
            return {}
        return LabelledCine(network, self.prediction.measures.structures, self.description.acquisition).curves_ml

    @property
    def size_bytes(self) -> int:
        """Memory that its mask and images take."""
        network = self.prediction.mask if "prediction" in vars(self) else None
        masks = self.mask.voxels.nbytes + (network.voxels.nbytes if network and network is not self.mask else 0)
        return masks + (self._images.size_bytes if self._images else 0)

    def images(self) -> CaseImages:
        """Its images.

        Raises:
            UnusableError: there are none; the message says why.
        """
        scan = self.scan.result()
        if scan is None:
            raise UnusableError(_NO_PLACE if self.record is None or self.record.source is None else _NO_SCAN)
        with self._lock:
            self._images = self._images or CaseImages.of_scan(scan, self.first_phase, self.heart)
        return self._images

    def image(self, phase: int) -> bytes:
        """The images of a phase; see `CaseImages.phase`.

        Raises:
            UnusableError: there are none, or a file cannot be read.
        """
        return self.images().phase(phase)

    @cached_property
    def prediction(self) -> Prediction:
        """What the network had made of it.

        Raises:
            UnusableError: it cannot be read.
        """
        is_from_another_file = bool(files_beside(self.folder.mask))
        return read_prediction(self.folder, None if is_from_another_file else self.mask)

    def network_mask(self) -> Cine:
        """The mask as the network drew it.

        Raises:
            UnusableError: it is lost, or cannot be read.
        """
        if self.prediction.mask is None:
            raise UnusableError("the network's own mask is lost: another program wrote over it")
        return self.prediction.mask

    def network_labels(self, phase: int) -> bytes:
        """The network's own mask of a phase, as `labels` gives it; raises as `network_mask`."""
        return _bytes(self.network_mask(), phase)

    def labels(self, phase: int) -> bytes:
        """The mask of a phase: a byte for each pixel, slice by slice, row by row."""
        return _bytes(self.mask, phase)


def _bytes(mask: Cine, phase: int) -> bytes:
    content: bytes = mask.voxels[phase].astype(np.uint8).tobytes()
    return content


def open_case(folder: CaseFolder, version: str) -> OpenedCase:
    """Read the mask and the measures of a case, and meanwhile its scan as far as the first picture needs it.

    Raises:
        UnusableError: they cannot be read, or do not fit its scan.
    """
    if folder.is_measured and not folder.mask.is_file():
        raise UnusableError(f"{folder.case_id} {_ELSEWHERE}", "review the folder that `cardioseg predict` wrote")
    record = read_case_record(folder)
    scan = look_for_scan(record)
    edited = _edited(folder)
    if edited.earlier is None:
        raise UnusableError(f"{folder.case_id} has no measures beside its mask", "run `cardioseg predict` again")
    remarks = ((_AS_EDITED,) if edited.is_edited else ()) + edited.remarks
    return OpenedCase(folder, version, edited.mask, edited.earlier, scan, remarks, record, edited.is_edited)


def _edited(folder: CaseFolder) -> EditedMask:
    """The mask; the scan is read only if the mask was edited, since an editor may turn its axes."""
    try:
        edited = read_edited(folder.mask, with_scan=False)
        return read_edited(folder.mask) if edited.is_edited else edited
    except CardiosegError as error:  # the page shows no paths of this machine but the name of the case
        message = error.message.replace(str(folder.path), folder.case_id)
        raise UnusableError(message, error.hint) from None
