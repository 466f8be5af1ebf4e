"""Origin: the data and the model that an evaluation compares, with the model's hash and the split of the data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Origin:
    """What was compared.

    Attributes:
        predicted: name of the folder or run.
        reference: name of the dataset or folder.
        model_sha256: hash of the model that `predict` ran; "" if it is not known.
        weights_sha256: cross validation: hash of each fold's network.
        recipe_sha256: cross validation: hash of recipe and dataset.
        precision: cross validation: number format of the convolutions.
        split: cross validation: number of folds, seed, and the proof that the folds share no subject.
    """

    predicted: str
    reference: str
    model_sha256: str = ""
    weights_sha256: tuple[str, ...] = ()
    recipe_sha256: str = ""
    precision: str = "float32"
    split: str = ""
