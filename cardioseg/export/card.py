"""Card: what a model is, beside its bytes. Read by everything that predicts, so it imports neither torch nor ONNX."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from cardioseg.errors import RefusedError
from cardioseg.files import require_size_below, write_json
from cardioseg.image.labels import Label
from cardioseg.image.preprocess import Preprocessing

CARD_VERSION = 1
CARD_FILE = "card.json"
MODEL_FILE = "model.onnx"
Precision = Literal["float32", "int8"]
_LIMIT_BYTES = 1024**2


class Metric(BaseModel):
    """One measured figure with its protocol.

    Attributes:
        label: the structure, or the measure of a ventricle.
        metric: what was measured of it.
        mean: of that.
        std: sample standard deviation (n - 1), None for one value and where it says nothing.
        n: how many values the mean is over.
        protocol: what was averaged over what, on which data.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    label: str
    metric: str
    mean: float
    std: float | None
    n: int
    protocol: str


class Training(BaseModel):
    """Where the weights come from.

    Attributes:
        dataset: name of the prepared dataset.
        dataset_sha256: of its manifest.
        subjects: number of subjects trained on.
        subjects_sha256: hash of their ids.
        held_out: subjects of the dataset that took no part in training.
        seed: of the run.
        folds: networks in the model; their logits are averaged.
        steps: optimizer steps a fold.
        weights_sha256: per fold.
        recipe: as run.
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
    weights_sha256: tuple[str, ...]
    recipe: dict[str, Any]


class Parity(BaseModel):
    """How far ONNX Runtime and torch were apart when the model was exported.

    Attributes:
        slices: real slices compared.
        sizes: distinct (height, width) among them.
        batch_sizes: as run.
        max_logit_difference: largest absolute difference of any logit.
        label_changes: pixels whose label changed, ties (logits within 1e-4) aside.
        agreement: the share of the pixels that either takes for a structure to which both give the same label.
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
        card_version: of this format.
        card_sha256: of the card's own content, without this; filled in when it is written.
        name: of the model.
        sha256: of `model.onnx`.
        labels: structures in the order of the network's channels after background.
        preprocessing: what is done to a slice before the network sees it.
        norm: the normalization layer.
        precision: what the convolutions compute in.
        parameters: trainable parameters of one network.
        licence: what the training data allow.
        citation: whom to cite for the training data.
        training: where the weights come from.
        metrics: measured figures.
        parity: of the export.
        versions: of the software that made it.
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
        RefusedError: there is none, or it is damaged, of another version or changed since it was written.
    """
    path = folder / CARD_FILE
    try:
        require_size_below(path, _LIMIT_BYTES)
        content = path.read_bytes()
        card = Card.model_validate_json(content)
    except OSError:
        raise RefusedError(f"{folder} is no model folder: it has no {CARD_FILE}") from None
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
    """Of what a card says, however it is laid out."""
    content = {key: value for key, value in document.items() if key != "card_sha256"}
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
