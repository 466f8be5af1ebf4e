"""What a caller with a strict type checker writes. `test_client_types.py` has mypy read it; nothing runs it."""

from pathlib import Path
from typing import Any, assert_type

import numpy as np
from numpy.typing import NDArray

import cardioseg
from cardioseg import errors


def volumes(folder: Path, array: NDArray[np.int16]) -> dict[str, float]:
    model = cardioseg.load_model("sax", device="cpu")
    assert_type(model, cardioseg.LoadedModel)
    mask = model.segment(array, (10.0, 1.4, 1.4), base_first=True)
    assert_type(mask, NDArray[np.uint8])
    cardioseg.load_model(3)  # type: ignore[arg-type]
    model.segment(array)  # type: ignore[call-arg]
    model.segmentation  # type: ignore[attr-defined] # noqa: B018
    return {label.key: float((mask == label).sum()) for label in model.structures}


def table(scans: list[Path], out: str) -> list[dict[str, Any]]:
    try:
        results = cardioseg.predict(scans, out, model="sax", workers=2, phases={"a": (0, None)}, overwrite=True)
    except errors.CardiosegError as error:
        assert_type(error.hint, str)
        raise
    assert_type(results, cardioseg.Results)
    for case in results.cases:
        assert_type(case, cardioseg.CaseResult)
        assert_type(case.flags, tuple[cardioseg.Flag, ...])
        assert_type(case.curves_ml, dict[str, tuple[float, ...]])
        assert_type(case.read_mask().affine, NDArray[np.float64])
        case.name = "other"  # type: ignore[misc]
    cardioseg.predict(scans, out, discard=True)  # type: ignore[call-arg]
    cardioseg.no_such_name()  # type: ignore[attr-defined]
    return results.measures


def dice(predicted: Path, reference: Path) -> dict[str, float | None]:
    evaluation = cardioseg.evaluate(predicted, reference, labels="mnms")
    assert_type(evaluation, cardioseg.Evaluation)
    assert_type(evaluation.agreements["lv_edv_ml"].n, int)
    return {one.label.key: one.per_volume["dice"].mean for one in evaluation.summary if one.group == "all"}


def shapes(scans: Path, measured: Path) -> list[tuple[int, ...]]:
    assert_type(cardioseg.measure_masks(scans, measured, ed=0), cardioseg.Results)
    assert_type(cardioseg.open_results(measured).case("a").is_edited, bool)
    return [scan.read().array.shape for scan in cardioseg.find_scans(scans)]
