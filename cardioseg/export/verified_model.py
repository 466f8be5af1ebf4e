"""Verified model: the bytes of `model.onnx`, if they are those that the card describes."""

from hashlib import sha256
from pathlib import Path

from cardioseg.errors import RefusedError, UnusableError
from cardioseg.export.card import MODEL_FILE, Card
from cardioseg.files import require_size_below

_LIMIT_BYTES = 1024**3
_EXTERNAL = b"\n\x08location"  # the key, as protobuf writes it, of where a tensor's bytes are


def read_model(folder: Path, card: Card) -> bytes:
    """The bytes of the model in a folder.

    Args:
        folder: a model folder.
        card: its card.

    Raises:
        RefusedError: the file cannot be read, has other bytes, or keeps weights in another file.
    """
    path = folder / MODEL_FILE
    try:
        require_size_below(path, _LIMIT_BYTES)
        content = path.read_bytes()
    except UnusableError as error:
        raise RefusedError(error.message) from None
    except OSError:
        raise RefusedError(f"{path} cannot be read") from None
    if sha256(content).hexdigest() != card.sha256:
        raise RefusedError(f"{path} is not the file that its card describes", "fetch the model again")
    if _EXTERNAL in content:  # ONNX Runtime would look for it in the current folder, and nothing vouches for it
        raise RefusedError(f"{path} keeps weights in another file")
    return content
