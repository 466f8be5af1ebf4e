"""Writes docs/reliability.md from the JSON files beside this file: `python docs/reliability/page.py`.

A JSON file is a section, and all that a section needs. It is written by the script or slow test that measured it:

    {
      "order": 10,                            place on the page; equal ones by file name
      "title": "Malformed input",
      "promise": "One sentence or several: what is promised, and the limits it was measured in.",
      "command": "pytest -m slow tests/...",  what gives these figures again; or a list of commands
      "figures": [                            a row of the table each, in this order
        {"what": "mutants of DICOM files", "measured": 20000},
        {"what": "longest time over one file", "promised": "<= 5 s", "measured": 0.42, "unit": "s"}
      ],
      "notes": ["Optional paragraphs below the table: what falls short, what was not measured."]
    }

`measured` is a number or text; `promised` and `unit` may be left out. No figure in the page is typed.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "reliability.md"

INTRODUCTION = """\
# What is promised, and what was measured

Each section contains a promise, the command that tests it, and what the command measured. The commands write the
numbers into the JSON files in `docs/reliability/`, and `python docs/reliability/page.py` writes this page from these
files. Every run of the tests repeats a small part of each command; for the container, only if a Docker engine is
running.
"""


def page(folder: Path = FOLDER) -> str:
    """The whole page, from every section beside this file."""
    found = {path: json.loads(path.read_text()) for path in sorted(folder.glob("*.json"))}
    ordered = sorted(found.values(), key=lambda document: document.get("order", 100))
    return "\n".join([INTRODUCTION, *(line for document in ordered for line in section(document))])


def section(document: dict[str, Any]) -> Iterator[str]:
    """One promise: its words, its command, its figures and what is to be said about them."""
    commands = document["command"]
    yield f"## {document['title']}\n"
    yield f"{document['promise']}\n"
    yield "\n".join(["```", *([commands] if isinstance(commands, str) else commands), "```\n"])
    rows = [(figure["what"], figure.get("promised", ""), _measured(figure)) for figure in document["figures"]]
    yield "\n".join(["| what | promised | measured |", "|---|---|---|", *(_row(cells) for cells in rows), ""])
    yield from (f"{note}\n" for note in document.get("notes", ()))


def _measured(figure: dict[str, Any]) -> str:
    value = figure["measured"]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:,} {figure.get('unit', '')}".strip() if isinstance(value, int | float) else str(value)


def _row(cells: tuple[str, ...]) -> str:
    return "| " + " | ".join(str(cell).replace("|", r"\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page())
