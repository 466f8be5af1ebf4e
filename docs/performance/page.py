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

Written by `python docs/performance/page.py` from the measurements of the scripts in `tests/benchmarks/`; each script
can be run again. Ratios compare CPU times, and what is compared took turns in one process. A wall time is only reliable
if the machine did nothing else; compare it with the CPU time next to it.
"""

NAMES_OF_SCANS = {"dicom": "DICOM", "nifti": "NIfTI"}
NAMES = {"acdc": "ACDC", "mnms": "M&Ms", "sunnybrook": "Sunnybrook"}
SCANNERS = {"mnms": "M&Ms (Siemens and Philips)", "sunnybrook": "Sunnybrook (GE, 1.5 T)"}  # of what is tested
STRUCTURES = ("rv_cavity", "lv_myocardium", "lv_cavity")
CARD = FOLDER.parents[1] / "models" / "sax" / "card.json"
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
            f"{total / alone:.2f} x the time of ONNX Runtime alone.\n"
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
    yield f"One network, one thread, ONNX Runtime {found['onnxruntime']}; milliseconds of CPU time per image.\n"
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
        f"cardioseg reads {read['files']} DICOM files into cines in {read['cines_cpu_s']:.2f} s of CPU time. A plain "
        f"loop with pydicom that reads and decodes the same files takes {read['loop_cpu_s']:.2f} s.\n"
    )
    yield (
        f"It looks through a folder of {tree['files']:,} small files that it cannot use in {tree['cpu_s']:.0f} s of "
        f"CPU time with {tree['peak_mb']:.0f} MB of memory.\n"
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
        f"Forward, backward and update at {found['pixels']} x {found['pixels']} pixels, channels last, "
        f"threads: {found['threads']}, torch {found['torch']}. The ratio is to the same network with {reference}.\n"
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
    yield from table(("norm", "wall ms per step", "CPU ms per step", "ratio"), rows)
    speed, share = found["throughput"]["images_per_s"], found["throughput"]["share"]
    yield (
        f"`train` with the recipe `sax`, including augmentation and logs: {speed:.0f} windows per second, "
        f"{100 * share:.0f} % of the speed of the training step alone.\n"
    )
    made = json.loads(CARD.read_text())["training"]
    batch, hours = made["recipe"]["optimization"]["batch_size"], training_hours(speed)
    yield (
        f"One network such as `sax` ({made['steps']:,} steps of {batch} windows) takes about {hours:.0f} hours at this "
        "speed.\n"
    )


def training_hours(windows_per_s: float) -> float:
    """How long the training of `sax` takes at a speed."""
    made = json.loads(CARD.read_text())["training"]
    return made["steps"] * made["recipe"]["optimization"]["batch_size"] / windows_per_s / 3600


def reproducing(found: dict[str, Any]) -> Iterator[str]:
    """How fast jobs of `reproduce` train, and what a step at batch 1 consists of."""
    yield "## The paper's networks on a CPU\n"
    builds, step = found["builds"], found["step"]
    product_ms = 1000 * step["cpu_s"] * step["share_of_product_speed"]
    yield (
        f"`reproduce --workers {found['workers']}` at {found['pixels']} x {found['pixels']} pixels, batch 1, one "
        f"thread per job: {builds['steps_per_s']:.1f} steps per second. In CPU time, a step is {builds['ratio']:.2f} x "
        f"as fast as in the earlier version {builds['before']} (median of {builds['turns']} turns).\n"
    )
    yield (
        f"A training step with ILN takes {1000 * step['cpu_s']:.0f} ms of CPU time for {step['gflop']:.1f} Gflop. A "
        f"large matrix product ({step['gflop_per_s_of_products']:.0f} Gflop/s) would take {product_ms:.0f} ms for "
        f"them: the step reaches {100 * step['share_of_product_speed']:.0f} % of that speed. Everything else in "
        f"training takes {100 * found['beside_the_bare_step']:.0f} % of the time.\n"
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
        "distances": "cardioseg's distances",
    }
    yield from table(("what", "wall s", "CPU s"), [
        (title, f"{times[name]['wall_s']['median']:.1f}", f"{times[name]['cpu_s']['median']:.1f}")
        for name, title in names.items()
    ])  # fmt: skip


def reviewing(found: dict[str, Any]) -> Iterator[str]:
    """How fast the page of `review` is, and what its server takes."""
    yield "## Looking at results and correcting them\n"
    yield (
        f"`review` with a cine of {found['slices']} slices x {found['phases']} phases, 256 x 256 pixels, in Chromium "
        f"on the same machine; medians. The first picture counts from the click on a case.\n"
    )
    titles = {
        "first_picture_ms": ("first picture, ms", 0),
        "next_slice_ms": ("next slice, ms", 0),
        "numbers_after_a_change_ms": ("from a change to its numbers, ms", 0),
        "phases_per_s": ("phases per second in the playing beat", 1),
        "server_peak_mb": ("peak memory of the server, MB", 0),
    }
    looking, saving, many = found["looking"], found["saving"], found["many"]
    yield from table(("what", *(NAMES_OF_SCANS[name] for name in looking)), [
        (title, *(f"{figures[key]:.{digits}f}" for figures in looking.values()))
        for key, (title, digits) in titles.items()
    ])  # fmt: skip
    yield (
        f"Saving a corrected case of this size takes {saving['saving_s']:.1f} s, of which the page is busy; the tables "
        f"and the report follow in {saving['tables_s']:.1f} s. With {many['cases']:,} small cases, the list takes "
        f"{many['list_s']:.1f} s, saving one {many['saving_s']:.1f} s, the tables and the report "
        f"{many['tables_s']:.1f} s, and the server at most {many['server_peak_mb']:.0f} MB.\n"
    )


def peers(found: dict[str, Any]) -> Iterator[str]:
    """Slices a second beside nnU-Net and MONAI."""
    yield "## Compared with nnU-Net and MONAI\n"
    yield (
        f"All tools segment the same cine of {found['slices']} slices with their own prediction code, from array to "
        f"labels, on {found['cores']} cores; medians of {found['turns']} turns. nnU-Net is v2's 2d configuration for "
        "ACDC without mirroring; MONAI is its short-axis U-Net. The time of cardioseg includes finding the heart.\n"
    )
    titles = {
        name: f"cardioseg, `{name}`, {counted(tool['networks'], 'network')}" if "networks" in tool else name
        for name, tool in found["tools"].items()
    }
    yield from table(("tool", "slices/s", "CPU s per slice", "peak MB", "MB on disk"), [
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
        f"The whole command `predict` with `{found['model']}` and {counted(found['threads'], 'thread')}; each point is "
        f"a process of its own, the lines are least-squares fits.\n"
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
            f"{counts[0]} to {counts[-1]} {of}", f"{wall['at_zero']:.1f}", f"{wall['slope']:.3f} per {singular[of]}",
            f"{wall['r2']:.4f}", f"{grown['lines']['cpu_s']['slope']:.3f}", f"{memory['slope']:.1f}",
            f"{max(p['peak_mb'] for p in grown['points']):.0f}",
        ))  # fmt: skip
    yield from table(
        ("range", "wall s at zero", "wall s each", "R² of wall s", "CPU s each", "MB each", "highest peak MB"), rows
    )


def accuracy(found: dict[str, Any]) -> Iterator[str]:
    """The window about the heart, and integers, beside whole slices."""
    yield "## What speed costs in accuracy\n"
    yield (
        f"The network of fold {found['fold']} of `{found['model']}` was run in three ways, with the same spacing and "
        "postprocessing: on whole slices; on a window around the heart, as `predict` does; and on the window with "
        "8-bit convolutions, as `sax_int8` does. The table shows mean Dice per volume. The limit: it must not be lower "
        f"than on whole slices by more than {found['bound']:g}.\n"
    )
    ways = ("whole", "window", "int8")
    rows = [
        (f"{name}: {key.replace('_', ' ')}", str(number), *(f"{one['dice'][way][key]:.4f}" for way in ways))
        for name, one in found["sets"].items()
        for key, number in one["volumes"].items()
    ]
    rows += [
        (
            f"{name}: CPU ms per slice",
            str(one["slices"]),
            *(f"{1000 * one['cpu_s'][way] / one['slices']:.0f}" for way in ways),
        )
        for name, one in found["sets"].items()
    ]
    yield from table(("set", "volumes or slices", "whole slices", "window", "window, 8-bit"), rows)


def scanners(found: dict[str, Any]) -> Iterator[str]:
    """Dice on scanners other than those of the training data, beside that on unseen patients of the same."""
    yield f"## Scanners that `{found['model']}` has not seen\n"
    yield (
        "Mean Dice per volume ± standard deviation (number of volumes). The first row comes from the cross validation "
        "on the training data: each patient was segmented by a network that had not seen it. In the copy of M&Ms that "
        "was used, all scans of a centre state the same pixel size, which may be a guess; the images are resampled by "
        "it.\n"
    )
    card = json.loads(CARD.read_text())
    whole = [m for m in card["metrics"] if m["metric"] == "Dice" and m["protocol"].endswith("in 3D, ED and ES")]
    cross = {m["label"]: m for m in whole if m["protocol"].startswith(card["training"]["dataset"])}
    rows = [("ACDC, unseen patients (Siemens, 1.5 T and 3 T)", *(_dice(cross.get(key)) for key in STRUCTURES))]
    for name, title in SCANNERS.items():
        with_rule = found["sets"][name]["ways"]["with the rule"]
        rows.append((title, *(_dice(with_rule.get(key)) for key in STRUCTURES)))
    yield from table(("set", "RV cavity", "LV myocardium", "LV cavity"), rows)


def _dice(figure: dict[str, Any] | None) -> str:
    return f"{figure['mean']:.3f} ± {figure['std']:.3f} ({figure['n']})" if figure else "no reference"


def basal_myocardium(found: dict[str, Any]) -> Iterator[str]:
    """What it costs and gains to drop myocardium beyond the basal end of the cavity."""
    yield from scanners(found)
    yield "## Myocardium above the base\n"
    yield (
        f"In slices above the base, `{found['model']}` sometimes draws a ring around the aorta or the pulmonary "
        "artery, mostly on scanners that it has not seen. `predict` therefore removes myocardium beyond the basal end "
        "of the LV cavity, in each phase. It keeps myocardium beyond the apical end, because the apex has myocardium "
        "without a cavity. Each scan was predicted once, and `evaluate` scored it without and with this rule.\n"
    )
    yield (
        f"`{found['model']}` was trained on these ACDC patients. Their Dice therefore does not show how good it is; "
        "but it would fall if the rule removed what experts draw. The Sunnybrook references end below the base.\n"
    )
    titles = (
        "set", "scans", "changed scans", "slices of all phases", "changed slices", "Dice of the myocardium without the "
        "rule", "with", "slices with myocardium only in the prediction, without the rule", "with",
        "slices with myocardium but no LV cavity, without the rule", "with",
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


def flicker(found: dict[str, Any]) -> Iterator[str]:
    """What it changes to mend structures that appear or are missing for a moment."""
    yield "## Structures that flicker\n"
    yield (
        "Where the network is unsure, it draws a structure in a slice, or leaves it out, for one or two phases only. "
        "`predict` removes such a structure, and interpolates one that is missing, if this lasts for at most a tenth "
        "of the beat. Each scan was predicted once and measured without and with this rule. The reader's volumes are "
        "those of the contoured slices. The last two columns count how often a structure appears in a slice or "
        "vanishes from it.\n"
    )
    rows = []
    for one in found["scans"]:
        ways = list(one["ways"].values())
        measures = ("lv_edv_ml", "lv_esv_ml", "lv_ef_percent")
        cells = [f"{way[name]:.1f}" for name in measures for way in (one["reference"], *ways)]
        rows.append((one["case"], *cells, *(str(way["switches"]) for way in ways)))
    titles = [f"LV {name}, {who}" for name in ("EDV", "ESV", "EF") for who in ("reader", "without", "with")]
    yield from table(("scan (mL, %)", *titles, "switches, without", "with"), rows)
    yield (
        "On phantoms, whose base does not move, the rule must change next to nothing. Error of the volumes of the "
        "three structures over all phases, in percent of the largest volume:\n"
    )
    rows = [
        (
            f"phantom {one['phantom']['seed']}, {one['phantom']['phases']} phases",
            str(one["pixels_changed"]),
            *(f"{way[name]:.2f}" for name in ("mean_percent", "max_percent") for way in one["ways"].values()),
        )
        for one in found["phantoms"]
    ]
    titles = [f"{name} error, {way}" for name in ("mean", "largest") for way in ("without", "with")]
    yield from table(("phantom", "changed pixels", *titles), rows)


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
    "flicker": flicker,
    "reviewing": reviewing,
    "growth": growth,
    "peers": peers,
}


if __name__ == "__main__":
    PAGE.write_text(page())
