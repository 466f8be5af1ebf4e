"""Fixtures that every test may use."""

import gc
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from chromium import Chromium, chromium
from hypothesis import HealthCheck, settings
from network_guard import attempts

ROOT = Path(__file__).parents[1]

if "PYTEST_XDIST_WORKER" in os.environ:  # side by side, threads of one process wait for cores that another one holds
    os.environ.setdefault("OMP_NUM_THREADS", "1")

# What tests write is made durable file by file, as it is for users; in memory that takes no time.
MEMORY, ROOM_BYTES = Path("/dev/shm"), 4 * 2**30  # noqa: S108 - pytest makes a folder of its own in it
if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ROOM_BYTES:
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))

# Else each of a hundred processes that tests start would compile the package again.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Where a change is judged, the same examples each time; at the desk, new ones. How long one takes says more about what
# else the machine does than about the code, so time is never a reason to fail.
unhurried = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("desk", unhurried)
settings.register_profile("judged", unhurried, derandomize=True)
settings.load_profile("judged" if os.environ.get("CI") else "desk")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One process more than cores: a sixth of the time, a test waits for a disk, a browser or another process."""
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """All that is imported stays: the garbage collector need not look at its million objects again and again."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _no_network() -> Iterator[None]:
    attempts.clear()
    yield
    assert attempts == []


@pytest.fixture(autouse=True)
def _threads_as_before() -> Iterator[None]:
    """`--threads` is the whole process's: the tests after one that asks for more would wait for cores."""
    before = _torch_threads() or int(os.environ.get("OMP_NUM_THREADS", "0"))
    yield
    if before and _torch_threads() not in (0, before):
        sys.modules["torch"].set_num_threads(before)


def _torch_threads() -> int:
    """Threads that torch uses; 0 where nobody has imported it."""
    return int(sys.modules["torch"].get_num_threads()) if "torch" in sys.modules else 0


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """A browser with one page, which tests open anew."""
    with chromium(tmp_path_factory.mktemp("profile")) as started:
        yield started


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data beside the checkout, where there is one."""
    folder = ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the real data (../shared/data) is not beside the checkout")
    return folder


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that takes thresholds, for all that is around a network."""
    from thresholds import write_threshold_model  # it imports onnx

    return write_threshold_model(tmp_path_factory.mktemp("model"), ["lv_cavity"])
