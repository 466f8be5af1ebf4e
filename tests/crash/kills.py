"""SIGKILL at random moments: `python tests/crash/kills.py --kills 200`.

Each trial starts a command, kills it, looks at what it left, runs it again to its end and compares all that is there
with an uninterrupted run. The commands run in forked children of this process, which has imported everything before:
so a trial costs the work itself. The moment is drawn over the processor time that the whole command takes, which does
not depend on what else the machine does (Linux: /proc). `--write` puts the figures into
`docs/reliability/crashes.json`; with `--state FOLDER` a campaign that was cut goes on where it was.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scenes import Scene, scenes
from trees import is_whole, tree

from cardioseg.cli.app import run

FIGURES = Path(__file__).parents[2] / "docs" / "reliability" / "crashes.json"
_WATCH_S = 0.002
_JITTER_S = 0.02  # the moment may fall where the command waits for the disk
_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


@dataclass
class Tally:
    """What became of a scene's trials."""

    kills: int = 0
    inside_a_write: int = 0
    unreadable: list[str] = field(default_factory=list)
    not_resumed: list[str] = field(default_factory=list)
    differing: list[str] = field(default_factory=list)
    finished_first: int = 0

    @property
    def broken(self) -> bool:
        """Whether a promise is."""
        return bool(self.unreadable or self.not_resumed or self.differing)

    def enough(self, scene: Scene, kills: int) -> bool:
        """Whether there were so many: of a scene with a moment of its own, so many at that moment."""
        return (self.inside_a_write if scene.moment else self.kills) >= kills or self.finished_first > kills + 10


def trials(scene: Scene, kills: int, folder: Path, tally: Tally, done: Callable[[], None], seed: int) -> None:
    """Kill a scene until it was killed so often, each time in a new folder; `done` is called after each."""
    if tally.enough(scene, kills):
        return
    whole, out = folder / "whole", folder / "cut"
    busy_s, expected = _whole_run(scene, whole), tree(whole)
    while not tally.enough(scene, kills):
        rng = random.Random(f"{seed} {scene.name} {tally.kills + tally.finished_first}")  # noqa: S311 - no secret
        _trial(scene, out, rng, busy_s, expected, tally)
        shutil.rmtree(out, ignore_errors=True)
        done()


def _whole_run(scene: Scene, out: Path) -> float:
    """Run a scene to its end; the processor time that it took."""
    before = os.times()
    assert _wait(_start(scene, out)) == 0
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def _trial(scene: Scene, out: Path, rng: random.Random, busy_s: float, expected: dict[str, str], tally: Tally) -> None:
    child = _start(scene, out)
    _sleep_until(scene, out, child, rng.uniform(0, busy_s))
    time.sleep(0 if scene.moment else rng.uniform(0, _JITTER_S))
    os.kill(child, signal.SIGKILL)
    if _wait(child) != -signal.SIGKILL:
        tally.finished_first += 1
        return
    tally.kills += 1
    tally.inside_a_write += any(re.search(scene.moment or r"\.partial\.", path.name) for path in out.rglob(".*"))
    tally.unreadable += [str(path.relative_to(out)) for path in out.rglob("*") if not is_whole(path, out, expected)]
    if code := _wait(_start(scene, out)):
        tally.not_resumed.append(f"exit {code}")
    elif (found := tree(out)) != expected:
        tally.differing += sorted({name for name, _ in found.items() ^ expected.items()})


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


def _sleep_until(scene: Scene, out: Path, child: int, busy_s: float) -> None:
    """Until the child has worked so long, and then, of a scene with its own moment, until that; or until it ends."""
    while 0 <= worked_s(child) < busy_s:
        time.sleep(_WATCH_S)
    while scene.moment and worked_s(child) >= 0:
        if any(re.search(scene.moment, path.name) for path in out.glob("fold-*/.*")):
            return
        time.sleep(_WATCH_S)


def worked_s(child: int) -> float:
    """Processor time of a child; -1 once it has ended."""
    state, *fields = Path(f"/proc/{child}/stat").read_text().rpartition(") ")[2].split()
    return -1.0 if state == "Z" else _TICK_S * (int(fields[10]) + int(fields[11]))


def document(tallies: dict[str, Tally], command: str) -> dict[str, Any]:
    """The figures for the page."""
    training = {name: tally for name, tally in tallies.items() if name.startswith("train")}
    figures: list[dict[str, Any]] = []

    def add(what: str, promised: str, measured: int) -> None:
        figures.append({"what": what, "promised": promised, "measured": measured})

    add("training: killed and resumed", "200", sum(tally.kills for tally in training.values()))
    add("training: of these within the write of a checkpoint", "50", training["train, in a checkpoint"].inside_a_write)
    add("training: files that differ in the end, weights first", "0", sum(len(t.differing) for t in training.values()))
    for name in (one for one in tallies if one not in training):
        add(f"{name}: killed and run again", "100", tallies[name].kills)
        add(f"{name}: of these within a write", "", tallies[name].inside_a_write)
        add(f"{name}: files that differ in the end", "0", len(tallies[name].differing))
    add("all: files half written under a final name", "0", sum(len(tally.unreadable) for tally in tallies.values()))
    add("all: runs that could not go on", "0", sum(len(tally.not_resumed) for tally in tallies.values()))
    return {
        "order": 20,
        "title": "Killed at any moment",
        "promise": (
            "If a command is killed (SIGKILL) at a random moment, at most the work since the last checkpoint or case "
            "is lost. The same command, for `train` with `--resume`, then continues. In the end, all files have the "
            "same bytes as those of an uninterrupted run, except for the times in them (same machine, one thread). "
            "Measured on four small hearts, with a network of full width."
        ),
        "command": command,
        "figures": figures,
        "notes": [
            "Only the process was killed, not the machine. Files are synced to disk before they get their final "
            "names, but a power cut was not tested."
        ],
    }


def asked_for() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=200, help="of training, a quarter in a checkpoint's write")
    parser.add_argument("--others", type=int, default=100, help="of each of the other commands")
    parser.add_argument("--only", default="", help="scenes whose name starts so")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--state", type=Path, help="keeps the tallies, a file a scene, and goes on with them")
    parser.add_argument("--write", action="store_true", help="the figures of the page")
    return parser.parse_args()


def main() -> int:
    """Run the campaign; 1 if a promise is broken."""
    asked = asked_for()
    counts = {"train": asked.kills - asked.kills // 4, "train, in a checkpoint": asked.kills // 4}
    tallies: dict[str, Tally] = {}
    with TemporaryDirectory() as place:
        folder, state = Path(place), asked.state or Path(place) / "state"
        state.mkdir(parents=True, exist_ok=True)
        for name, scene in scenes(folder).items():
            if not name.startswith(asked.only):
                continue
            kept = state / f"{name}.json"
            tally = tallies[name] = Tally(**json.loads(kept.read_text())) if kept.exists() else Tally()

            def done(tally: Tally = tally, kept: Path = kept) -> None:
                kept.write_text(json.dumps(vars(tally)))

            trials(scene, counts.get(name, asked.others), folder / "trials", tally, done, asked.seed)
            shutil.rmtree(folder / "trials", ignore_errors=True)
            sys.stdout.write(f"{name}: {json.dumps(vars(tally))}\n")
            sys.stdout.flush()
    if asked.write:
        command = f"python tests/crash/kills.py --kills {asked.kills} --others {asked.others} --write"
        FIGURES.write_text(json.dumps(document(tallies, command), indent=2) + "\n")
    return int(any(tally.broken for tally in tallies.values()))


if __name__ == "__main__":
    sys.exit(main())
