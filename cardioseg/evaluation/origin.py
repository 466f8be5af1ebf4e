"""Origin: what an evaluation compares, down to the hash of the model and the split of the data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """What was compared.

    Attributes:
        predicted: name of the folder or run.
        reference: name of the dataset or folder.
        model_sha256: of the model that `predict` ran; empty where nothing says which.
        weights_sha256: of a cross validation's networks, fold by fold.
        recipe_sha256: of a cross validation's recipe and dataset.
        precision: of a cross validation's networks: what their convolutions compute in.
        split: of a cross validation: how many folds, which seed, and the proof that they share nothing.
    """

    predicted: str
    reference: str
    model_sha256: str = ""
    weights_sha256: tuple[str, ...] = ()
    recipe_sha256: str = ""
    precision: str = "float32"
    split: str = ""
