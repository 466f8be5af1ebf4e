"""A model or checkpoint that is not, bit for bit, what was written is never used; and no file can run code."""

import ast
from pathlib import Path

import pytest
from integrity import checkpoint_mutants, model_mutants
from onnx import TensorProto, helper
from thresholds import write_threshold_model

from cardioseg.errors import RefusedError
from cardioseg.export.card import read_card, write_card
from cardioseg.inference.session import open_model

SOURCES = sorted((Path(__file__).parents[2] / "cardioseg").rglob("*.py"))
LISTENS = "page_server.py"  # on 127.0.0.1 alone; see the tests of review
FORBIDDEN_MODULES = {"pickle", "dill", "joblib", "marshal", "shelve", "subprocess", "ctypes", "socket", "urllib"}
FORBIDDEN_MODULES |= {"requests", "http", "ftplib", "smtplib", "importlib.util", "runpy", "code", "tarfile"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "os.execv", "breakpoint", "input"}


def test_no_mutant_of_a_model_is_accepted(tmp_path: Path) -> None:
    found = model_mutants(tmp_path, 60, seed=0)
    assert found["accepted"] == 0
    assert found["escaped"] == {}
    assert found["refused"] + found["same"] == 60


def test_no_mutant_of_a_checkpoint_is_accepted(tmp_path: Path) -> None:
    found = checkpoint_mutants(tmp_path, 150, seed=0)
    assert (found["accepted"], found["escaped"], found["refused"]) == (0, {}, 150)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SOURCES[0].parents[1])))
def test_nothing_in_the_package_runs_code_or_reaches_out(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
            for name in names:
                allowed = {"socket"} if path.name == LISTENS else set()
                assert not {name, name.split(".")[0]} & (FORBIDDEN_MODULES - allowed), name
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            assert name not in FORBIDDEN_CALLS
            assert not name.endswith(("extractall", "read_pickle", "unsafe_load"))
            keywords = {keyword.arg: ast.unparse(keyword.value) for keyword in node.keywords}
            assert "shell" not in keywords
            assert keywords.get("allow_pickle", "False") == "False"
            assert keywords.get("weights_only", "True") == "True"
            if name == "torch.load":
                assert keywords.get("weights_only") == "True"


def external(folder: Path, location: str) -> Path:
    """A model whose card is right and whose weights lie in another file."""
    from hashlib import sha256

    write_threshold_model(folder)
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 1, 1, 1])
    weight.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, "offset": "0", "length": "16"}.items():
        entry = weight.external_data.add()
        entry.key, entry.value = key, value
    image = helper.make_tensor_value_info("image", TensorProto.FLOAT, ["n", 1, "h", "w"])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 4, "h", "w"])
    graph = helper.make_graph(
        [helper.make_node("Conv", ["image", "w"], ["logits"])], "g", [image], [logits], initializer=[weight]
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    content = model.SerializeToString()
    (folder / "model.onnx").write_bytes(content)
    write_card(folder, read_card(folder).model_copy(update={"sha256": sha256(content).hexdigest()}))
    return folder


@pytest.mark.parametrize("location", ["weights.bin", "../weights.bin", "/etc/hostname"])
def test_weights_in_another_file_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, location: str) -> None:
    folder = external(tmp_path / "model", location)
    for place in (folder, tmp_path):
        (place / "weights.bin").write_bytes(bytes(16))
    monkeypatch.chdir(folder)  # where ONNX Runtime would look for them
    with pytest.raises(RefusedError, match="keeps weights in another file"):
        open_model(folder, "cpu")


def test_a_model_is_opened_from_the_bytes_that_were_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is put in its place between the check and the opening is not what is opened."""
    folder = write_threshold_model(tmp_path / "model")
    read = Path.read_bytes

    def swap(path: Path) -> bytes:
        content = read(path)
        if path.name == "model.onnx":
            path.write_bytes(b"another model")
        return content

    monkeypatch.setattr(Path, "read_bytes", swap)
    assert open_model(folder, "cpu").card.name == "thresholds"
    monkeypatch.undo()
    with pytest.raises(RefusedError, match="is not the file that its card describes"):
        open_model(folder, "cpu")


def test_what_stands_in_for_a_model(tmp_path: Path) -> None:
    folder = write_threshold_model(tmp_path / "model")
    (folder / "model.onnx").unlink()
    (folder / "model.onnx").mkdir()
    with pytest.raises(RefusedError, match="cannot be read"):
        open_model(folder, "cpu")
    (folder / "model.onnx").rmdir()
    with (folder / "model.onnx").open("wb") as file:
        file.truncate(2 * 1024**3)
    with pytest.raises(RefusedError, match="larger than"):
        open_model(folder, "cpu")
