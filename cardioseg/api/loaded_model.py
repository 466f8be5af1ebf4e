"""Loaded model: a model that labels arrays."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from cardioseg.api.arguments import AnyPath, path_of, threads_of
from cardioseg.api.intensity_array import cine_of
from cardioseg.api.raised_errors import in_words_of_python
from cardioseg.cases.image_check import require_image
from cardioseg.image.labels import Label
from cardioseg.inference.segmentation import segment
from cardioseg.inference.session import Model, find_model, open_model


@dataclass(frozen=True)
class LoadedModel:
    """A model, verified against its card and ready to run.

    Attributes:
        name: as its card says.
        structures: the labels that it draws.
        licence: that its training data allow.
        citation: whom to cite for the training data.
        device: where it runs: `cpu` or `cuda:N`.
        folder: that it was read from.
    """

    name: str
    structures: tuple[Label, ...]
    licence: str = field(repr=False)
    citation: str = field(repr=False)
    device: str
    folder: Path = field(repr=False)
    _opened: Model = field(repr=False)

    @in_words_of_python()
    def segment(
        self, array: ArrayLike, spacing_mm: tuple[float, float, float], *, base_first: bool | None = None
    ) -> NDArray[np.uint8]:
        """Label every slice of every phase, as `predict` does.

        An array has no geometry in space. All that is needed of it is the size of a voxel and which end of the stack
        is the base: above the LV cavity's basal end, the myocardium is removed (there the network draws rings around
        the great vessels). All phases of a beat belong into one array: of each structure the largest part that hangs
        together through slices and time is kept.

        Slices lie in their order through the heart, from base to apex or from apex to base. Rows and columns are as the
        scanner shows them; nothing finds out whether they are flipped or swapped. `predict` turns a scan that is stored
        flipped or swapped to the usual view first, so its mask may differ a little there. A slice with the same value
        everywhere in all phases was not acquired: it stays background.

        Args:
            array: intensities (phase, slice, row, column) or (slice, row, column), of any type of number and scale.
                nibabel's arrays are the other way round: give `array.T`.
            spacing_mm: distance between voxel centres along (slice, row, column).
            base_first: whether slice 0 is the basal end. None: the ventricles say it, which narrow towards the apex;
                of a few slices, better say it yourself. `Image.base_first` knows it of a scan that was read.

        Returns:
            `Label` numbers, uint8, of the shape of `array`.

        Raises:
            UsageError: the shape, the type or the spacing is none that a stack of slices can have, or values of the
                array are masked.
            UnusableError: there is no image in it, it holds labels, or its pixels cannot be a scanner's.
            ResourceError: the memory does not suffice.

        Example:
            >>> mask = cardioseg.load_model("sax").segment(array, (10.0, 1.4, 1.4))
            >>> lv_ml = (mask == cardioseg.Label.LV_CAVITY).sum(axis=(1, 2, 3)) * 10.0 * 1.4 * 1.4 / 1000
        """
        cine = cine_of(array, spacing_mm, base_first)
        require_image(cine)
        empty = np.flatnonzero(np.ptp(cine.voxels, axis=(0, 2, 3)) == 0).tolist()
        return segment(cine, self._opened, missing=empty).mask.voxels.reshape(np.shape(array))


@in_words_of_python()
def load_model(model: AnyPath = "sax", *, device: str = "auto", threads: int = 0) -> LoadedModel:
    """Open a model.

    Args:
        model: the name of a built-in one (`sax`, `sax_int8`, `sax_ensemble`, `lv_sunnybrook`), or the folder of your
            own.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        threads: of the CPU; 0 for as many as this process may use.

    Raises:
        UsageError: there is no such model or device, `threads` is negative, or ONNX Runtime is not installed.
        RefusedError: the folder holds no model, or its files are damaged.
        ResourceError: the device is not there, or the memory does not suffice.

    Example:
        >>> model = cardioseg.load_model("sax")
    """
    opened = open_model(find_model(str(path_of(model))), device, threads_of(threads))
    card = opened.card
    return LoadedModel(card.name, card.structures, card.licence, card.citation, opened.device, opened.folder, opened)
