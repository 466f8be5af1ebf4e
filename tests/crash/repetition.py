"""The same bits again: `python tests/crash/repetition.py`; `--write` puts the figures on the page.

A training run twice; the paper's jobs in one process and in two; a mask in batches of one, of three and of eight, of
real slices in another order.
"""

import argparse
import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from cardioseg.cases.case_search import find_cases
from cardioseg.cli.app import run
from cardioseg.image.preprocessing import Floats, prepare
from cardioseg.inference.session import Model, find_model, open_model

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
FIGURES = ROOT / "docs" / "reliability" / "determinism.json"


def trainings(folder: Path) -> dict[str, bool]:
    """Whether two runs of the same command wrote the same bytes."""
    from scenes import scenes
    from trees import tree

    known = scenes(folder)
    trees = []
    for turn in range(2):
        assert run(known["train"].again(folder / f"run-{turn}")) == 0
        trees.append(tree(folder / f"run-{turn}"))
    return {"train: all files of two runs": trees[0] == trees[1]}


def workers(folder: Path) -> dict[str, bool]:
    """Whether jobs and cases come out the same in this process and in several."""
    from scenes import scenes
    from trees import tree

    known, same = scenes(folder), {}
    for name, options in (("reproduce", ["--threads"]), ("predict", ["--overwrite", "--threads"])):
        trees = []
        for count in (1, 2, 3):
            command = known[name].again(folder / f"{name}-{count}")
            assert run([*command, *options, str(count), "--workers", str(count)]) == 0
            trees.append(tree(folder / f"{name}-{count}"))
        same[f"{name}: all files with 1, 2 and 3 processes"] = trees[0] == trees[1] == trees[2]
    return same


def batches(model: Model, count: int) -> dict[str, float]:
    """Label changes and the largest difference of a logit between batches of one and others."""
    slices = pixels = changes = 0
    largest = 0.0
    for images in _prepared(model, count):
        alone = np.concatenate([model.votes(images[i : i + 1, None])[0] for i in range(len(images))])
        order = np.random.default_rng(slices).permutation(len(images))
        for size in (3, 8):
            parts = [order[start : start + size] for start in range(0, len(order), size)]
            together = np.empty_like(alone)
            for part in parts:
                together[part] = model.votes(images[part, None])[0]
            changes += int((together.argmax(1) != alone.argmax(1)).sum())
            largest = max(largest, float(np.abs(together - alone).max()))
        slices += len(images)
        pixels += alone[:, 0].size
    return {"slices": slices, "pixels": pixels, "changes": changes, "largest": largest}


def _prepared(model: Model, count: int) -> "list[Floats]":
    """Prepared slices of real cases, a few of each until there are so many."""
    found, parts, total = find_cases([DATA / "acdc" / "training", DATA / "sunnybrook"]), [], 0
    for case in found.cases:
        if total >= count:
            break
        cine = case.read()
        slices = cine.voxels.reshape(-1, *cine.grid.shape[1:])[: min(200, count - total)]
        parts.append(prepare(slices, cine.grid.pixel_mm, model.card.preprocessing)[0])
        total += len(slices)
    return parts


def document(found: dict[str, Any], model: str) -> dict[str, Any]:
    """The figures for the page."""
    figures = [{"what": what, "promised": "equal", "measured": "equal" if same else "different"}
               for what, same in found.items() if isinstance(same, bool)]  # fmt: skip
    figures += [
        {
            "what": f"slices segmented by {model} one by one and in shuffled batches of 3 and 8",
            "measured": found["slices"],
        },
        {"what": "pixels of these slices", "measured": found["pixels"]},
        {"what": "labels that changed", "promised": "0", "measured": found["changes"]},
        {"what": "largest difference between logits", "promised": "<= 1e-4", "measured": f"{found['largest']:.1e}"},
    ]
    return {
        "order": 25,
        "title": "The same bits again",
        "promise": (
            "The same command with the same seed on the same machine gives the same bytes, however many jobs run at "
            "the same time. The result for a slice does not depend on the other slices in its batch."
        ),
        "command": "OMP_NUM_THREADS=1 python tests/crash/repetition.py --write",
        "figures": figures,
        "notes": [
            "The bits are the same only with the same number of threads in each process (`OMP_NUM_THREADS`, "
            "`--threads`), because another number of threads rounds sums differently. A run may be resumed with "
            "another number of threads; its weights are then as good, but not the same bits. Other processors and "
            "GPUs were not measured."
        ],
    }


def main() -> int:
    """Run it; 1 if a promise is broken."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--slices", type=int, default=2000)
    parser.add_argument("--model", default="sax")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    found: dict[str, Any] = {}
    for part in (trainings, workers):
        with TemporaryDirectory() as folder:
            found |= part(Path(folder))
    found |= batches(open_model(find_model(asked.model), "cpu", 1), asked.slices)
    sys.stdout.write(json.dumps(found) + "\n")
    if asked.write:
        FIGURES.write_text(json.dumps(document(found, asked.model), indent=2) + "\n")
    broken = [same for same in found.values() if same is False]
    return int(bool(broken or found["changes"] or found["largest"] > 1e-4))


if __name__ == "__main__":
    sys.exit(main())
