"""The models that the tests of prediction share."""

from pathlib import Path

import pytest
from thresholds import write_threshold_model
from untrained import write_model


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For all that is around a network."""
    return write_threshold_model(tmp_path_factory.mktemp("model"), ["lv_cavity"])


@pytest.fixture(scope="session")
def network_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An untrained U-Net."""
    return write_model(tmp_path_factory.mktemp("network"))
