"""docs/recipes.md describes every key of a recipe, from the code's own schema."""

import re
import tomllib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from scripts import script

from cardioseg.network.norms import NORMS
from cardioseg.training.recipe import Recipe, built_in_recipes, check_recipe

FOLDER = Path(__file__).parents[2] / "docs" / "recipes"


@pytest.fixture(scope="module")
def page() -> ModuleType:
    return script(FOLDER / "page.py")


def leaves(document: dict[str, Any]) -> list[str]:
    """The keys of a recipe; the angles are one."""
    return [
        key
        for name, value in document.items()
        for key in (leaves(value) if isinstance(value, dict) and name != "angles" else [name])
    ]


def test_the_page_is_up_to_date(page: ModuleType) -> None:
    assert page.PAGE.read_text(encoding="utf-8") == page.page()


def test_every_key_has_a_row_with_a_meaning(page: ModuleType) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| [^|]+ \| ([^|]{9,}) \|$", page.page(), re.MULTILINE))
    assert set(leaves(Recipe().model_dump())) <= set(rows)


def test_the_defaults_are_a_recipe(page: ModuleType) -> None:
    rows = re.findall(r"^\| `(\w+)` \| `([^`]+)` \| [^|]+ \| [^|]+ \|$", page.page(), re.MULTILINE)
    defaults = {key: tomllib.loads(f"value = {value}")["value"] for key, value in rows}
    document = Recipe().model_dump(mode="json", exclude_none=True)
    assert defaults == {key: value for part in (document, *sections(document)) for key, value in part.items()}


def sections(document: dict[str, Any]) -> list[dict[str, Any]]:
    """Its sections, taken out of it."""
    return [document.pop(name) for name in ("preprocessing", "augmentation", "optimization")]


def test_the_norms_and_the_built_in_recipes_are_all_listed(page: ModuleType) -> None:
    assert all(f"| `{name}` |" in page.page() for name in (*NORMS, *built_in_recipes()))


def test_the_example_is_a_recipe(page: ModuleType) -> None:
    (example,) = re.findall(r"```toml\n(.*?)```", page.page(), re.DOTALL)
    assert check_recipe(tomllib.loads(example), "the example").labels == ("lv_cavity",)
