"""SIGKILL at random moments: `python tests/crash/kills.py --kills 200`; the trials are those of `trials.py`.

`--write` puts the figures into `docs/reliability/crashes.json`; with `--state FOLDER` a campaign that was cut goes on
where it was.
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from scenes import Scene, scenes
from trials import Tally, trials

FIGURES = Path(__file__).parents[2] / "docs" / "reliability" / "crashes.json"


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
        folder = Path(place)
        state = asked.state or folder / "state"
        state.mkdir(parents=True, exist_ok=True)
        for name, scene in scenes(folder).items():
            if name.startswith(asked.only):
                kept = state / f"{name}.json"
                tallies[name] = campaign(scene, counts.get(name, asked.others), folder / "trials", kept, asked.seed)
    if asked.write:
        command = f"python tests/crash/kills.py --kills {asked.kills} --others {asked.others} --write"
        FIGURES.write_text(json.dumps(document(tallies, command), indent=2) + "\n")
    return int(any(tally.broken for tally in tallies.values()))


def campaign(scene: Scene, kills: int, folder: Path, kept: Path, seed: int) -> Tally:
    """Kill one scene so often; its tally is printed, and stands in `kept` after each trial."""
    tally = Tally(**json.loads(kept.read_text())) if kept.exists() else Tally()
    trials(scene, kills, folder, tally, lambda: kept.write_text(json.dumps(vars(tally))), seed)
    shutil.rmtree(folder, ignore_errors=True)
    sys.stdout.write(f"{scene.name}: {json.dumps(vars(tally))}\n")
    sys.stdout.flush()
    return tally


def document(tallies: dict[str, Tally], command: str) -> dict[str, Any]:
    """The figures for the page."""
    training = {name: tally for name, tally in tallies.items() if name.startswith("train")}
    figures: list[dict[str, Any]] = []

    def add(what: str, promised: str, measured: int) -> None:
        figures.append({"what": what, "promised": promised, "measured": measured})

    add("training: killed and resumed", "200", sum(tally.kills for tally in training.values()))
    add("training: of these within the write of a checkpoint", "50", training["train, in a checkpoint"].inside_a_write)
    add("training: files that differ in the end, weights first", "0", sum(len(t.differing) for t in training.values()))
    for name, tally in tallies.items():
        if name not in training:
            add(f"{name}: killed and run again", "100", tally.kills)
            add(f"{name}: of these within a write", "", tally.inside_a_write)
            add(f"{name}: files that differ in the end", "0", len(tally.differing))
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


if __name__ == "__main__":
    sys.exit(main())
