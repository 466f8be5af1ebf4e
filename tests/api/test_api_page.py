"""docs/api.md: the example runs as it stands and prints what the page says; every name of the API is described."""

import re

import pytest
from api_example import PAGE, Example

import cardioseg
from cardioseg.phantom import Phantom, truth


@pytest.fixture(scope="module")
def text() -> str:
    return str(PAGE.PAGE.read_text(encoding="utf-8"))


def test_the_example_prints_what_the_page_says(example: Example) -> None:
    assert len(example.printed) >= 6
    assert example.printed == example.shown


def test_its_numbers_are_near_those_of_the_heart(example: Example) -> None:
    (row,) = cardioseg.open_results(example.folder / "results").measures
    known = truth(Phantom()).measures
    assert row["lv_edv_ml"] == pytest.approx(known["lv_edv_ml"], rel=0.1)
    assert row["lv_ef_percent"] == pytest.approx(known["lv_ef_percent"], abs=5)


def test_the_text_is_that_of_the_script(text: str) -> None:
    without_outputs = PAGE.BLOCK.sub(lambda block: f"```python\n{block[1]}```\n", text)
    example = PAGE.EXAMPLE.read_text(encoding="utf-8")
    assert without_outputs == "\n".join([example, PAGE.REFERENCE, *PAGE.described()])


def test_every_name_of_the_api_has_a_section(text: str) -> None:
    assert sorted(re.findall(r"^### `(\w+)`$", text, re.MULTILINE)) == sorted(cardioseg.__all__)


@pytest.mark.parametrize("name", [name for name in cardioseg.__all__ if name[0].islower() and name != "errors"])
def test_every_function_is_fully_described(name: str) -> None:
    function = getattr(cardioseg, name)
    text = function.__doc__
    assert all(f"\n    {section}:\n" in text for section in ("Args", "Raises", "Example"))
    arguments = [one for one in function.__annotations__ if one != "return"]
    assert all(re.search(rf"\n        {one}: ", text) for one in arguments)
