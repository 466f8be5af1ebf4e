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

NAMES = {"acdc": "ACDC", "mnms": "M&Ms", "sunnybrook": "Sunnybrook"}
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
    yield "## A cine from DICOM to report\n"
    for run in found["runs"]:
        stages, whole = run["stages"], run.get("command")
        total, alone = sum(stage["cpu_s"] for stage in stages.values()), stages["network"]["cpu_s"]
        yield (
            f"`predict` of {run['slices']} slices with the model `{run['model']}` "
            f"({counted(run['networks'], 'network')}, {counted(run['threads'], 'thread')}): {total:.1f} s of CPU time, "
            f"{total / alone:.2f} x that of ONNX Runtime alone.\n"
        )
        if whole:
            yield (
                f"The whole command with {counted(whole['threads'], 'thread')}: {whole['wall_s']:.1f} s of wall time, "
                f"{whole['cpu_s']:.1f} s of CPU time, at most {whole['peak_mb']:.0f} MB.\n"
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
    on = found["on"]
    yield f"## Training on {'a CPU' if on == 'CPU' else f'an {on}'}\n"
    reference = "torch's InstanceNorm2d"
    yield (
        f"Forward, backward and update at {found['pixels']} x {found['pixels']} pixels, threads: {found['threads']}, "
        f"torch {found['torch']}; ratios to the same network with {reference}.\n"
    )
    rows = [
        (
            f"{norm}, batch {batch}",
            f"{1000 * cost['wall_s']:.1f}",
            f"{1000 * cost['cpu_s']:.1f}",
            f"{cost['ratio']:.3f}",
        )
        for batch, costs in found["norms"].items()
        for norm, cost in costs.items()
    ]
    yield from table(("norm", "wall ms a step", "CPU ms a step", "ratio"), rows)
    speed, share = found["throughput"]["images_per_s"], found["throughput"]["share"]
    yield (
        f"`fit` with the recipe `sax`, augmentation and logs included: {speed:.0f} windows a second, "
        f"{100 * share:.0f} % of a bare step's speed.\n"
    )


def reproducing(found: dict[str, Any]) -> Iterator[str]:
    """How fast jobs of `reproduce` train, and what a step at batch 1 consists of."""
    yield "## The paper's networks on a CPU\n"
    builds, step = found["builds"], found["step"]
    product_ms = 1000 * step["cpu_s"] * step["share_of_product_speed"]
    yield (
        f"`reproduce --workers {found['workers']}` at {found['pixels']} x {found['pixels']} pixels, batch 1, a thread "
        f"a job: {builds['steps_per_s']:.1f} steps a second. By CPU time a step is {builds['ratio']:.2f} x as fast as "
        f"in build {builds['before']} (median of {builds['turns']} turns).\n"
    )
    yield (
        f"A bare step with ILN takes {1000 * step['cpu_s']:.0f} ms of CPU time. A large matrix product "
        f"({step['gflop_per_s_of_products']:.0f} Gflop/s) would do its {step['gflop']:.1f} Gflop in {product_ms:.0f} "
        f"ms: the step reaches {100 * step['share_of_product_speed']:.0f} % of that speed. What `fit` does beside the "
        f"bare step is {100 * found['beside_the_bare_step']:.0f} % of its time.\n"
    )


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
        f"The same cine of {found['slices']} slices, each tool's own prediction code from array to labels, "
        f"{found['cores']} cores, medians of {found['turns']} turns: nnU-Net v2's 2d configuration for ACDC without "
        f"mirroring, MONAI's short-axis U-Net. cardioseg looks for the heart as well.\n"
    )
    titles = {
        name: f"cardioseg, `{name}`, {counted(tool['networks'], 'network')}" if "networks" in tool else name
        for name, tool in found["tools"].items()
    }
    yield from table(("tool", "slices/s", "CPU s a slice", "peak MB", "MB on disk"), [
        (titles[name], f"{one['slices_per_s']:.1f}", f"{one['cpu_s_per_slice']:.3f}", f"{one['peak_mb']:.0f}",
         f"{one['installed_mb']:.0f}")
        for name, one in found["tools"].items()
    ])  # fmt: skip
    for name, one in found["tools"].items():
        faster = [f"{times['wall']:.1f} x as fast as {peer}" for peer, times in one.get("times_as_fast", {}).items()]
        if faster:
            yield f"{titles[name]}: {' and '.join(faster)}.\n"


