"""Writes are whole or not at all, whatever goes wrong; names are harmless, whatever they were."""

import csv
import errno
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NoReturn
from unicodedata import category, normalize

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from cardioseg.errors import ExitCode, ResourceError, UnusableError
from cardioseg.files import (
    atomic_path,
    require_size_below,
    safe_name,
    sha256,
    sole_writer,
    sweep_partials,
    unique_names,
    write_bytes,
    write_csv,
    write_json,
    write_text,
)
from cardioseg.locks import is_being_written, turn
from cardioseg.results.folder import ResultsFolder

few = settings(max_examples=25, deadline=None, database=None)
HOSTILE = (
    "",
    ".",
    "..",
    "../../etc/passwd",
    "/",
    "\\",
    "con",
    "CON.txt",
    "Nul",
    "a:b",
    "a\0b",
    "a\nb",
    " ",
    "-rf",
    "~",
)
any_name = st.sampled_from(HOSTILE) | st.text(max_size=110) | st.binary(max_size=110).map(os.fsdecode)


def listing(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def interrupted_write(path: Path, kind: type[BaseException], begun: bool) -> None:
    with atomic_path(path) as partial:
        assert (partial.parent, partial.suffix) == (path.parent, path.suffix)
        if begun:
            partial.write_bytes(b"half")
        raise kind


def failing(code: int) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise OSError(code, os.strerror(code))

    return fail


@few
@given(st.binary(max_size=1000), st.binary(max_size=1000))
def test_a_write_replaces_the_whole_file(before: bytes, after: bytes) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "new folder" / "file.bin"
        write_bytes(path, before)
        write_bytes(path, after)
        assert listing(path.parent) == {"file.bin": after}


@few
@given(st.sampled_from([ValueError, KeyboardInterrupt, SystemExit, MemoryError, GeneratorExit]), st.booleans())
def test_an_exception_leaves_the_previous_file_and_nothing_else(kind: type[BaseException], begun: bool) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "file.bin"
        write_bytes(path, b"previous")
        with pytest.raises(kind):
            interrupted_write(path, kind, begun)
        assert listing(path.parent) == {"file.bin": b"previous"}


@pytest.mark.parametrize("moment", ["mkdir", "write_bytes", "open", "replace"])
@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (errno.ENOSPC, "no space left on the device"),
        (errno.EDQUOT, "disk quota exceeded"),
        (errno.EROFS, "read-only file system"),
        (errno.EACCES, "permission denied"),
        (errno.EIO, "input/output error"),
    ],
)
def test_a_refusing_file_system(tmp_path: Path, monkeypatch: Any, moment: str, code: int, reason: str) -> None:
    path = tmp_path / "file.bin"
    write_bytes(path, b"previous")
    with monkeypatch.context() as patch:
        patch.setattr(Path, moment, failing(code))
        with pytest.raises(ResourceError) as caught:
            write_bytes(path, b"new")
    assert str(caught.value) == f"cannot write {path}: {reason}"
    assert caught.value.exit_code == ExitCode.RESOURCES
    assert listing(tmp_path) == {"file.bin": b"previous"}


def test_a_failing_sync_publishes_nothing(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / "file").write_bytes(b"previous")
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(ResourceError, match="input/output error"):
        write_text(tmp_path / "file", "new")
    assert listing(tmp_path) == {"file": b"previous"}


def test_a_folder_that_cannot_be_synced_does_not_fail_the_write(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(os, "open", failing(errno.EACCES))  # as where folders cannot be opened
    write_text(tmp_path / "file", "new")
    assert listing(tmp_path) == {"file": b"new"}


def test_an_error_without_a_number_is_quoted(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="file: broken stream"), atomic_path(tmp_path / "file"):
        raise OSError("Broken stream")
    assert listing(tmp_path) == {}


def test_what_cannot_be_written_to(tmp_path: Path) -> None:
    write_text(tmp_path / "file", "previous")
    (tmp_path / "folder").mkdir()
    for refused in (tmp_path / "file" / "below", tmp_path / "folder", tmp_path / ("n" * 300)):
        with pytest.raises(ResourceError, match=r"^cannot write [^\n]+$"):
            write_text(refused, "new")
    assert listing(tmp_path / "folder") == {}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "folder"]


