"""SIGINT and SIGTERM at random moments: `python tests/crash/interruptions.py --write` puts the figures on the page.

Commands run in forked children of this process, each in a session of its own, so that what it leaves running is found
(Linux: /proc). Those with `--workers 2`, which start processes themselves, are started anew, and signalled both alone,
as `kill` does, and with their workers, as a terminal does.
"""

import argparse
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scenes import Scene, scenes
from trials import worked_s

from cardioseg.cli.app import main as cardioseg

FIGURES = Path(__file__).parents[2] / "docs" / "reliability" / "signals.json"
CODES = {signal.SIGINT: 130, signal.SIGTERM: 143}
LIMIT_S = 10
_START_S = 0.05  # of processor time, until the command has its handlers
Send = Callable[[int, int], None]


@dataclass(frozen=True)
class Ending:
    """How a command ended.

    Attributes:
        scene: which.
        code: exit code.
        promised: of its signal.
        seconds: from the signal to its end.
        left_running: processes of its session after that.
        half_written: files that are no result.
        said: on stderr.
    """

    scene: str
    code: int
    promised: int
    seconds: float
    left_running: int
    half_written: int
    said: str

    @property
    def is_clean(self) -> bool:
        """Whether it is what was promised."""
        in_time = self.seconds <= LIMIT_S and self.code == self.promised
        return in_time and not self.left_running and not self.half_written and "Traceback" not in self.said


def interrupted(scene: Scene, out: Path, number: int, after_s: float, send: Send, start: Callable[..., int]) -> Ending:
    """Start a command, send it a signal after it and its workers have worked so long, and wait for its end."""
    errors = out.with_suffix(".err")
    child = start(scene.again(out), errors)
    while worked_s(child) >= 0 and sum(_of_session(child)) < after_s:
        time.sleep(0.002)
    send(child, number)
    begun = time.perf_counter()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    seconds = time.perf_counter() - begun
    code = code if code >= 0 else 128 - code  # as a shell counts it: while Python starts and ends, no handler is there
    time.sleep(0.5 if start is anew else 0.0)  # a child that was told to go may be going
    half = sum(".partial." in path.name for path in out.rglob("*"))
    return Ending(scene.name, code, CODES[number], seconds, len(_of_session(child)), half, errors.read_text())  # type: ignore[index]


def forked(arguments: list[str], errors: Path) -> int:
    """Start a command in a child that has all imports done; its process id."""
    if child := os.fork():
        return child
    _leave(errors)
    sys.argv[1:] = arguments
    try:
        cardioseg()
    except SystemExit as ended:
        os._exit(int(ended.code or 0))
    finally:
        os._exit(1)


def anew(arguments: list[str], errors: Path) -> int:
    """Start a command as a shell does; its process id."""
    child = os.fork()
    if not child:
        _leave(errors)
        os.execv(sys.executable, [sys.executable, "-m", "cardioseg", *arguments])  # noqa: S606
    return child


def _leave(errors: Path) -> None:
    """Into a session of its own, that says nothing here."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_CREAT), 2)


def _of_session(session: int) -> list[float]:
    """The processes of a session: how long each has worked, in seconds."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, *fields = path.read_text().rpartition(") ")[2].split()
        except OSError:
            continue
        if int(fields[2]) == session and state != "Z":
            found.append((int(fields[10]) + int(fields[11])) / os.sysconf("SC_CLK_TCK"))
    return found


def endings(folder: Path, moments: int, only: str = "", seed: int = 0) -> list[Ending]:
    """Every command with both signals at so many moments of its first seconds of work."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where a shell starts this in the background
    rng, found = random.Random(seed), []  # noqa: S311 - no secret
    known = {name: scene for name, scene in scenes(folder).items() if not scene.moment}
    ways: list[tuple[Scene, Send, Callable[..., int], float, float]] = [
        (scene, os.kill, forked, _START_S, 0.5) for scene in known.values()
    ]
    for name in ("reproduce", "predict"):
        many = Scene(f"{name} --workers 2", partial(_with_two, known[name].again))
        ways += [(many, send, anew, 1.0, 3.0) for send in (os.kill, os.killpg)]
    for scene, send, start, first_s, last_s in ways:
        turns = moments if start is forked else max(1, moments // 5)  # each starts three processes with PyTorch
        for turn in range(turns if scene.name.startswith(only) else 0):
            for number in CODES:
                out = folder / f"out-{len(found)}-{turn}"
                found.append(interrupted(scene, out, number, rng.uniform(first_s, last_s), send, start))
                sys.stdout.write(json.dumps(asdict(found[-1])) + "\n")
                sys.stdout.flush()
    return found


def _with_two(again: Callable[[Path], list[str]], out: Path) -> list[str]:
    return [*again(out), "--workers", "2", "--threads", "2"]


def document(found: list[Ending]) -> dict[str, Any]:
    """The figures for the page."""
    names = list(dict.fromkeys(one.scene for one in found))
    figures: list[dict[str, Any]] = []
    for name in names:
        its = [one for one in found if one.scene == name]
        as_promised = sum(one.is_clean for one in its)
        figures.append(
            {"what": f"{name}: interrupted, ended as promised", "promised": len(its), "measured": as_promised}
        )
    slowest = round(max(one.seconds for one in found), 1)
    figures += [
        {"what": "longest from a signal to the end", "promised": f"<= {LIMIT_S} s", "measured": slowest, "unit": "s"},
        {"what": "processes left running", "promised": "0", "measured": sum(one.left_running for one in found)},
        {"what": "half-written files left", "promised": "0", "measured": sum(one.half_written for one in found)},
        {"what": "tracebacks", "promised": "0", "measured": sum("Traceback" in one.said for one in found)},
    ]
    return {
        "order": 21,
        "title": "Interrupted",
        "promise": (
            "Ctrl-C (SIGINT) ends a command with exit code 130, SIGTERM with 143, within ten seconds. No process "
            "keeps running, no half-written file remains, and the same command continues later. The signals were sent"
            " at random moments, half of them SIGINT and half SIGTERM. For a command with workers, they were sent to "
            "it alone, or to it and its workers."
        ),
        "command": "python tests/crash/interruptions.py --write",
        "figures": figures,
        "notes": [
            "The longest time is that of `reproduce --workers 2`, because Python needs a second of processor time to "
            "unload PyTorch. It was measured on a machine that was training at the same time."
        ],
    }


def main() -> int:
    """Interrupt everything; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--moments", type=int, default=10)
    parser.add_argument("--only", default="", help="commands whose name starts so")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        found = endings(Path(folder), asked.moments, asked.only)
    if asked.write:
        FIGURES.write_text(json.dumps(document(found), indent=2) + "\n")
    return int(not all(one.is_clean for one in found))


if __name__ == "__main__":
    sys.exit(main())
