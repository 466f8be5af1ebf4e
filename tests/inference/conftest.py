"""The model that the tests of inference share."""

from pathlib import Path

import pytest
from untrained import write_model


@pytest.fixture(scope="session")
def network_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained U-Net."""
    return write_model(tmp_path_factory.mktemp("network"))
