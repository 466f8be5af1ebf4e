"""Writes docs/api.md: `python docs/api/page.py`. It runs the example, and takes the reference from the docstrings.

No output is typed: each block of the example is run on the heart that `cardioseg demo` draws, and what it prints is
written below it.
"""

import inspect
import io
import os
import re
import runpy
from collections.abc import Iterator, Sequence
from contextlib import chdir, redirect_stdout
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import cardioseg
from cardioseg.files import write_text
from cardioseg.image.nifti import write_cine
from cardioseg.phantom import Phantom, reference, write_dicom

PAGE = Path(__file__).parents[1] / "api.md"
EXAMPLE = Path(__file__).with_name("example.md")
BLOCK = re.compile(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", re.DOTALL)

LINE = 100

REFERENCE = """\
## Reference

These names are the API: `cardioseg.__all__`. Everything else in the package is private and may change at any time.
"""


def page() -> str:
    """The whole page."""
    text = EXAMPLE.read_text(encoding="utf-8")
    blocks = [code for code, _ in BLOCK.findall(text)]
    with TemporaryDirectory() as folder:
        outputs = iter(run(blocks, Path(folder)))
    example = BLOCK.sub(lambda block: _with_output(block[1], next(outputs)), text)
    return "\n".join([example, REFERENCE, *described()])


def run(blocks: Sequence[str], folder: Path) -> list[str]:
    """What each block prints, one after the other in one session, in a folder with the scans of `cardioseg demo`."""
    phantom = Phantom()
    write_dicom(phantom, folder / "demo" / "scans")
    write_cine(folder / "demo" / "reference" / f"{phantom.patient_id}_gt.nii.gz", reference(phantom))
    names: dict[str, Any] = {}
    outputs = []
    with chdir(folder):
        for number, code in enumerate(blocks, start=1):
            block = folder / f"block-{number}.py"
            write_text(block, code)
            with redirect_stdout(io.StringIO()) as printed:
                names = runpy.run_path(str(block), names)
            outputs.append(printed.getvalue())
    return outputs


def described() -> Iterator[str]:
    """A section for each name of the API, from its docstring."""
    for name in sorted(cardioseg.__all__, key=str.lower):
        yield from _section(name, getattr(cardioseg, name))


def _section(name: str, what: Any) -> Iterator[str]:  # noqa: ANN401 - a function, a class or a module
    yield f"### `{name}`\n"
    signature = f"{name}{_signature(what)}\n\n" if inspect.isfunction(what) else ""
    yield f"```text\n{signature}{inspect.getdoc(what)}\n```\n"
    if inspect.isclass(what):
        yield from _members(name, what)
    if inspect.ismodule(what):
        errors = (one for one in vars(what).values() if inspect.isclass(one) and issubclass(one, what.CardiosegError))
        yield "".join(f"- `errors.{one.__name__}`: {_first_line(one)}\n" for one in errors)


def _members(name: str, cls: type) -> Iterator[str]:
    """The methods and properties of a class that have a docstring of their own."""
    members = [(key, one) for key, one in vars(cls).items() if not key.startswith("_")]
    methods = [(key, one) for key, one in members if inspect.isfunction(one)]
    properties = [(key, one) for key, one in members if _is_property(one)]
    if properties:
        yield "".join(f"- `.{key}`: {_first_line(one)}\n" for key, one in properties)
    for key, method in methods:
        yield f"```text\n{name}.{key}{_signature(method)}\n\n{inspect.getdoc(method)}\n```\n"


def _is_property(member: object) -> bool:
    return isinstance(member, property) or type(member).__name__ == "cached_property"


def _signature(function: Any) -> str:  # noqa: ANN401 - a function
    """As `help` shows it, without the types, which the text names; a long one with an argument a line."""
    parameters = inspect.signature(function).parameters.values()
    bare = [one.replace(annotation=inspect.Parameter.empty) for one in parameters]
    text = str(inspect.Signature(bare))
    if len(text) < LINE:
        return text
    first = next(number for number, one in enumerate(bare) if one.kind is inspect.Parameter.KEYWORD_ONLY)
    return "".join(["(", *(f"\n    {one}," for one in (*bare[:first], "*", *bare[first:])), "\n)"])


def _first_line(what: object) -> str:
    return (inspect.getdoc(what) or "").partition("\n")[0]


def _with_output(code: str, output: str) -> str:
    return f"```python\n{code}```\n" + (f"\n```text\n{output}```\n" if output else "")


if __name__ == "__main__":
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    write_text(PAGE, page())
