"""cardioseg: short-axis cardiac MRI in, ventricle masks, volumes and reports out.

The names in `__all__` are the Python API, which docs/api.md describes; all else is private. A name is imported when it
is first used, so that `import cardioseg` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

from cardioseg import errors

if TYPE_CHECKING:
    from cardioseg.api.assessment import evaluate
    from cardioseg.api.case_result import CaseResult
    from cardioseg.api.case_review import CaseReview
    from cardioseg.api.found_scans import Scan, find_scans
    from cardioseg.api.loaded_model import LoadedModel, load_model
    from cardioseg.api.measurement import measure_masks
    from cardioseg.api.opened_results import Results, open_results
    from cardioseg.api.placed_image import Image
    from cardioseg.api.prediction import predict
    from cardioseg.evaluation.result import Evaluation
    from cardioseg.image.flag import Flag
    from cardioseg.image.labels import Label

__version__ = "0.1.0"

__all__ = [
    "CaseResult",
    "CaseReview",
    "Evaluation",
    "Flag",
    "Image",
    "Label",
    "LoadedModel",
    "Results",
    "Scan",
    "errors",
    "evaluate",
    "find_scans",
    "load_model",
    "measure_masks",
    "open_results",
    "predict",
]

_PLACES = {
    "CaseResult": "api.case_result",
    "CaseReview": "api.case_review",
    "Evaluation": "evaluation.result",
    "Flag": "image.flag",
    "Image": "api.placed_image",
    "Label": "image.labels",
    "LoadedModel": "api.loaded_model",
    "Results": "api.opened_results",
    "Scan": "api.found_scans",
    "evaluate": "api.assessment",
    "find_scans": "api.found_scans",
    "load_model": "api.loaded_model",
    "measure_masks": "api.measurement",
    "open_results": "api.opened_results",
    "predict": "api.prediction",
}

if not TYPE_CHECKING:  # a type checker would take every name for one of the API

    def __getattr__(name: str) -> object:
        """A name of the API, imported now."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__() -> list[str]:
        """What a person is offered who presses Tab."""
        return sorted((*__all__, "__version__", "__doc__"))
