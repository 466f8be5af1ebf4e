"""Initial model: the model from whose weights a training run starts, instead of random ones."""

from dataclasses import dataclass, field
from pathlib import Path

from torch import Tensor

from cardioseg.dataset.starting_model import StartingModel
from cardioseg.errors import UsageError
from cardioseg.export.card import Card, read_card
from cardioseg.export.onnx_weights import read_networks
from cardioseg.export.verified_model import read_model
from cardioseg.training.recipe import Recipe
from cardioseg.wording import counted

Weights = dict[str, Tensor]


@dataclass(frozen=True)
class InitialModel:
    """A model to start from.

    Attributes:
        card: its card.
        weights: the weights of its networks.
    """

    card: Card
    weights: tuple[Weights, ...] = field(repr=False)

    def of_fold(self, index: int) -> Weights:
        """The weights for a fold: those of the only network, or those of the network with the fold's number.

        Raises:
            UsageError: the model has several networks, but none for this fold.
        """
        if len(self.weights) == 1:
            return self.weights[0]
        if index >= len(self.weights):
            numbers = f"0 to {len(self.weights) - 1}"
            raise UsageError(
                f"{self.card.name} has no network for fold {index}", f"it has networks for the folds {numbers}"
            )
        return self.weights[index]

    def recorded(self) -> StartingModel:
        """The model as the description of a run names it."""
        training = self.card.training
        return StartingModel(
            name=self.card.name,
            sha256=self.card.sha256,
            licence=self.card.licence,
            trained_on=f"{training.dataset} ({counted(training.subjects, 'subject')})",
            dataset_sha256=training.dataset_sha256,
            held_out=training.held_out,
            has_initial_model=bool(training.initial_model),
        )


def read_initial_model(folder: Path, recipe: Recipe) -> InitialModel:
    """Read a model folder whose networks are those of a recipe.

    Raises:
        RefusedError: the model or its card is damaged, or the model is not from this version of cardioseg.
        UsageError: the model has other labels or another norm than the recipe.
    """
    card = read_card(folder)
    for name, of_model, of_recipe in (
        ("labels", ", ".join(card.labels), ", ".join(recipe.labels)),
        ("norm", card.norm, recipe.norm),
    ):
        if of_model != of_recipe:
            hint = f"choose a --recipe with the {name} {of_model}"
            raise UsageError(f"{card.name} has the {name} {of_model}, the recipe {of_recipe}", hint)
    content = read_model(folder, card)
    networks = read_networks(content, card.training.folds, len(card.labels) + 1, card.norm)
    return InitialModel(card, tuple(network.state_dict() for network in networks))
