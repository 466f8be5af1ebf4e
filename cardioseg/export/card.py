"""Card: the description of a model. Read before every prediction, so this module imports neither torch nor ONNX."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cardioseg.errors import RefusedError
from cardioseg.files import require_size_below, write_json
from cardioseg.image.labels import Label
from cardioseg.image.preprocessing import Preprocessing

CARD_VERSION = 1
CARD_FILE = "card.json"
MODEL_FILE = "model.onnx"
Precision = Literal["float32", "int8"]
_LIMIT_BYTES = 1024**2


class Metric(BaseModel):
    """One measured figure with its protocol.

    Attributes:
        label: the structure, or the measure of a ventricle.
        metric: name of the metric.
        mean: mean of the metric.
        std: sample standard deviation (n - 1); None for one value and if it has no meaning.
        n: number of values in the mean.
        protocol: the data, and over what the mean is taken.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    metric: str
    mean: float
    std: float | None
    n: int
    protocol: str


class Training(BaseModel):
    """The training of the weights.

    Attributes:
        dataset: name of the prepared dataset.
        dataset_sha256: hash of its manifest.
        subjects: number of training subjects that gave slices; in cards of earlier versions, of all.
        subjects_sha256: hash of the ids of all training subjects.
        held_out: subjects of the dataset that were not used in training.
        seed: random seed of the run.
        folds: number of networks in the model; their logits are averaged.
        steps: optimizer steps per fold; the fewest of any fold.
        most_steps: the most steps of any fold, if their numbers differ; else 0.
        weights_sha256: hash of the weights of each fold.
        recipe: the recipe of the run.
        initial_model: name and licence of the model from which the training started; empty: random weights.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    dataset: str
    dataset_sha256: str
    subjects: int
    subjects_sha256: str
    held_out: tuple[str, ...]
    seed: int
    folds: int
    steps: int
    most_steps: int = 0
    weights_sha256: tuple[str, ...]
    recipe: dict[str, Any]
    initial_model: str = ""


class Parity(BaseModel):
    """The differences between ONNX Runtime and torch when the model was exported.

    Attributes:
        slices: number of real slices compared.
        sizes: number of distinct (height, width) among them.
        batch_sizes: the batch sizes of the comparison.
        max_logit_difference: largest absolute difference of any logit.
        label_changes: number of pixels whose label differs, except for ties (logits within 1e-4).
        agreement: fraction of pixels with equal labels, among the pixels that either labels as a structure.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    slices: int
    sizes: int
    batch_sizes: tuple[int, ...]
    max_logit_difference: float
    label_changes: int
    agreement: float = 1.0


class Card(BaseModel):
    """A model's description, `card.json`.

    Attributes:
        card_version: version of this format.
        card_sha256: hash of the card's content without this field; added when the card is written.
        name: name of the model.
        sha256: hash of `model.onnx`.
        labels: structures in the order of the network's channels after background.
        preprocessing: the preprocessing of a slice for the network.
        norm: the normalization layer.
        precision: precision of the convolutions.
        parameters: number of trainable parameters of one network.
        licence: licence of the model (follows from its training data).
        citation: citation for the training data.
        training: the training of the weights.
        metrics: measured figures.
        parity: the comparison of the export with torch.
        versions: versions of the software that exported the model.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    card_version: int = Field(default=CARD_VERSION, ge=CARD_VERSION, le=CARD_VERSION)
    card_sha256: str = ""
    name: str
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    norm: str
    precision: Precision = "float32"
    parameters: int
    licence: str
    citation: str
    training: Training
    metrics: tuple[Metric, ...]
    parity: Parity
    versions: dict[str, str]

    @property
    def structures(self) -> tuple[Label, ...]:
        """The labels as `Label`s, in the order of the channels after background."""
        return tuple(Label[key.upper()] for key in self.labels)


def read_card(folder: Path) -> Card:
    """Read a model folder's card.

    Raises:
        RefusedError: there is no card, or it is damaged, of another version or changed since it was written.
    """
    path = folder / CARD_FILE
    try:
        require_size_below(path, _LIMIT_BYTES)
        content = path.read_bytes()
        card = Card.model_validate_json(content)
    except OSError:
        raise RefusedError(f"{folder} is not a model folder: it has no {CARD_FILE}") from None
    except ValidationError as error:
        first = error.errors()[0]
        key_path = ".".join(str(part) for part in first["loc"])
        raise RefusedError(f"{path}: {key_path or 'not JSON'}: {first['msg'].lower()}") from None
    if not set(card.labels) <= {label.key for label in Label}:
        raise RefusedError(f"{path}: labels: not labels of cardioseg")
    if card.card_sha256 != _digest(json.loads(content)):
        raise RefusedError(f"{path} was changed since it was written", "fetch or export the model again")
    return card.model_copy(update={"card_sha256": ""})


def write_card(folder: Path, card: Card) -> None:
    """Write `card.json`."""
    document = json.loads(card.model_dump_json())
    write_json(folder / CARD_FILE, document | {"card_sha256": _digest(document)})


def _digest(document: dict[str, Any]) -> str:
    """A hash of a card's content, independent of its layout."""
    content = {key: value for key, value in document.items() if key != "card_sha256"}
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
