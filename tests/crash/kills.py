"""SIGKILL at random moments: `python tests/crash/kills.py --kills 200`.

Each trial starts a command, kills it, looks at what it left, runs it again to its end and compares all that is there
with an uninterrupted run. The commands run in forked children of this process, which has imported everything before:
so a trial costs the work itself. `--write` puts the figures into `docs/reliability/crashes.json`.
"""

import argparse
import json
import os
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

from cardioseg.cli.app import run
from cardioseg.image.nifti import write_cine
from cardioseg.phantom import Phantom, cine, write_sunnybrook

# Imported before the forks, like all that a command would import; torch._dynamo is what an optimizer imports.
for module in (
    "onnxruntime", "torch._dynamo", "torch.utils.tensorboard", "cardioseg.inference.run", "cardioseg.ingest.layouts",
    "cardioseg.reproduce.figures", "cardioseg.reproduce.pool", "cardioseg.training.crossval",
):  # fmt: skip
    import_module(module)

ROOT = Path(__file__).parents[2]
FIGURES = ROOT / "docs" / "reliability" / "crashes.json"
RECIPE = """
labels = ["lv_cavity"]
norm = "iln"
size = 16
[augmentation]
angles = { start = 0, stop = 0, step = 10 }
grid_fraction = 0.25
[optimization]
learning_rate = 0.1
epochs = 2
"""
_TIMINGS = {"seconds", "seconds_by_case"}
_CHECKPOINT = re.compile(r"step-\d{7}-([0-9a-f]{16})\.pt")
_WATCH_S = 0.001


@dataclass(frozen=True)
class Scene:
    """A command to kill: `again(out)` gives its arguments for a first or a further run into `out`."""

    name: str
    again: Callable[[Path], list[str]]
    moment: str = ""  # kill while a file is being written whose name matches; else at any moment


@dataclass
class Tally:
    """What became of a scene's trials."""

    kills: int = 0
    inside_a_write: int = 0
    unreadable: list[str] = field(default_factory=list)
    not_resumed: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    finished_first: int = 0


def scenes(folder: Path) -> dict[str, Scene]:
    """The commands, on four small hearts; two to segment."""
    sys.path.insert(0, str(ROOT / "tests"))
    from untrained import write_model

    size: dict[str, Any] = {"slices": 5, "phases": 8, "rows": 48, "columns": 48, "spacing_mm": (16.0, 5.0, 5.0)}
    hearts = [Phantom(seed=seed, **size) for seed in range(1, 5)]
    write_sunnybrook(hearts, folder / "labelled")
    for number, heart in enumerate(hearts[:2]):
        write_cine(folder / "scans" / f"heart-{number}.nii.gz", cine(heart))
    (folder / "tiny.toml").write_text(RECIPE)
    model, dataset = write_model(folder / "model"), str(folder / "dataset")
    assert run(["ingest", str(folder / "labelled"), "-o", dataset, "-q"]) == 0

    def train(out: Path) -> list[str]:
        how = ["-r", str(folder / "tiny.toml"), "--folds", "2", "--fold", "0", "--checkpoint-steps", "2", "-q"]
        return ["train", dataset, "-o", str(out), *how, *["--resume"] * (out / "run.json").exists()]

    def ingest(out: Path) -> list[str]:
        return ["ingest", str(folder / "labelled"), "-o", str(out), "-q"]

    def predict(out: Path) -> list[str]:
        return ["predict", str(folder / "scans"), "-o", str(out), "-m", str(model), "--threads", "1", "-q"]

    def reproduce(out: Path) -> list[str]:
        few = ["--lrs", "0.1", "--norms", "iln", "--folds", "2", "--steps-fraction", "0.002", "--spacing-mm", "16"]
        return ["reproduce", dataset, "--organ", "lv", "-o", str(out), "--tables", "2", *few, "-d", "cpu", "-q"]

    every = [Scene("train", train), Scene("train, in a checkpoint", train, r"\.partial\.step-.*\.pt$")]
    every += [Scene("ingest", ingest), Scene("predict", predict), Scene("reproduce", reproduce)]
    return {scene.name: scene for scene in every}


def trials(scene: Scene, kills: int, folder: Path, rng: np.random.Generator) -> Tally:
    """Kill a scene so many times, each time in a new folder."""
    whole, tally = folder / "whole", Tally()
    start = time.perf_counter()
    assert _wait(_start(scene, whole)) == 0
    seconds, expected = time.perf_counter() - start, tree(whole)
    while tally.kills < kills and tally.finished_first < 2 * kills + 10:
        out = folder / "cut"
        shutil.rmtree(out, ignore_errors=True)
        if not _trial(scene, out, rng.uniform(0, seconds), expected, tally):
            seconds *= 0.9  # the machine is faster than it was
    return tally


def _trial(scene: Scene, out: Path, after_s: float, expected: dict[str, str], tally: Tally) -> bool:
    """Whether the command was killed before it had finished."""
    child = _start(scene, out)
    _sleep_until(scene, out, after_s)
    os.kill(child, signal.SIGKILL)
    if _wait(child) != -signal.SIGKILL:
        tally.finished_first += 1
        return False
    tally.kills += 1
    tally.inside_a_write += any(out.rglob(".*.partial.*"))
    tally.unreadable += [name for name in out.rglob("*") if not _is_whole(name, out, expected)]  # type: ignore[misc]
    code = _wait(_start(scene, out))
    if code:
        tally.not_resumed.append(f"exit {code}")
    elif (found := tree(out)) != expected:
        tally.differing += sorted(name for name, _ in found.items() ^ expected.items())
    return True


