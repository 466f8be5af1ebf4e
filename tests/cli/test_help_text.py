"""Help: words, not Python's types; and every name that an option takes."""

import re

import pytest

from cardioseg.cli.app import app, run
from cardioseg.image.labels import CONVENTIONS
from cardioseg.ingest.labels.layouts import LAYOUTS
from cardioseg.network.norms import NORMS
from cardioseg.results.formats import FORMATS

COMMANDS = [command.callback.__name__ for command in app.registered_commands if command.callback]
NAMES = {
    ("ingest", "--layout"): [layout.NAME for layout in LAYOUTS],
    ("ingest", "--labels"): list(CONVENTIONS),
    ("evaluate", "--labels"): list(CONVENTIONS),
    ("predict", "--format"): [mask_format.NAME for mask_format in FORMATS],
    ("train", "--norm"): list(NORMS),
}


@pytest.fixture(autouse=True)
def width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")


@pytest.mark.parametrize("command", COMMANDS)
def test_no_types_braces_or_inequalities(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run([command, "--help"]) == 0
    assert not re.findall(r"[<>{}]|\bx>", capsys.readouterr().out)


@pytest.mark.parametrize(("option", "names"), NAMES.items(), ids=map(" ".join, NAMES))
def test_help_lists_every_name(option: tuple[str, str], names: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """The lists in the code import NumPy, for which `--help` does not wait: it lists the modules."""
    command, name = option
    assert run([command, "--help"]) == 0
    text = capsys.readouterr().out.partition(f"  {name} ")[2]
    text = re.split(r"\n +-", text)[0]  # up to the next option
    assert set(names) <= set(re.findall(r"[\w-]+", re.sub(r"-\n +", "-", text)))


def test_the_list_of_commands_is_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out.partition("Commands:")[2]
    assert "..." not in text
    assert all(line.endswith(".") for line in text.splitlines() if line)


def test_the_usage_of_several_arguments(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["evaluate", "--help"]) == 0
    assert "evaluate [OPTIONS] PREDICTED... REFERENCE\n" in capsys.readouterr().out
