"""Trials: a command is started, killed, looked at, run again to its end and compared with an uninterrupted run.

The commands run in forked children of this process, which has imported everything before: so a trial costs the work
itself. The moment is drawn over the processor time that the whole command takes, which does not depend on what else the
machine does (Linux: /proc).
"""

import os
import random
import re
import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from scenes import Scene
from trees import is_whole, tree

from cardioseg.cli.app import run

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


def trials(scene: Scene, kills: int, folder: Path, tally: Tally, done: Callable[[], object], seed: int) -> None:
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
    """Start, kill, look at what was left, run again to the end, and compare with the whole run."""
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
    """Fork a child that runs the scene's command without a word; its process number."""
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
    """The exit code of a child, once it has ended; negative where a signal ended it."""
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
