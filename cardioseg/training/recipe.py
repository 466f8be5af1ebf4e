"""Recipe: everything that determines a training run except its data and its seed. TOML on disk, frozen in memory."""

import tomllib
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails

from cardioseg.dataset.augmentation import Augmentation
from cardioseg.errors import UsageError
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.preprocessing import Preprocessing
from cardioseg.network.norms import NORMS
from cardioseg.training.optimization import Optimization, Positive


class Recipe(BaseModel):
    """A training recipe. docs/recipes.md shows these descriptions.

    Attributes:
        labels: structures to segment, in the order of the network's channels after the background.
        norm: normalization layer.
        size: height and width of the training images in pixels; larger slices are cropped, smaller ones padded.
        literal_std: initialize the weights with the standard deviation that the paper prints, without the square root.
        nominal_spacing_mm: in-plane pixel spacing of data that do not state theirs. Without it, such data are not
            resampled.
        preprocessing: how every slice is prepared, in training and in prediction.
        augmentation: how the training images are varied.
        optimization: how the weights are trained.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    labels: tuple[str, ...] = ("lv_cavity",)
    norm: str = "iln"
    size: Annotated[int, Field(ge=16, le=2048, multiple_of=16)] = 256
    literal_std: bool = False
    preprocessing: Preprocessing = Preprocessing()
    nominal_spacing_mm: Positive | None = None
    augmentation: Augmentation = Augmentation()
    optimization: Optimization = Optimization()

    @field_validator("labels")
    @classmethod
    def _known_labels(cls, labels: tuple[str, ...]) -> tuple[str, ...]:
        keys = [label.key for label in STRUCTURES]
        if not labels or len(set(labels)) != len(labels) or not set(labels) <= set(keys):
            raise ValueError(f"labels are one or more of {', '.join(keys)}")
        return labels

    @field_validator("norm")
    @classmethod
    def _known_norm(cls, norm: str) -> str:
        if norm not in NORMS:
            raise ValueError(f"a norm is one of {', '.join(NORMS)}")
        return norm

    @property
    def structures(self) -> tuple[Label, ...]:
        """The labels as `Label`s."""
        return tuple(Label[key.upper()] for key in self.labels)


def built_in_recipes() -> tuple[str, ...]:
    """Names of the recipes that come with cardioseg."""
    names = (entry.name for entry in _folder().iterdir())
    return tuple(sorted(name.removesuffix(".toml") for name in names if name.endswith(".toml")))


def read_recipe(name_or_path: str) -> Recipe:
    """A built-in recipe by name, or a TOML file by path.

    Raises:
        UsageError: there is none, it is not valid TOML, or a key or value is not understood.
    """
    if name_or_path in built_in_recipes():
        return parse_recipe((_folder() / f"{name_or_path}.toml").read_text(), name_or_path)
    path = Path(name_or_path)
    if not path.is_file():
        raise UsageError(
            f"no recipe {name_or_path}", f"the built-in recipes are {', '.join(built_in_recipes())}; or give a file"
        )
    try:
        return parse_recipe(path.read_text(encoding="utf-8-sig"), name_or_path)
    except UnicodeDecodeError:
        raise UsageError(f"recipe {name_or_path} is not UTF-8 text", "save it as UTF-8") from None


def parse_recipe(text: str, name: str) -> Recipe:
    """Parse a recipe; `name` is for error messages.

    Raises:
        UsageError: the text is not valid TOML, or a key or value is not understood.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"recipe {name} is not valid TOML: {error}") from None
    return check_recipe(document, f"recipe {name}")


def check_recipe(document: dict[str, Any], name: str) -> Recipe:
    """Make a recipe of a parsed document; `name` is for error messages.

    Raises:
        UsageError: a key or value is invalid.
    """
    try:
        return Recipe.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        raise UsageError(f"{name}: {key}: {_plain_message(first)}") from None


def _plain_message(error: ErrorDetails) -> str:
    return "unknown key" if error["type"] == "extra_forbidden" else error["msg"].removeprefix("Value error, ").lower()


def _folder() -> Traversable:
    return files("cardioseg.recipes")