def _start(scene: Scene, out: Path) -> int:
    child = os.fork()
    if child:
        return child
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    try:
        os._exit(run(scene.again(out)))
    finally:
        os._exit(1)


def _wait(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def _sleep_until(scene: Scene, out: Path, after_s: float) -> None:
    """Until the moment has come; of a write, until one is under way after it."""
    end = time.perf_counter() + after_s
    while (left := end - time.perf_counter()) > 0:
        time.sleep(min(left, 0.05))
    deadline = time.perf_counter() + 20
    while scene.moment and time.perf_counter() < deadline:
        if any(re.search(scene.moment, path.name) for path in out.glob("fold-*/.*")):
            return
        time.sleep(_WATCH_S)


def tree(folder: Path) -> dict[str, str]:
    """Every file and what is in it, timings aside; TensorBoard's logs, which only show what is elsewhere, are not."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.parent.name != "tensorboard")
    return {str(path.relative_to(folder)): sha256(_timeless(path)).hexdigest() for path in files}


def _timeless(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix == ".json":
        return json.dumps(_without_timings(json.loads(content))).encode()
    if path.suffix == ".html":
        return re.sub(rb"(?s)(<dt>|<td>|<th>)seconds.{0,60}", b"", content)
    return content


def _without_timings(document: Any) -> Any:
    if isinstance(document, dict):
        return {key: _without_timings(value) for key, value in document.items() if key not in _TIMINGS}
    return [_without_timings(value) for value in document] if isinstance(document, list) else document


def _is_whole(path: Path, out: Path, expected: dict[str, str]) -> bool:
    """Whether a file under a final name holds what it may hold there at that moment."""
    if path.is_dir() or ".partial." in path.name or path.name == ".lock" or path.parent.name == "tensorboard":
        return True
    if match := _CHECKPOINT.fullmatch(path.name):
        return sha256(path.read_bytes()).hexdigest()[:16] == match[1]
    try:
        found = sha256(_timeless(path)).hexdigest()
    except ValueError:
        return False
    if path.name in {"steps.csv"}:  # grows; each version is written whole
        return path.read_bytes().endswith(b"\n")
    return expected.get(str(path.relative_to(out))) == found


def document(tallies: dict[str, Tally], command: str) -> dict[str, Any]:
    """The figures for the page."""
    training = [tally for name, tally in tallies.items() if name.startswith("train")]
    figures: list[dict[str, Any]] = []

    def add(what: str, promised: str, measured: int) -> None:
        figures.append({"what": what, "promised": promised, "measured": measured})

    add("training: killed and resumed", "", sum(tally.kills for tally in training))
    add("training: of these inside a write", "", sum(tally.inside_a_write for tally in training))
    add("training: ended with other weights, scores or logs", "0", sum(len(tally.differing) for tally in training))
    for name, tally in tallies.items():
        if tally not in training:
            add(f"{name}: killed and run again", "", tally.kills)
            add(f"{name}: of these inside a write", "", tally.inside_a_write)
            add(f"{name}: files that differ from those of an uninterrupted run", "0", len(tally.differing))
    add("all: files half written under a final name", "0", sum(len(tally.unreadable) for tally in tallies.values()))
    add("all: runs that could not go on", "0", sum(len(tally.not_resumed) for tally in tallies.values()))
    return {
        "order": 20,
        "title": "Killed at any moment",
        "promise": "SIGKILL at a random moment of a command loses at most the work since the last checkpoint or case. "
        "The same command, for `train` with `--resume`, then goes on by itself, and all files are those of an "
        "uninterrupted run (timings aside; same machine, one thread). Four small hearts, a network of full width.",
        "command": command,
        "figures": figures,
    }


def main() -> int:
    """Run the campaign; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="of training, a quarter in a checkpoint's write")
    parser.add_argument("--others", type=int, default=100, help="of each of the other commands")
    parser.add_argument("--only", default="", help="scenes whose name starts so")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--write", action="store_true", help="the figures of the page")
    asked = parser.parse_args()
    counts = {"train": asked.kills - asked.kills // 4, "train, in a checkpoint": asked.kills // 4}
    command = f"python tests/crash/kills.py --kills {asked.kills} --others {asked.others} --write"
    tallies: dict[str, Tally] = {}
    with TemporaryDirectory() as folder:
        chosen = {name: scene for name, scene in scenes(Path(folder)).items() if name.startswith(asked.only)}
        for name, scene in chosen.items():
            place = Path(folder) / "trials" / scene.name
            rng = np.random.default_rng([asked.seed, len(tallies)])
            tallies[name] = trials(scene, counts.get(name, asked.others), place, rng)
            sys.stdout.write(f"{name}: {json.dumps(vars(tallies[name]), default=str)}\n")
            sys.stdout.flush()
            shutil.rmtree(place)
            if asked.write:
                FIGURES.write_text(json.dumps(document(tallies, command), indent=2) + "\n")
    return int(any(tally.unreadable or tally.not_resumed or tally.differing for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