def growth(found: dict[str, Any]) -> Iterator[str]:
    """Time and memory against slices, phases and studies."""
    yield "## Growth\n"
    yield (
        f"The whole command `predict` with {found['model']}, {counted(found['threads'], 'thread')}, a process a point; "
        f"lines by least squares.\n"
    )
    yield "![Time and memory against slices, phases and studies](performance/growth.svg)\n"
    singular = {"slices": "slice", "phases": "phase", "studies": "study"}
    rows = []
    for of, grown in found["grown"].items():
        counts, wall, memory = (
            [p["count"] for p in grown["points"]],
            grown["lines"]["wall_s"],
            grown["lines"]["peak_mb"],
        )
        rows.append((
            f"{counts[0]} to {counts[-1]} {of}", f"{wall['at_zero']:.1f}", f"{wall['slope']:.3f} a {singular[of]}",
            f"{wall['r2']:.4f}", f"{grown['lines']['cpu_s']['slope']:.3f}", f"{memory['slope']:.1f}",
            f"{max(p['peak_mb'] for p in grown['points']):.0f}",
        ))  # fmt: skip
    yield from table(
        ("of", "wall s at zero", "wall s each", "R² of wall", "CPU s each", "MB each", "highest peak MB"), rows
    )


def accuracy(found: dict[str, Any]) -> Iterator[str]:
    """The window about the heart, and integers, beside whole slices."""
    yield "## What speed costs in accuracy\n"
    yield (
        f"The network of fold {found['fold']} of `{found['model']}`, the same spacing and postprocessing: on whole "
        f"slices, on a window about the heart, as `predict` does it, and that with convolutions in 8-bit integers, as "
        f"`sax_int8` has them. Mean Dice of volumes; against whole slices it must not fall by more than "
        f"{found['bound']:g}.\n"
    )
    ways = ("whole", "window", "int8")
    rows = [
        (f"{name}: {key.replace('_', ' ')}", str(number), *(f"{one['dice'][way][key]:.4f}" for way in ways))
        for name, one in found["sets"].items()
        for key, number in one["volumes"].items()
    ]
    rows += [
        (
            f"{name}: CPU ms a slice",
            str(one["slices"]),
            *(f"{1000 * one['cpu_s'][way] / one['slices']:.0f}" for way in ways),
        )
        for name, one in found["sets"].items()
    ]
    yield from table(("set", "volumes or slices", "whole slices", "window", "in integers"), rows)


def basal_myocardium(found: dict[str, Any]) -> Iterator[str]:
    """What it costs and gains to drop myocardium beyond the basal end of the cavity."""
    yield "## Myocardium above the base\n"
    yield (
        f"In slices above the base, `{found['model']}` sometimes draws a ring around the aorta or the pulmonary "
        "artery, mostly on other vendors' scans. `predict` removes myocardium beyond the basal end of the LV cavity, "
        "phase by phase. Beyond the apical end it stays: the cap of the apex is rightly myocardium without a cavity. "
        "Each scan was predicted once and scored by `evaluate` without and with the rule.\n"
    )
    yield (
        f"`{found['model']}` was trained on these ACDC patients: their Dice does not say how good it is, but it would "
        "fall if the rule removed what experts draw. The Sunnybrook references end below the base.\n"
    )
    titles = (
        "set", "scans", "changed", "slices of all phases", "changed", "Dice of the myocardium, without", "with",
        "slices where the reference has none, without", "with", "slices without LV cavity, without", "with",
    )  # fmt: skip
    rows = []
    for name, one in found["sets"].items():
        before, after = (way["lv_myocardium"] for way in one["ways"].values())
        rows.append((
            NAMES.get(name, name), str(one["cases"]), str(one["cases_changed"]), f"{one['slices']:,}",
            str(one["slices_changed"]), f"{before['mean']:.4f}", f"{after['mean']:.4f}", str(before["invented"]),
            str(after["invented"]), str(one["uncovered"]), str(one["uncovered_left"]),
        ))  # fmt: skip
    yield from table(titles, rows)


def counted(number: int, word: str) -> str:
    """`1 network`, `3 networks`."""
    return f"{number} {word}{'s' * (number != 1)}"


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
    "training_gpu": training,
    "reproducing": reproducing,
    "evaluation": evaluation,
    "accuracy": accuracy,
    "basal_myocardium": basal_myocardium,
    "growth": growth,
    "peers": peers,
}


if __name__ == "__main__":
    PAGE.write_text(page())
