"""Session: a model folder, verified and opened. The only importer of ONNX Runtime for prediction."""

import io
import re
from contextlib import redirect_stdout
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cardioseg.errors import RefusedError, ResourceError, UsageError
from cardioseg.execution.executor import cores
from cardioseg.export.card import MODEL_FILE, Card, read_card
from cardioseg.export.verified_model import read_model
from cardioseg.image.preprocessing import Floats
from cardioseg.memory import reserve_for_products

_CPU, _FATAL = "CPUExecutionProvider", 4
_BATCH_SLICES = 64
_CPU_PIXELS, _GPU_PIXELS = 2**15, 2**20  # of a batch
_OUT_OF_MEMORY = re.compile(r"(?i)out of memory|failed to allocate|alloc_failed|bad_alloc")  # ONNX Runtime has no type
_sessions: dict[tuple[str, str], Any] = {}  # of models that other processes sent: SHA-256 and device -> ONNX Runtime's


@dataclass(frozen=True)
class Model:
    """A verified model, ready to run. To another process go its bytes, which are opened once there.

    Attributes:
        card: what it is.
        session: ONNX Runtime's.
        device: where it runs.
        runtime: ONNX Runtime's version.
        workers: batches that it runs at the same time.
        folder: that it was read from.
    """

    card: Card
    session: Any
    device: str
    runtime: str
    workers: int = 1
    folder: Path = Path()

    def __reduce__(self) -> tuple[Any, ...]:
        return _opened_elsewhere, (
            read_model(self.folder, self.card),
            self.card,
            self.folder,
            self.device,
            self.workers,
        )

    def batch_slices(self, pixels: int) -> int:
        """How many images of so many pixels make a batch: on a CPU, few enough for its caches."""
        return max(1, min(_BATCH_SLICES, (_CPU_PIXELS if self.device == "cpu" else _GPU_PIXELS) // pixels))

    def logits(self, images: Floats) -> Floats:
        """Logits [n, c, h, w] of prepared images [n, 1, h, w]."""
        result: Floats = self._run(["logits"], images)[0]
        return result

    def votes(self, images: Floats) -> tuple[Floats, NDArray[np.uint8]]:
        """The same, and the class [n, members, h, w] that each member chooses; none where the model is one network."""
        logits, *labels = self._run(None, images)
        n, _, h, w = logits.shape
        return logits, labels[0] if labels else np.zeros((n, 0, h, w), np.uint8)

    def _run(self, outputs: list[str] | None, images: Floats) -> list[Any]:
        """The outputs for a batch; where the memory does not suffice, of its halves.

        Raises:
            MemoryError: it does not suffice for one image.
        """
        try:
            return list(self.session.run(outputs, {"image": images}))
        except Exception as error:
            if not _OUT_OF_MEMORY.search(str(error)):
                raise
            if len(images) == 1:
                raise MemoryError from None
        halves = [self._run(outputs, half) for half in np.array_split(images, 2)]
        return [np.concatenate(parts) for parts in zip(*halves, strict=True)]


def built_in_models() -> dict[str, Path]:
    """The models that come with cardioseg: name -> folder."""
    package = Path(__file__).parents[1]
    roots = (package / "models", package.parent / "models")  # installed from a wheel; run from a checkout
    folders = (path.parent for root in roots for path in sorted(root.glob("*/card.json")))
    return {folder.name: folder for folder in folders}


def find_model(name_or_folder: str) -> Path:
    """The folder of a built-in model by name, or of the reader's own by path.

    Raises:
        UsageError: there is neither.
    """
    if name_or_folder in (models := built_in_models()):
        return models[name_or_folder]
    if not Path(name_or_folder).is_dir():
        names = ", ".join(models) or "none"
        raise UsageError(f"no model {name_or_folder}", f"built in: {names}; or give a folder that `export` wrote")
    return Path(name_or_folder)


def open_model(folder: Path, device: str = "auto", threads: int = 0) -> Model:
    """Verify a model folder against its card and open it.

    Args:
        folder: holds `model.onnx` and `card.json`.
        device: `auto`, `cpu`, `cuda` or `cuda:N`.
        threads: of the CPU; 0 for as many as this process may use.

    Raises:
        RefusedError: the bytes are not those of the card, or no graph that it describes.
        MemoryError: there is none to be had.
        ResourceError: the device is not there.
        UsageError: ONNX Runtime is not installed, or there is no such device name.
    """
    card = read_card(folder)
    reserve_for_products()
    workers = threads or cores()
    session, used = _open(read_model(folder, card), folder, device)
    (image,), outputs = session.get_inputs(), {output.name: output.shape[1] for output in session.get_outputs()}
    if image.name != "image" or outputs.pop("logits", None) != len(card.labels) + 1:
        raise RefusedError(f"{folder / MODEL_FILE} does not take `image` to {len(card.labels) + 1} `logits`")
    return Model(card, session, used, _onnxruntime().__version__, workers if used == "cpu" else 1, folder)


def _opened_elsewhere(content: bytes, card: Card, folder: Path, device: str, workers: int) -> Model:
    """A model in a process that was sent its bytes: opened at the first time, whatever comes after."""
    if sha256(content).hexdigest() != card.sha256:
        raise RefusedError("the model was damaged on its way to a worker", "start again")
    key = card.sha256, device
    if key not in _sessions:
        _sessions[key] = _open(content, folder, device)[0]
    return Model(card, _sessions[key], device, _onnxruntime().__version__, workers, folder)


def _open(content: bytes, folder: Path, device: str) -> tuple[Any, str]:
    """A session that works in the thread that asks it: threads of its own would wait for one another at every step."""
    runtime = _onnxruntime()
    options = runtime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    provider, settings = _provider(device, runtime.get_available_providers())
    _quiet_and_ready(runtime, provider)
    try:
        session = runtime.InferenceSession(content, options, providers=[(provider, settings)], enable_fallback=0)
    except Exception as error:  # noqa: BLE001 - ONNX Runtime raises a dozen types of its own
        if _OUT_OF_MEMORY.search(str(error)):
            raise ResourceError(f"out of memory while {folder / MODEL_FILE} was opened") from None
        raise RefusedError(f"{folder / MODEL_FILE}: ONNX Runtime cannot open it: {type(error).__name__}") from None
    if provider in session.get_providers():
        return session, "cpu" if provider == _CPU else f"cuda:{settings['device_id']}"
    if device != "auto":  # it was built for CUDA, and there is none: then it runs on the CPU, and only its log says so
        raise ResourceError("ONNX Runtime finds no CUDA device that it can use", "--device cpu")
    return session, "cpu"


def _quiet_and_ready(runtime: Any, provider: str) -> None:  # noqa: ANN401 - it is untyped
    """Keep ONNX Runtime's log off stderr, and let it find the CUDA libraries that came with PyTorch."""
    runtime.set_default_logger_severity(_FATAL)
    if provider != _CPU and hasattr(runtime, "preload_dlls"):
        with redirect_stdout(io.StringIO()):  # it prints what it does not find
            runtime.preload_dlls()


def _provider(device: str, available: list[str]) -> tuple[str, dict[str, int]]:
    kind, _, number = device.partition(":")
    has_cuda = "CUDAExecutionProvider" in available
    if device == "cpu" or (device == "auto" and not has_cuda):
        return _CPU, {}
    if kind not in ("auto", "cuda") or (number and not number.isdigit()):
        raise UsageError(f"no device {device}", "auto, cpu, cuda or cuda:N")
    if not has_cuda:
        raise ResourceError(
            "ONNX Runtime finds no CUDA device", "pip install onnxruntime-gpu in place of onnxruntime, or --device cpu"
        )
    return "CUDAExecutionProvider", {"device_id": int(number or 0)}


def _onnxruntime() -> Any:  # noqa: ANN401 - it is untyped
    try:
        import onnxruntime  # noqa: PLC0415 - an extra
    except ModuleNotFoundError:
        raise UsageError(
            "ONNX Runtime is not installed", "pip install onnxruntime, or onnxruntime-gpu for an NVIDIA GPU"
        ) from None
    return onnxruntime
