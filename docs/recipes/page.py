"""Writes docs/recipes.md from the code's own schema of recipes: `python docs/recipes/page.py`. No key is typed."""

import re
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from cardioseg.dataset.augmentation import Augmentation
from cardioseg.image.labels import STRUCTURES
from cardioseg.image.preprocessing import Preprocessing
from cardioseg.network.norms import NORMS
from cardioseg.training import recipe as recipes
from cardioseg.training.optimization import Optimization
from cardioseg.training.recipe import Recipe, built_in_recipes, read_recipe

PAGE = Path(__file__).parents[1] / "recipes.md"
RECIPES = Path(recipes.__file__).parents[1] / "recipes"
EXAMPLE = "lv"

INTRODUCTION = """\
# Recipes

Written by `python docs/recipes/page.py` from the schema by which cardioseg reads recipes.

A recipe is a TOML file with the settings of a training run. `cardioseg train` takes the name of a built-in recipe or
a file:

```sh
cardioseg train dataset/ -o run/ --recipe sax
cardioseg train dataset/ -o run/ --recipe my_recipe.toml
```

A key that is left out has its default value. An unknown key or a wrong value is an error. `--norm`, `--learning-rate`
and `--steps` replace the value of the recipe for one run.
"""

SECTIONS = {
    "": (Recipe, "These keys stand at the top of the file, before the sections."),
    "preprocessing": (Preprocessing, "How every slice is prepared, in training and in prediction."),
    "augmentation": (Augmentation, "How the training images are varied."),
    "optimization": (Optimization, "How the weights are trained."),
}


def page() -> str:
    """The whole page."""
    tables = (line for name in SECTIONS for line in _section(name))
    return "\n".join([INTRODUCTION, *_built_in(), *tables, *_norms(), *_example()])


def _built_in() -> Iterator[str]:
    yield "## Built-in recipes\n"
    yield "| name | segments | norm | in-plane spacing | optimizer | epochs | batch size |"
    yield "|---|---|---|---|---|---|---|"
    for name in built_in_recipes():
        recipe = read_recipe(name)
        labels = ", ".join(label.title for label in recipe.structures)
        spacing_mm, fitted = recipe.preprocessing.spacing_mm, recipe.optimization
        spacing = f"{spacing_mm:g} mm" if spacing_mm else "that of the scanner"
        yield (
            f"| `{name}` | {labels} | `{recipe.norm}` | {spacing} | `{fitted.optimizer}` | {fitted.epochs} "
            f"| {fitted.batch_size} |"
        )
    yield "\n`paper_lv` and `paper_rv` follow the paper; `lv` and `sax` are made for use.\n"


def _section(name: str) -> Iterator[str]:
    model, text = SECTIONS[name]
    yield f"## {f'`[{name}]`' if name else 'Top level'}\n"
    yield f"{text}\n"
    yield "| key | default | values | meaning |"
    yield "|---|---|---|---|"
    meanings = described(model)
    for key, schema in TypeAdapter(model).json_schema()["properties"].items():
        if key not in SECTIONS:
            yield f"| `{key}` | {_default(schema)} | {_values(key, schema)} | {meanings[key]} |"
    yield ""


def described(model: type) -> dict[str, str]:
    """The meaning of each key, from the section `Attributes` of the docstring."""
    attributes = (getdoc(model) or "").partition("Attributes:\n")[2]
    found = re.findall(r"^    (\w+): (.+(?:\n {5,}.+)*)", attributes, re.MULTILINE)
    joined = {key: " ".join(text.split()) for key, text in found}
    return {key: text if ". " in text else text.removesuffix(".") for key, text in joined.items()}


def _default(schema: dict[str, Any]) -> str:
    value = schema["default"]
    return "not set" if value is None else f"`{_toml(value)}`"


def _toml(value: Any) -> str:  # noqa: ANN401 - what a recipe may hold
    """A value as it stands in a TOML file."""
    if isinstance(value, dict):
        return f"{{ {', '.join(f'{key} = {_toml(part)}' for key, part in value.items())} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"


def _values(key: str, schema: dict[str, Any]) -> str:
    """The values that a key can have."""
    if key == "labels":
        return "one or more of " + ", ".join(f'`"{label.key}"`' for label in STRUCTURES)
    if key == "norm":
        return "see [Norms](#norms)"
    if "$ref" in schema:
        return "three numbers"
    if "enum" in schema:
        return ", ".join(f'`"{value}"`' for value in schema["enum"])
    kinds = [part for part in schema.get("anyOf", [schema]) if part["type"] != "null"]
    return _kind(kinds[0])


def _kind(schema: dict[str, Any]) -> str:
    """`whole number from 1`, `number from 0 to 1`, `true, false`."""
    if schema["type"] == "boolean":
        return "`true`, `false`"
    parts = ["whole number" if schema["type"] == "integer" else "number"]
    bounds = {"exclusiveMinimum": "above", "minimum": "from", "maximum": "up to", "multipleOf": "multiple of"}
    parts += [f"{word} {schema[name]:g}" for name, word in bounds.items() if name in schema]
    return ", ".join([" ".join(parts[:2]), *parts[2:]])


def _norms() -> Iterator[str]:
    yield "## Norms\n"
    yield "A norm layer and a ReLU follow every convolution and transposed convolution except the last.\n"
    yield "| norm | meaning |\n|---|---|"
    yield from (f"| `{name}` | {meaning} |" for name, meaning in NORMS.items())
    yield ""


def _example() -> Iterator[str]:
    yield "## Example\n"
    yield f"The built-in recipe `{EXAMPLE}`:\n"
    yield f"```toml\n{(RECIPES / f'{EXAMPLE}.toml').read_text(encoding='utf-8')}```\n"
    yield "To try another setting, copy a recipe from `cardioseg/recipes/` and change it.\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
