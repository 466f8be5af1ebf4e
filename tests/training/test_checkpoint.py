"""Checkpoints: complete or refused."""

from pathlib import Path

import pytest
import torch

from cardioseg.errors import RefusedError
from cardioseg.training.checkpoint import Checkpoint, load, newest, save, weights_sha256


def checkpoint(step: int, value: float = 1.0) -> Checkpoint:
    return Checkpoint(step, {"w": torch.full((3,), value)}, {"state": {}, "param_groups": []}, "run")


def test_round_trip(tmp_path: Path) -> None:
    path = save(tmp_path, checkpoint(7))
    again = load(path)
    assert (again.step, again.identity) == (7, "run")
    assert torch.equal(again.network["w"], torch.ones(3))


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for step in (100, 200, 1000):
        save(tmp_path, checkpoint(step))
    assert [path.name[:12] for path in sorted(tmp_path.iterdir())] == ["step-0000200", "step-0001000"]


def test_equal_checkpoints_have_equal_names(tmp_path: Path) -> None:
    assert save(tmp_path / "a", checkpoint(1)).name == save(tmp_path / "b", checkpoint(1)).name


@pytest.mark.parametrize("place", [0.0, 0.3, 0.9])
def test_a_changed_byte_is_noticed_and_the_older_one_used(tmp_path: Path, place: float) -> None:
    save(tmp_path, checkpoint(1))
    path = save(tmp_path, checkpoint(2))
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 1
    path.write_bytes(content)
    with pytest.raises(RefusedError, match="do not match"):
        load(path)
    found = newest(tmp_path)
    assert found is not None
    assert found.step == 1


def test_truncated_and_foreign_files(tmp_path: Path) -> None:
    path = save(tmp_path, checkpoint(3))
    path.write_bytes(path.read_bytes()[:-10])
    (tmp_path / "step-latest.pt").write_bytes(b"x")
    assert newest(tmp_path) is None
    with pytest.raises(RefusedError):
        load(tmp_path / "step-latest.pt")


def test_weights_hash_sees_values_and_names() -> None:
    one = {"a": torch.ones(2), "b": torch.zeros(1)}
    assert weights_sha256(one) == weights_sha256(dict(reversed(one.items())))
    assert weights_sha256(one) != weights_sha256({"a": torch.zeros(2), "b": torch.ones(1)})
