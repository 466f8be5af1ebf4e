"""Seen subjects: the warning that a model is evaluated on subjects that it was trained on."""

from collections.abc import Collection, Iterator
from pathlib import Path

from cardioseg.dataset.store import MANIFEST, is_dataset
from cardioseg.files import sha256
from cardioseg.results.run_record import UsedModel
from cardioseg.skipped import Skipped


def seen_subjects(model: UsedModel, reference: Path, subject_ids: Collection[str]) -> Iterator[Skipped]:
    """A line if the reference is the dataset of the model's training, and the model was trained on some subjects.

    Args:
        model: the model that predicted.
        reference: what it is compared with.
        subject_ids: the subjects that are compared.
    """
    if not model.dataset_sha256 or not is_dataset(reference):
        return
    seen = len(set(subject_ids).difference(model.held_out))
    if seen and model.dataset_sha256 == sha256(reference / MANIFEST):
        of_all = "" if seen == len(subject_ids) else f" of {len(subject_ids)}"
        yield Skipped(
            model.name,
            f"this model was trained on {reference.resolve().name}, and {seen}{of_all} subjects that are compared "
            "were not held out of its training: these numbers are no test of the model",
        )
