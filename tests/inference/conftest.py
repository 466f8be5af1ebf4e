"""The untrained model that the tests of prediction share."""

from pathlib import Path

import pytest
from untrained import write_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model"))
