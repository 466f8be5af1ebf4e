"""Case document: what the page is told of a case before it asks for pixels: names, sizes, numbers, curves, flags."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.correction.moved_extremes import moved_extremes
from cardioseg.image.labels import STRUCTURES
from cardioseg.image.orientation import is_base_first, is_placed
from cardioseg.image.volume import Grid
from cardioseg.measure.case_measures import Measures
from cardioseg.measure.curves import Moments
from cardioseg.report.measure_columns import in_words, known_columns, value_text
from cardioseg.report.palette import COLOURS, FLAGGED
from cardioseg.results.description import Description, rounded_curves
from cardioseg.review.opened_case import OpenedCase

_TOWARDS = (("L", "R"), ("P", "A"), ("H", "F"))  # along x, y and z of LPS, and against it
_REMEDY = "Shift+D or Shift+S: the phase that is shown becomes ED or ES of both ventricles"
_NEGLIGIBLE = 0.35  # share of a direction that gets no letter


def case_document(case: OpenedCase, why_read_only: str = "") -> dict[str, Any]:
    """What the page is told of a case, ready for JSON; `why_read_only` is empty if it can be corrected."""
    description, grid = case.description, case.mask.grid
    slices, rows, columns = grid.shape
    crop = case.heart
    return {
        "case_id": case.folder.case_id,
        "version": case.version,
        "is_writable": not why_read_only,
        "why_read_only": why_read_only,
        "is_edited": case.is_edited,
        "has_network_mask": case.prediction.mask is not None,
        "phases": case.mask.phases,
        "slices": slices,
        "rows": rows,
        "columns": columns,
        "pixel_mm": list(grid.pixel_mm),
        "is_base_first": is_base_first(case.mask),
        "heart": [crop.top, crop.bottom, crop.left, crop.right],
        "letters": _letters(grid),
        "labels": [
            {"value": int(label), "key": label.key, "title": label.title, "colour": COLOURS[label]}
            for label in STRUCTURES
        ],
        "flag_colour": FLAGGED,
        "missing_slices": list(description.acquisition.missing),
        "remarks": [*case.remarks, *_moved(case)],
        **_numbers(description),
        **_reviewed(case),
    }


def _numbers(description: Description) -> dict[str, Any]:
    """Phases, measures, curves and flags."""
    measures = description.measures
    return {
        "times_ms": list(description.times_ms),
        "ed_phase": measures.ed_phase,
        "es_phase": measures.es_phase,
        "measures": measure_rows(measures),
        "curves_ml": rounded_curves(description.curves_ml),
        "flags": [
            {
                "kind": flag.kind,
                "reason": in_words(flag.reason),
                "phase": flag.phase,
                "slice": flag.slice,
                "places": [list(place) for place in flag.places],
            }
            for flag in description.flags
        ],
    }


def _reviewed(case: OpenedCase) -> dict[str, Any]:
    """What a person decided, the numbers of the network's own mask, and the phases that the person chose."""
    review = case.record.review if case.record else None
    if review is None:
        return {"review": None, "predicted": None, "by_hand": {"ed_phase": None, "es_phase": None}}
    return {
        "review": review.model_dump(mode="json", include={"decision", "initials", "time", "note"}),
        "predicted": _predicted(case, Measures.from_document(review.predicted)) if review.is_corrected else None,
        "by_hand": {"ed_phase": None, "es_phase": None} | review.by_hand,
    }


def _predicted(case: OpenedCase, measures: Measures) -> dict[str, Any]:
    """The numbers of the network's own mask; without curves if that is lost."""
    curves = case.predicted_curves_ml
    return {
        "ed_phase": measures.ed_phase,
        "es_phase": measures.es_phase,
        "measures": measure_rows(measures),
        **({"curves_ml": rounded_curves(curves)} if curves else {}),
    }


def measure_rows(measures: Measures) -> list[dict[str, str | float | None]]:
    """The measures that are known, in the order of the report; `side` is LV, RV or nothing.

    `value` is the text for people, `number` the same before it was rounded.
    """
    known = [quantity for quantity in known_columns([measures]) if measures[quantity.key] is not None]
    return [
        {
            "key": quantity.key,
            "title": quantity.title,
            "side": quantity.side,
            "meaning": quantity.meaning,
            "unit": quantity.unit,
            "value": value_text(quantity, measures),
            "number": measures[quantity.key],
        }
        for quantity in known
    ]


def _letters(grid: Grid) -> dict[str, str]:
    """Which way the edges of a picture face, as radiographers write it; empty if the geometry does not say it.

    L left, R right, P back, A front, H head, F feet of the patient; two letters if an edge faces between them.
    """
    if not is_placed(grid):
        return {}
    down, right = (np.asarray(direction) for direction in grid.directions[1:])
    return {"top": _faces(-down), "bottom": _faces(down), "left": _faces(-right), "right": _faces(right)}


def _faces(direction: NDArray[np.float64]) -> str:
    order = np.argsort(-np.abs(direction))[:2]
    return "".join(_TOWARDS[axis][int(direction[axis] < 0)] for axis in order if abs(direction[axis]) > _NEGLIGIBLE)


def moved_remark(now: Description, chosen: Moments) -> str:
    """What the page says where a ventricle's largest or smallest volume has left its phase; see `moved_extremes`."""
    return moved_extremes(now, chosen, remedy=_REMEDY)


def _moved(case: OpenedCase) -> list[str]:
    moved = moved_remark(case.description, Moments(**case.record.chosen_phases)) if case.record else ""
    return [moved] if moved else []