def test_a_writer_that_writes_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ResourceError, match="no such file"), atomic_path(tmp_path / "file"):
        pass


def test_not_a_number_is_no_json_and_keeps_the_file(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"è": [1, None]})
    for refused in (float("nan"), float("inf"), object()):
        with pytest.raises((ValueError, TypeError)):
            write_json(tmp_path / "a.json", {"x": refused})
    assert json.loads((tmp_path / "a.json").read_bytes()) == {"è": [1, None]}


def test_a_name_that_is_no_text_can_be_written(tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    write_text(tmp_path / "a.txt", name)
    write_csv(tmp_path / "a.csv", ["source"], [{"source": name}])
    write_json(tmp_path / "a.json", name)
    assert (tmp_path / "a.txt").read_text("utf-8") == r"caf\udce9"
    assert (tmp_path / "a.csv").read_text("utf-8") == "source\ncaf\\udce9\n"
    assert json.loads((tmp_path / "a.json").read_bytes()) == name


cells = st.none() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from('",;\r\n\t='))


@few
@given(st.lists(st.fixed_dictionaries({"a": cells}, optional={"b,": cells}), max_size=5))
@example([{"a": "Icon\r", "b,": "x"}])
def test_csv_is_read_back(rows: list[dict[str, str | int | None]]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        write_csv(path, ("a", "b,"), rows)
        with path.open(newline="", encoding="utf-8") as file:
            read = list(csv.DictReader(file))
    expected = [
        {key: "" if row.get(key) is None else str(row[key]).replace("\r", " ") for key in ("a", "b,")} for row in rows
    ]
    assert read == expected


def test_csv_refuses_a_value_without_a_column(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="extra"):
        write_csv(tmp_path / "a.csv", ["a"], [{"a": 1, "extra": 2}])
    assert listing(tmp_path) == {}


def test_sha256_is_of_the_bytes(tmp_path: Path) -> None:
    write_bytes(tmp_path / "abc", b"abc")
    assert sha256(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"


def test_a_size_is_allowed_up_to_its_limit(tmp_path: Path) -> None:
    write_bytes(tmp_path / "file", bytes(2_000_001))
    require_size_below(tmp_path / "file", 2_000_001)
    with pytest.raises(UnusableError, match="file: larger than 2 MB"):
        require_size_below(tmp_path / "file", 2_000_000)


@few
@given(any_name)
def test_a_safe_name_is_one_harmless_component(name: str) -> None:
    safe = safe_name(name)
    assert all(sign in "._-" or category(sign)[0] in "LMN" for sign in safe)  # letters, marks on them, digits
    assert 0 < len(safe.encode()) <= 105
    assert safe[0] not in ".-"
    assert safe[-1] not in ".-_"
    assert safe.split(".")[0].lower() not in {"con", "prn", "aux", "nul", *(f"com{i}" for i in range(10))}
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    "name",
    [
        "SCD0000101",
        "parts-1",
        "run",
        "report",
        "case.json",
        "measures.csv.old",
        "patient001",
        "a.b-c_d",
        "SC-HF-I-1",
        "x" * 100,
        "Müller",
        "Αλέξης",
        "Иван-2",
        "山田太郎",
        "किरण",
    ],
)
def test_a_harmless_name_stays(name: str) -> None:
    assert safe_name(name) == name


def test_no_case_has_a_name_that_a_folder_of_results_needs(tmp_path: Path) -> None:
    folder = ResultsFolder(tmp_path)
    properties = [name for name, member in vars(ResultsFolder).items() if isinstance(member, property)]
    paths = [getattr(folder, name) for name in properties]
    own = [path.name for path in paths if path.parent == tmp_path]
    assert {"parts", "run.json", "status.csv", "report.html"} <= set(own)
    for name in own:
        for shown in (name, name.upper()):
            assert safe_name(shown).lower() not in map(str.lower, own)
    assert safe_name("parts") == "case-parts"


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        (normalize("NFD", "Müller 1"), "Müller_1"),
        ("a / b", "a_b"),
        ("O'Brien, \u202eJohn", "O_Brien_John"),
        ("M\udcfcller", "M_ller"),  # a byte that is no UTF-8
        ("com²", "case-com²"),
        ("山" * 60, "山" * 33),  # 100 bytes
    ],
)
def test_only_what_file_systems_do_not_allow_is_replaced(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@few
@given(st.lists(any_name | st.sampled_from(["a", "A", "a-2", "a-3"]), max_size=12))
def test_unique_names_differ_even_without_case(names: list[str]) -> None:
    unique = unique_names(names)
    assert len({name.lower() for name in unique}) == len(names)
    assert all(name.startswith(safe_name(given)) for name, given in zip(unique, names, strict=True))
    assert unique_names(unique) == unique
    assert unique == [safe_name(name) for name in names] or len({safe_name(name).lower() for name in names}) < len(
        names
    )


def test_clashes_are_counted() -> None:
    assert unique_names(["a", "b", "A", "a", "a-2", ""]) == ["a", "b", "A-2", "a-3", "a-2-2", "case"]


def test_what_a_killed_writer_leaves_is_swept(tmp_path: Path) -> None:
    killed = (
        "import os, pathlib, sys\nfrom cardioseg.files import atomic_path\n"
        "with atomic_path(pathlib.Path(sys.argv[1])) as partial:\n"
        "    partial.write_bytes(b'half')\n    os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", killed, tmp_path / "deep" / "file"], check=False).returncode == -9
    assert len(listing(tmp_path / "deep")) == 1
    assert sweep_partials(tmp_path) == 1
    assert listing(tmp_path / "deep") == {}


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only /proc tells")
def test_a_writer_that_nobody_waits_for_is_dead(tmp_path: Path) -> None:
    """In a container, often for ever: the first process there reaps nobody."""
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        while Path(f"/proc/{ended.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
            pass
        (tmp_path / f".{ended.pid}-00000000.partial.a").touch()
        assert sweep_partials(tmp_path) == 1


def test_an_earlier_process_of_the_same_number_is_dead(tmp_path: Path) -> None:
    with atomic_path(tmp_path / "file") as partial:
        partial.write_bytes(b"under way")
        earlier = partial.with_name(partial.name.replace(str(os.getpid()), f"{os.getpid()}-0", 1))
        earlier.write_bytes(b"from the container's last run")
        assert sweep_partials(tmp_path) == 1
        assert listing(tmp_path) == {partial.name: b"under way"}


@few
@given(st.sampled_from(["{}", ".{}", "x.{}.partial.y", ".{}-00000000.partial", ".²{}.partial.x", ".x{}.partial.y"]))
def test_what_is_not_ours_is_not_swept(pattern: str) -> None:
    with TemporaryDirectory() as folder:
        dead = 2**22 + 1  # above Linux's largest process number
        (Path(folder) / pattern.format(dead)).touch()
        (Path(folder) / f".{dead}-00000000.partial.folder").mkdir()
        (Path(folder) / f".{os.getppid()}-00000000.partial.alive").touch()
        (Path(folder) / f".{10**30}-00000000.partial.beyond").touch()
        assert sweep_partials(Path(folder)) == 0
        assert len(list(Path(folder).iterdir())) == 4


def test_sweeping_survives_what_it_may_not_remove(tmp_path: Path, monkeypatch: Any) -> None:
    (tmp_path / f".{2**22 + 1}-00000000.partial.a").touch()
    with monkeypatch.context() as patch:
        patch.setattr(Path, "unlink", failing(errno.EROFS))
        assert sweep_partials(tmp_path) == 0
    assert sweep_partials(tmp_path) == 1
    assert sweep_partials(tmp_path / "missing") == 0


def test_who_writes_alone_starts_without_leavings(tmp_path: Path) -> None:
    leaving = f".{2**22 + 1}-00000000.partial.a"
    (tmp_path / "case").mkdir()
    for folder in (tmp_path, tmp_path / "case"):
        (folder / leaving).touch()
    with sole_writer(tmp_path, is_part=True):  # it may be another machine's
        assert (tmp_path / leaving).exists()
    with sole_writer(tmp_path), atomic_path(tmp_path / "file") as partial:
        assert not (tmp_path / leaving).exists()
        assert (tmp_path / "case" / leaving).exists()  # whoever writes there removes it
        partial.touch()
        with sole_writer(tmp_path / "other"):
            pass
    assert (tmp_path / "file").exists()


def test_a_folder_is_held_and_let_go(tmp_path: Path) -> None:
    out = tmp_path / "new" / "out"
    with sole_writer(out):
        with pytest.raises(ResourceError, match=f"another run is writing into {out}") as caught, sole_writer(out):
            pass
        write_text(out / "file", "first")
    assert "another folder" in caught.value.hint
    with sole_writer(out):
        pass
    assert listing(out) == {"file": b"first"}


def test_a_folder_that_nothing_was_written_into_is_not_left_behind(tmp_path: Path) -> None:
    with sole_writer(tmp_path), sole_writer(tmp_path / "not" / "yet" / "there"):
        pass
    assert not list(tmp_path.iterdir())


def test_a_killed_run_holds_nothing(tmp_path: Path) -> None:
    program = "import sys, time; from pathlib import Path; from cardioseg.files import sole_writer\n"
    program += "with sole_writer(Path(sys.argv[1])): print('held', flush=True); time.sleep(60)"
    command = [sys.executable, "-c", program, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "held\n"
        with pytest.raises(ResourceError, match="another run"), sole_writer(tmp_path):
            pass
        process.kill()
        process.wait()
    assert (tmp_path / ".lock").exists()
    with sole_writer(tmp_path):
        pass
    assert not list(tmp_path.iterdir())


def test_a_lock_that_its_holder_removes_while_we_open_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, real = [], os.open

    def open_then_lose(path: Path, *more: int) -> int:
        descriptor = real(path, *more)
        if not opened:
            path.unlink()
        opened.append(descriptor)
        return descriptor

    monkeypatch.setattr(os, "open", open_then_lose)
    with sole_writer(tmp_path):
        assert (tmp_path / ".lock").exists()
    assert len(opened) == 2


def test_a_file_system_without_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fcntl.flock", failing(errno.ENOLCK))
    with sole_writer(tmp_path):
        write_text(tmp_path / "file", "new")
    assert listing(tmp_path) == {"file": b"new"}


def test_windows_is_refused_before_anything_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "win32")
    for writing in (
        sole_writer(tmp_path / "out"),
        sole_writer(tmp_path / "out", is_part=True),
        turn(tmp_path / "name"),
    ):
        with pytest.raises(ResourceError, match="cannot write on Windows") as caught, writing:
            pass
        assert "Docker" in caught.value.hint
    assert not is_being_written(tmp_path / "out")
    assert not list(tmp_path.iterdir())


def test_the_locks_import_where_there_is_no_fcntl() -> None:
    program = "import sys; sys.platform = 'win32'; sys.modules['fcntl'] = None; import cardioseg.locks"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("code", [errno.EROFS, errno.EACCES])
def test_a_folder_that_cannot_be_written(tmp_path: Path, code: int, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the way")
    with (
        pytest.raises(ResourceError, match=r"cannot write into .*out: not a directory"),
        sole_writer(tmp_path / "file" / "out"),
    ):
        pass
    monkeypatch.setattr(os, "open", failing(code))
    reason = os.strerror(code).lower()
    with pytest.raises(ResourceError, match=f"cannot write into {tmp_path}: {reason}"), sole_writer(tmp_path):
        pass


def test_a_lock_that_points_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ResourceError, match="cannot write into"), sole_writer(tmp_path / "out"):
        pass
    assert not (tmp_path / "elsewhere").exists()
