"""The images: what the Dockerfile may not say, and, where an engine answers, the real thing under the strictest flags.

`PIP_INDEX_URL`, `PIP_EXTRA_INDEX_URL` and `PIP_FIND_LINKS` of the environment are passed on to the build.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
STRICT = [  # of docker run
    "--read-only", "--tmpfs", "/tmp", "--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges",  # noqa: S108
    "--user", "12345:12345",
]  # fmt: skip
SETTINGS = ("PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS")


def docker(*arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["docker", *arguments], capture_output=True, text=True, check=check)


def build(target: str) -> str:
    """Build an image; its name."""
    given = [part for name in SETTINGS if name in os.environ for part in ("--build-arg", f"{name}={os.environ[name]}")]
    name = f"cardioseg:{target}-test"
    docker("build", "--network", "host", "--target", target, "-t", name, *given, str(ROOT))
    return name


def stage(name: str) -> str:
    """The instructions of a stage."""
    return re.split(rf"(?m)^FROM \S+ AS {name}$", DOCKERFILE)[1].split("\nFROM ")[0]


@pytest.mark.parametrize("name", ["serve", "full"])
def test_nobody_runs_as_root_and_nothing_is_built_where_it_runs(name: str) -> None:
    assert re.search(r"(?m)^USER [1-9]\d*:[1-9]\d*$", stage("runtime"))
    assert 'ENTRYPOINT ["cardioseg"]' in stage("runtime")
    assert stage(name).strip() == f"COPY --from={name}-builder /opt/cardioseg /opt/cardioseg"
    assert re.search(rf"(?m)^FROM runtime AS {name}$", DOCKERFILE)


def test_the_full_image_is_the_default() -> None:
    assert re.findall(r"(?m)^FROM \S+ AS (\S+)$", DOCKERFILE)[-1] == "full"
    assert "torch" not in stage("serve-builder").replace("PyTorch", "")
    assert "'.[cpu]'" in stage("serve-builder")
    assert "'.[gpu,train]'" in stage("full-builder")


def test_every_package_is_pinned_and_from_wherever_pip_is_told() -> None:
    assert DOCKERFILE.count("pip install") == DOCKERFILE.count("-c constraints.txt") == 2
    assert "://" not in DOCKERFILE
    assert re.findall(r"(?m)^FROM (\S+) AS base$", DOCKERFILE) == ["debian:bookworm-slim"]


def test_the_context_is_what_the_package_is_made_of() -> None:
    first, *allowed = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in ("#", "")]
    assert first == "*"
    kept = {line[1:] for line in allowed if line.startswith("!")}
    assert kept == {"cardioseg", "models", "pyproject.toml", "constraints.txt", "README.md", "LICENSE"}


@pytest.fixture(scope="session")
def engine() -> None:
    if not shutil.which("docker") or docker("info", check=False).returncode:
        pytest.skip("no Docker engine answers")


@pytest.fixture(scope="session")
def serve(engine: None) -> str:
    return build("serve")


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    """A folder that the stranger in the container may write into."""
    folder = tmp_path / "out"
    folder.mkdir()
    folder.chmod(0o777)
    tmp_path.chmod(0o755)
    return folder


def run(image: str, out: Path, arguments: Sequence[str], *mounts: str) -> "subprocess.CompletedProcess[str]":
    volumes = [part for mount in (f"{out}:/out", *mounts) for part in ("-v", mount)]
    return docker("run", "--rm", *STRICT, *volumes, image, *arguments, check=False)


@pytest.mark.slow
def test_the_serving_image_has_no_torch_and_no_compiler(serve: str) -> None:
    look = "python3 -c 'import torch' 2>&1; command -v gcc cc pip; id -u"
    seen = docker("run", "--rm", *STRICT, "--entrypoint", "sh", serve, "-c", look, check=False).stdout
    assert "No module named 'torch'" in seen
    assert seen.splitlines()[-1] == "12345"
    assert not re.search(r"/(gcc|cc|pip)$", seen, re.MULTILINE)


@pytest.mark.slow
def test_demo_under_the_strictest_flags(serve: str, shared: Path) -> None:
    done = run(serve, shared, ["demo", "-o", "/out/demo"])
    assert done.returncode == 0, done.stderr
    assert not re.search(r"(?i)warn|traceback|cannot|denied", done.stderr)
    assert (shared / "demo" / "results" / "report.html").is_file()
    assert {path.stat().st_uid for path in shared.rglob("*")} == {12345}


@pytest.mark.slow
def test_real_studies_under_the_strictest_flags(serve: str, shared: Path, shared_data: Path) -> None:
    scans = shared_data / "sunnybrook" / "SCD_IMAGES_01"
    done = run(serve, shared, ["predict", "/scans", "-o", "/out/real"], f"{scans}:/scans:ro")
    assert done.returncode == 0, done.stderr
    assert len(list((shared / "real").glob("*/mask.nii.gz"))) == 3


@pytest.mark.slow
def test_where_nothing_may_be_written(serve: str, tmp_path: Path) -> None:
    """One line and exit code 6, not a traceback."""
    tmp_path.chmod(0o755)
    done = docker("run", "--rm", *STRICT, "-v", f"{tmp_path}:/out", serve, "demo", "-o", "/out/demo", check=False)
    assert done.returncode == 6
    assert "permission denied" in done.stderr
    assert "Traceback" not in done.stderr
