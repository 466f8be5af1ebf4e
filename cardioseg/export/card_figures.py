"""Card figures: the quality of a model for its card, from evaluations of this model."""

import json
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from cardioseg.errors import UsageError
from cardioseg.export.card import Metric, Precision
from cardioseg.wording import counted, listed

_ALL, _MOMENTS = "all", ("ed", "es")
_UNNAMED = "phases that are not known as ED or ES"
_REGIONS = ("base", "mid", "apex")
_GROUP_METRICS = {"dice_per_volume": "Dice", "error": "bias", "absolute_error": "mean absolute error"}
_BY_OTHERS = "by other networks of this recipe"
_BY_ALL = "by the networks of its cross validation"


def read_figures(
    evaluation: Path,
    model_sha256: str,
    weights_sha256: Sequence[str],
    recipe_sha256: str,
    precision: Precision,
    *,
    trained: Collection[str] = (),
) -> tuple[Metric, ...]:
    """The headline figures of one evaluation.

    A network that was trained on every subject cannot be evaluated on any of them; the cross validation of other
    networks of its recipe is given instead. For some networks of a cross validation, the evaluation of all of them is
    given. The protocol of each figure says so. It also says if subjects have the names of training subjects.

    Args:
        evaluation: the folder that `evaluate -o` wrote, or its `evaluation.json`.
        model_sha256: hash of the card's model.
        weights_sha256: hash of the weights of each of its networks.
        recipe_sha256: hash of its recipe and training dataset.
        precision: precision of its convolutions.
        trained: ids of its training subjects.

    Raises:
        UsageError: there is not an evaluation, it is of another model, or a person corrected masks in it.
    """
    path = evaluation / "evaluation.json" if evaluation.is_dir() else evaluation
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        origin = document["origin"]
        own_weights, evaluated_weights = {*weights_sha256}, {*origin["weights_sha256"]}
        is_as_precise = origin.get("precision", "float32") == precision
        is_same_model = origin["model_sha256"] == model_sha256 or (
            origin["weights_sha256"] == list(weights_sha256) and is_as_precise
        )
        is_same_recipe = (
            origin["recipe_sha256"] == recipe_sha256
            and is_as_precise
            and (own_weights <= evaluated_weights or not own_weights & evaluated_weights)
        )
        tested = "" if is_same_model else _BY_ALL if own_weights <= evaluated_weights else _BY_OTHERS
        figures = tuple(_figures(document, tested, _seen(document, trained)))
    except (OSError, ValueError, LookupError, TypeError):
        raise UsageError(f"{path} is not an evaluation", "`cardioseg evaluate ... -o EVALUATION` writes one") from None
    if document.get("correction_warning"):
        hint = "predict the scans into another folder, and evaluate these masks"
        raise UsageError(f"{path} is not the model's own: a person corrected some of its masks", hint)
    if not (is_same_model or is_same_recipe):
        raise UsageError(f"{path} belongs to another model", "predict and evaluate again with this model")
    return figures


def _seen(document: dict[str, Any], trained: Collection[str]) -> str:
    """How many subjects of an evaluation of masks were in training by their names; "" for none, and for a run.

    Each network of a run is evaluated on subjects outside its own training.
    """
    if document["origin"]["weights_sha256"]:
        return ""
    subjects = {row["subject_id"] for row in document["volumes"]}
    seen = len(subjects.intersection(trained))
    if not seen:
        return ""
    share = "the " if seen == len(subjects) else f"{seen} of "
    return f"not a test: by their names, {share}{counted(len(subjects), 'subject')} were in the training of this model"


def _figures(document: dict[str, Any], tested: str, seen: str) -> Iterator[Metric]:
    origin = document["origin"]
    data = ", ".join(filter(None, [origin["reference"], tested, origin["split"], seen]))
    for row in document["summary"]:
        label, group = row["label"], row["group"]
        phases = _phases(document, label)
        if group == _ALL or (group in _MOMENTS and group.upper() != phases):  # a single phase is said once
            protocol = f"{data}; mean over volumes in 3D, {phases if group == _ALL else group.upper()}"
            yield from _metric(label, "Dice", row["per_volume"]["dice"], protocol)
            if group == _ALL:
                yield from _metric(label, "HD95 (mm)", row["per_volume"]["hd95_mm"], protocol)
        if group in _REGIONS:
            yield from _metric(label, "Dice", row["per_slice"]["dice"], f"{data}; mean over slices, {group}")
    for measure, agreement in document["agreement"].items():
        if agreement["bias"] is not None:
            n, missing = agreement["n"], agreement.get("missing", 0)
            moments = listed(_moments(document["volumes"]))
            lacking = f"; {missing} more have no predicted value" if missing else ""
            is_shared = agreement.get("studies", n) > n
            over = f"patients ({agreement['studies']} studies)" if is_shared else "subjects"
            protocol = f"{data}; over {over}, at the reference's {moments}{lacking}"
            yield from _metric(measure, "mean absolute error", {**agreement["mae"], "std": None, "n": n}, protocol)
            yield from _metric(measure, "bias", {**agreement["bias"], "std": agreement["sd"], "n": n}, protocol)
    yield from _group_figures(document, data)


def _phases(document: dict[str, Any], label: str) -> str:
    """The phases of the volumes in which a label has a Dice: `ED`, `ED and ES`, `ED, ES and other phases`."""
    rows = [row for row in document["volumes"] if row["label"] == label and row["dice"] is not None]
    moments = _moments(rows)
    others = {row["volume"] for row in rows}.difference(_MOMENTS)
    return listed([*moments, "other phases"] if moments and others else moments) or _UNNAMED


def _moments(rows: Sequence[dict[str, Any]]) -> list[str]:
    names = {row["volume"] for row in rows if row["dice"] is not None}
    return [moment.upper() for moment in _MOMENTS if moment in names]


def _group_figures(document: dict[str, Any], data: str) -> Iterator[Metric]:
    for row in document.get("subject_groups", ()):
        name, metric = row["label_or_measure"], _GROUP_METRICS[row["metric"]]
        if metric == "Dice" or name.endswith("ef_percent"):
            if metric == "Dice":
                over = f"volumes in 3D, {_phases(document, name)}"
            else:
                over = f"subjects, at the reference's {listed(_moments(document['volumes']))}"
            yield from _metric(name, metric, row, f"{data}; mean over {over}, group {row['subject_group']}")


def _metric(label: str, metric: str, value: dict[str, Any], protocol: str) -> Iterator[Metric]:
    if value["mean"] is not None:
        yield Metric(label=label, metric=metric, mean=value["mean"], std=value["std"], n=value["n"], protocol=protocol)
