"""Fixtures that every test may use."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from network_guard import attempts

ROOT = Path(__file__).parents[1]

if "PYTEST_XDIST_WORKER" in os.environ:  # side by side, threads of one process wait for cores that another one holds
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# Where a change is judged, the same examples each time; at the desk, new ones. How long one takes says more about what
# else the machine does than about the code, so time is never a reason to fail.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("desk", unhurried)
settings.register_profile("judged", unhurried, derandomize=True)
settings.load_profile("judged" if os.environ.get("CI") else "desk")


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    attempts.clear()
    yield
    assert attempts == []


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout, where there is one."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data (../shared/data) is not beside the checkout")
    return folder
