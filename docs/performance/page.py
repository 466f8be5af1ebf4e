"""Writes docs/performance.md from the JSON files beside this file: `python docs/performance/page.py`.

Each section is of one file that a script in tests/benchmarks/ wrote; where the file is not there, neither is the
section. No figure in the page is typed.
"""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
PAGE = FOLDER.parent / "performance.md"

INTRODUCTION = """\
# How fast it is

Written by `python docs/performance/page.py` from what the scripts in `tests/benchmarks/` measured; each can be run
again. Ratios are of CPU time and of things that took turns in one process. Wall times mean something only where the
machine was quiet: CPU time beside them tells.
"""

Section = Callable[[dict[str, Any]], Iterator[str]]


def page(folder: Path = FOLDER) -> str:
    """The whole page, from the files that are there."""
    parts = [INTRODUCTION]
    for name, section in SECTIONS.items():
        path = folder / f"{name}.json"
        if path.is_file():
            parts += section(json.loads(path.read_text()))
    return "\n".join(parts)


def predicting(found: dict[str, Any]) -> Iterator[str]:
    """Where the time of `predict` goes."""
    stages = found["stages"]
    total, network = sum(stage["cpu_s"] for stage in stages.values()), stages["network"]["cpu_s"]
    yield "## A cine from DICOM to report\n"
    yield (
        f"`predict` of {found['slices']} slices with the model `{found['model']}` ({found['networks']} networks, "
        f"{found['threads']} thread): {total:.1f} s of CPU time, {total / network:.2f} x that of ONNX Runtime alone.\n"
    )
    yield from table(("stage", "CPU s", "wall s"), [
        (name, f"{stage['cpu_s']:.2f}", f"{stage['wall_s']:.2f}") for name, stage in stages.items()
    ])  # fmt: skip


def network(found: dict[str, Any]) -> Iterator[str]:
    """What ILN costs in ONNX Runtime."""
    yield "## ILN in ONNX Runtime\n"
    yield f"One network, one thread, ONNX Runtime {found['onnxruntime']}; milliseconds of CPU time an image.\n"
    rows = []
    for row in found["rows"]:
        figures = row["norms"]
        cells = [f"{figures[norm]['cpu_ms']:.1f}" for norm in ("none", "in", "iln")]
        cells += [f"{figures['iln']['ratio']:.2f}"]
        rows.append((f"{row['images']} of {row['pixels']} x {row['pixels']}", *cells))
    yield from table(("batch", "no norm", "IN", "ILN", "ILN / no norm"), rows)


def reading(found: dict[str, Any]) -> Iterator[str]:
    """How fast DICOM is read."""
    yield "## Reading\n"
    read, tree = found["reading"], found["discovery"]
    yield (
        f"{read['files']} DICOM files to cines: {read['cines_cpu_s']:.2f} s of CPU time; reading their bytes and "
        f"decoding them with pydicom in one loop: {read['loop_cpu_s']:.2f} s, so {100 * read['share']:.0f} % of its "
        f"speed.\n"
    )
    yield (
        f"A tree of {tree['files']} small files that are of no use is surveyed in {tree['cpu_s']:.0f} s of CPU time "
        f"and {tree['peak_mb']:.0f} MB.\n"
    )


def starting(found: dict[str, Any]) -> Iterator[str]:
    """Start-up and memory."""
    yield "## Start-up and memory\n"
    runs = {name: run for name, run in found.items() if isinstance(run, dict)}
    yield from table(("command", "wall s", "CPU s", "peak MB"), [
        (name if name.startswith("-") else f"predict, {name}",
         f"{run['wall_s']:.2f}", f"{run['cpu_s']:.2f}", f"{run['peak_mb']:.0f}")
        for name, run in runs.items()
    ])  # fmt: skip


def training(found: dict[str, Any]) -> Iterator[str]:
    """What a training step costs with each norm, and `fit` beside its bare steps."""
    yield "## Training\n"
    reference = "torch's InstanceNorm2d"
    yield (
        f"Forward, backward and update at {found['pixels']} x {found['pixels']} pixels, threads: {found['threads']}, "
        f"torch {found['torch']}; ratios to the same network with {reference}.\n"
    )
    rows = [
        (f"{norm}, batch {batch}", f"{1000 * cost['cpu_s']:.0f}", f"{cost['ratio']:.3f}")
        for batch, costs in found["norms"].items()
        for norm, cost in costs.items()
    ]
    yield from table(("norm", "CPU ms a step", "ratio"), rows)
    share = found["throughput"]["share"]
    yield f"`fit` with the recipe `sax`, augmentation and logs included: {100 * share:.0f} % of a bare step's speed.\n"


def evaluation(found: dict[str, Any]) -> Iterator[str]:
    """`evaluate` beside surface-distance."""
    yield "## Evaluation\n"
    times = found["timings"]
    yield (
        f"{found['volumes']} volumes ({found['what']}), {found['structures']} structures, one thread. `evaluate` "
        f"measures overlap, distances in 3D and by slice, volumes, agreement and intervals, and writes the page; the "
        f"two below it measure distances in 3D alone.\n"
    )
    names = {
        "evaluate": "`evaluate`, whole command",
        "surface-distance": "surface-distance",
        "distances": "our distances",
    }
    yield from table(("what", "wall s", "CPU s"), [
        (title, f"{times[name]['wall_s']['median']:.1f}", f"{times[name]['cpu_s']['median']:.1f}")
        for name, title in names.items()
    ])  # fmt: skip


def peers(found: dict[str, Any]) -> Iterator[str]:
    """Slices a second beside nnU-Net and MONAI."""
    yield "## Beside nnU-Net and MONAI\n"
    yield (
        f"The same {found['slices']} slices in volumes of ten, each tool's own prediction code, {found['cores']} "
        f"cores, medians of {found['turns']} turns. cardioseg runs the three networks of `sax` and looks for the heart "
        f"as well.\n"
    )
    yield from table(("tool", "slices/s", "cardioseg is faster", "CPU s a slice", "peak MB", "MB on disk"), [
        (tool, f"{one['slices_per_s']:.2f}", f"{one['cardioseg_is_faster']:.1f} x", f"{one['cpu_s_per_slice']:.3f}",
         f"{one['peak_mb']:.0f}", f"{one['installed_mb']:.0f}")
        for tool, one in found["tools"].items()
    ])  # fmt: skip


def table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    """A Markdown table; the first column is text."""
    yield f"| {' | '.join(titles)} |"
    yield "|---|" + "---:|" * (len(titles) - 1)
    yield from (f"| {' | '.join(row)} |" for row in rows)
    yield ""


SECTIONS: dict[str, Section] = {
    "predicting": predicting,
    "network": network,
    "reading": reading,
    "starting": starting,
    "training": training,
    "evaluation": evaluation,
    "peers": peers,
}


if __name__ == "__main__":
    PAGE.write_text(page())
