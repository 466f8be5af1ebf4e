"""A model that is not exactly what its card says is refused."""

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from cardioseg.errors import RefusedError, ResourceError, UsageError
from cardioseg.inference.session import built_in_models, find_model, open_model


@pytest.fixture
def copy(network_folder: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(network_folder, tmp_path / "copy"))


def test_opens_and_runs(network_folder: Path) -> None:
    model = open_model(network_folder, "cpu", threads=1)
    assert model.device == "cpu"
    assert model.logits(np.zeros((2, 1, 32, 48), np.float32)).shape == (2, 2, 32, 48)


@pytest.mark.parametrize("place", [0.001, 0.2, 0.5, 0.99])
def test_one_changed_byte(copy: Path, place: float) -> None:
    path = copy / "model.onnx"
    content = bytearray(path.read_bytes())
    content[int(place * len(content))] ^= 64
    path.write_bytes(content)
    with pytest.raises(RefusedError, match="not the file that its card describes"):
        open_model(copy)


def write_sealed(folder: Path, change: dict[str, object]) -> None:
    """Change a card as somebody would who also knows how it is sealed."""
    from hashlib import sha256

    card = json.loads((folder / "card.json").read_text()) | change
    del card["card_sha256"]
    seal = sha256(json.dumps(card, sort_keys=True).encode()).hexdigest()
    (folder / "card.json").write_text(json.dumps(card | {"card_sha256": seal}))


def test_a_card_that_somebody_edited(copy: Path) -> None:
    path = copy / "card.json"
    path.write_text(json.dumps(json.loads(path.read_text())))
    open_model(copy)  # only laid out in another way
    path.write_text(path.read_text().replace("CC0-1.0", "MIT"))
    with pytest.raises(RefusedError, match="was changed since it was written"):
        open_model(copy)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"labels": ["heart"]}, "not labels of cardioseg"),
        ({"labels": ["lv_cavity", "rv_cavity"]}, "does not take `image` to 3 `logits`"),
        ({"sha256": "0"}, "sha256"),
        ({"colour": "red"}, "colour"),
        ({"card_version": 2}, "card_version"),
        ({"preprocessing": {"intensity": "none"}}, "preprocessing.intensity"),
    ],
)
def test_another_card(copy: Path, change: dict[str, object], complaint: str) -> None:
    write_sealed(copy, change)
    with pytest.raises(RefusedError, match=complaint):
        open_model(copy)


def test_missing_and_damaged_parts(copy: Path) -> None:
    (copy / "card.json").write_text("{")
    with pytest.raises(RefusedError, match="not JSON"):
        open_model(copy)
    (copy / "card.json").unlink()
    with pytest.raises(RefusedError, match="not a model folder"):
        open_model(copy)


def test_missing_model(copy: Path) -> None:
    (copy / "model.onnx").unlink()
    with pytest.raises(RefusedError, match="cannot be read"):
        open_model(copy)


def test_right_hash_of_wrong_bytes(copy: Path) -> None:
    from hashlib import sha256

    (copy / "model.onnx").write_bytes(b"not a graph")
    write_sealed(copy, {"sha256": sha256(b"not a graph").hexdigest()})
    with pytest.raises(RefusedError, match="ONNX Runtime cannot open it"):
        open_model(copy)


def test_devices(network_folder: Path) -> None:
    for name in ("gpu", "cuda:x", "tpu"):
        with pytest.raises(UsageError, match="no device"):
            open_model(network_folder, name)
    import onnxruntime

    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        with pytest.raises(ResourceError, match="no CUDA device"):
            open_model(network_folder, "cuda:0")


def test_built_for_cuda_where_there_is_none(
    network_folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As onnxruntime-gpu does it: it takes the CPU instead and says so in its log alone."""
    import onnxruntime

    real = onnxruntime.InferenceSession
    monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider"])
    monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("Failed to load libcublas"), raising=False)  # noqa: T201
    monkeypatch.setattr(
        onnxruntime, "InferenceSession", lambda *known, **_: real(*known, providers=["CPUExecutionProvider"])
    )
    assert open_model(network_folder, "auto").device == "cpu"
    with pytest.raises(ResourceError, match="no CUDA device"):
        open_model(network_folder, "cuda:0")
    assert capsys.readouterr().out == ""


def test_without_onnxruntime(network_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(UsageError, match="pip install onnxruntime"):
        open_model(network_folder)


def test_find_model(network_folder: Path) -> None:
    assert find_model(str(network_folder)) == network_folder
    assert all(find_model(name) == folder for name, folder in built_in_models().items())
    with pytest.raises(UsageError, match="no model nope"):
        find_model("nope")


def test_shipped_models_open_and_name_their_licence() -> None:
    assert {"sax", "sax_ensemble", "sax_int8", "lv_sunnybrook"} <= set(built_in_models())
    for folder in built_in_models().values():
        card = open_model(folder).card
        assert card.name == folder.name
        assert card.licence
        assert card.metrics
        assert (folder / "README.md").is_file()
