"""Starting model: the model that a training run starts from, and which subjects of the run it has seen."""

from collections.abc import Mapping, Set

from pydantic import BaseModel, ConfigDict


class StartingModel(BaseModel):
    """The model that a training starts from.

    Attributes:
        name: name of the model.
        sha256: hash of its `model.onnx`.
        licence: licence of the model.
        trained_on: its training data, in words; "": not recorded (runs of earlier versions).
        dataset_sha256: hash of the manifest of its training dataset; "": not recorded.
        held_out: subjects of that dataset that it was not trained on.
        has_initial_model: whether its training started from a model, too.
    """

    model_config = ConfigDict(frozen=True)

    name: str
    sha256: str
    licence: str
    trained_on: str = ""
    dataset_sha256: str = ""
    held_out: tuple[str, ...] = ()
    has_initial_model: bool = False

    def doubt(self, subject_ids: Set[str], hashes: Mapping[str, frozenset[str]], dataset_sha256: str) -> str:
        """Say in words that the model has seen subjects, or that nobody knows; "" if it has seen none of them.

        Args:
            subject_ids: the subjects.
            hashes: hashes of the slices of each subject of their dataset.
            dataset_sha256: hash of the manifest of their dataset.
        """
        if self.dataset_sha256 != dataset_sha256:
            trained_on = f"was trained on {self.trained_on}, and " if self.trained_on else ""
            return f"the initial model {self.name} {trained_on}may have seen these subjects: this was not checked"
        trained = hashes.keys() - set(self.held_out)
        images = frozenset[str]().union(*(hashes[subject_id] for subject_id in trained))
        seen = [name for name in subject_ids if name in trained or not images.isdisjoint(hashes[name])]
        if seen:
            return f"the initial model {self.name} was trained on {len(seen)} of them"
        if self.has_initial_model:
            return f"the model from which the initial model {self.name} started may have seen these subjects"
        return ""
