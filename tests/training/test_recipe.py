"""Recipes: what is built in, and what is refused."""

import pytest

from cardioseg.errors import UsageError
from cardioseg.training.recipe import built_in_recipes, check_recipe, parse_recipe, read_recipe


def test_built_in_recipes_are_valid() -> None:
    assert {"lv", "paper_lv", "paper_rv"} <= set(built_in_recipes())
    assert all(read_recipe(name).labels for name in built_in_recipes())


def test_the_papers_recipes_are_the_papers() -> None:
    for name, label, angles in (("paper_lv", "lv_cavity", 61), ("paper_rv", "rv_cavity", 7)):
        recipe = read_recipe(name)
        settings = recipe.optimization
        assert recipe.labels == (label,)
        assert len(recipe.augmentation.angles.degrees) == angles
        assert recipe.augmentation.grid_fraction == 1
        assert (recipe.augmentation.scale, recipe.augmentation.shift, recipe.augmentation.flip) == (0, 0, False)
        assert (settings.optimizer, settings.momentum, settings.epochs, settings.batch_size) == ("sgd", 0.9, 2, 1)
        assert (settings.schedule, settings.divisor, settings.loss) == ("divide", 5, "cross_entropy")
        assert (recipe.norm, recipe.preprocessing.intensity, recipe.literal_std) == ("iln", "minmax", False)
    assert read_recipe("paper_lv").augmentation.angles.degrees[::30] == (-60, 0, 60)


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("colour = 1", "colour: unknown key"),
        ("[augmentation]\nangels = 1", "augmentation.angels: unknown key"),
        ("[preprocessing]\nspacing = 1", "preprocessing.spacing: "),
        ("labels = ['heart']", "labels: labels are one or more of"),
        ("labels = []", "labels: labels are"),
        ("norm = 'batch'", "norm: a norm is one of none, bn"),
        ("size = 100", "size: "),
        ("[optimization]\nlearning_rate = -1", "optimization.learning_rate: "),
        ("[optimization]\nlearning_rate = nan", "optimization.learning_rate: "),
        ("[optimization]\noptimizer = 'adam'", "optimization.optimizer: "),
        ("= 3", "is not valid TOML"),
    ],
)
def test_one_line_says_what_is_wrong(text: str, complaint: str) -> None:
    with pytest.raises(UsageError, match="recipe mine") as caught:
        parse_recipe(text, "mine")
    assert complaint in str(caught.value)
    assert "\n" not in caught.value.message


def test_no_such_recipe() -> None:
    with pytest.raises(UsageError, match=r"no recipe nope .*paper_lv"):
        read_recipe("nope")


def test_recipe_survives_a_round_trip() -> None:
    recipe = read_recipe("lv")
    assert check_recipe(recipe.model_dump(mode="json"), "again") == recipe
