"""Integrity: models and checkpoints damaged by the hundred; how many are accepted.

    python tests/adversarial/integrity.py

writes docs/reliability/integrity.json.
"""

import json
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import torch
from mutants import mutate

from cardioseg.errors import RefusedError
from cardioseg.inference.session import open_model
from cardioseg.training.checkpoint import Checkpoint, load, save

RESULT = Path(__file__).parents[2] / "docs" / "reliability" / "integrity.json"
_COMMAND = "python tests/adversarial/integrity.py"


def model_mutants(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """Damage `model.onnx` and `card.json` by turns; a card that only is laid out in another way is the same card."""
    from thresholds import write_threshold_model

    model = write_threshold_model(folder / "model")
    card = open_model(model, "cpu").card
    originals = {name: (model / name).read_bytes() for name in ("model.onnx", "card.json")}

    def accepted(index: int, rng: Random) -> str:
        name = ("model.onnx", "card.json")[index % 2]
        content = _damaged(originals[name], rng)
        for other, sound in originals.items():
            (model / other).write_bytes(content if other == name else sound)
        return "same" if open_model(model, "cpu").card == card and name == "card.json" else "accepted"

    return _count(accepted, count, seed)


def checkpoint_mutants(folder: Path, count: int, seed: int) -> dict[str, Any]:
    """Damage a checkpoint under its own name."""
    network = {f"layer.{n}": torch.randn(8, 8, generator=torch.Generator().manual_seed(n)) for n in range(8)}
    path = save(folder, Checkpoint(7, network, {"state": {}, "param_groups": [{"lr": 0.1}]}, "identity"))
    sound = path.read_bytes()

    def accepted(_: int, rng: Random) -> str:
        path.write_bytes(_damaged(sound, rng))
        load(path)
        return "accepted"

    return _count(accepted, count, seed)


def _damaged(content: bytes, rng: Random) -> bytes:
    """Damage that does change something."""
    while (damaged := mutate(content, rng)) == content:
        pass
    return damaged


def _count(accepted: Callable[[int, Random], str], count: int, seed: int) -> dict[str, Any]:
    found: Counter[str] = Counter()
    escaped: Counter[str] = Counter()
    start_s = time.process_time()
    for index in range(count):
        try:
            found[accepted(index, Random(f"{seed}-{index}"))] += 1  # noqa: S311 - no secret
        except RefusedError:
            found["refused"] += 1
        except Exception as error:  # noqa: BLE001 - whatever else comes out is what is looked for
            escaped[type(error).__name__] += 1
    seconds = round(time.process_time() - start_s, 1)
    names = ("accepted", "same", "refused")
    return {name: found[name] for name in names} | {"escaped": dict(escaped), "mutants": count, "cpu_s": seconds}


def _figures(kind: str, found: dict[str, Any]) -> list[dict[str, Any]]:
    return [
        {"what": f"damaged {kind}", "measured": found["mutants"]},
        {"what": f"{kind} accepted with other content", "promised": "0", "measured": found["accepted"]},
        {"what": f"{kind} refused with a reason", "measured": found["refused"]},
        {"what": f"{kind} with any other exception", "promised": "0", "measured": sum(found["escaped"].values())},
    ]


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        models = model_mutants(Path(scratch) / "models", 1500, seed=1)
        checkpoints = checkpoint_mutants(Path(scratch) / "checkpoints", 4000, seed=1)
    same = {"what": "cards with another layout but the same content", "measured": models["same"]}
    document = {
        "order": 30,
        "title": "Models and checkpoints",
        "promise": (
            "A model is only opened if its bytes have the SHA-256 that its card gives; the card contains a checksum "
            "of itself. The bytes of a checkpoint are compared with its name before they are read. No part of the "
            "package unpickles, evaluates or runs file contents; a test checks this in the source code."
        ),
        "command": _COMMAND,
        "figures": [*_figures("models", models), same, *_figures("checkpoints", checkpoints)],
        "notes": [
            "Damage is one to four of: flipped bits, random or extreme numbers, cuts, insertions, deletions, "
            "repetitions and moves. The checksums are not signatures: a person who can write the card can also write "
            "a new checksum."
        ],
    }
    RESULT.write_text(json.dumps(document, indent=2) + "\n")


if __name__ == "__main__":
    import sys

    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
