"""A prepared dataset gives back what was put in, to the bit, or says that it is damaged."""

import io
import json
import os
import signal
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from functools import partial
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pytest
from drawing import noise_subject, noise_volume
from hypothesis import given, settings
from hypothesis import strategies as st
from sources import at_hand

from cardioseg.dataset.preparation import Prepared, write_dataset
from cardioseg.dataset.store import Dataset, open_dataset
from cardioseg.errors import NoInputError, UnusableError, UsageError
from cardioseg.execution.in_process import Here
from cardioseg.execution.processes import Processes
from cardioseg.image.labels import Label
from cardioseg.ingest.labels.subject import Source, Subject
from cardioseg.skipped import Skipped

few = settings(max_examples=15, deadline=None, database=None)
MANIFEST = "dataset.json"
PAIR = (noise_subject("b", 1, volumes=2), noise_subject("a", 2))


def ingest(folder: Path, found: Iterable[Subject | Skipped]) -> Dataset:
    passed = list(write_dataset(folder, "a dataset", "pairs", map(at_hand, found)))
    assert [one.record.subject_id for one in passed if isinstance(one, Prepared)] == [
        one.subject_id for one in found if isinstance(one, Subject)
    ]
    return open_dataset(folder)


def described(subject: Subject) -> dict[str, Any]:
    return asdict(replace(subject, skipped=(), counts=()))


def assert_same(read: Subject, written: Subject) -> None:
    np.testing.assert_equal(described(read), described(written))
    for one, other in zip(read.volumes, written.volumes, strict=True):
        assert (one.image.dtype, one.mask.dtype, one.annotated.dtype) == (other.image.dtype, np.uint8, np.bool_)
        assert one.grid == other.grid


def listing(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


volumes = st.builds(
    noise_volume,
    st.integers(0, 2**31),
    st.tuples(*[st.integers(1, 6)] * 3),
    st.none() | st.tuples(*[st.floats(0.1, 12)] * 3),
    st.lists(st.sampled_from(Label), max_size=4).map(tuple),
    st.sampled_from(["u1", "i2", "u2", "f4", "f8"]),
)
hostile_ids = st.sampled_from(["..", "/", "../../a", "con", "a/b", "a\\b", "é", "\udce9", "-x", ".hidden", "a\n"])
subject_ids = hostile_ids | st.text(min_size=1, max_size=20)


@few
@given(st.dictionaries(subject_ids, st.lists(volumes, min_size=1, max_size=3), min_size=1, max_size=4))
def test_what_is_written_is_read(written: dict[str, list[Any]]) -> None:
    found = {subject_id: Subject(subject_id, tuple(parts), "group") for subject_id, parts in written.items()}
    with TemporaryDirectory() as parent:
        folder = Path(parent) / "deep" / "dataset"
        try:
            dataset = ingest(folder, list(found.values()))
        except UsageError:  # ids that differ in nothing but letter case
            assert len({subject_id.lower() for subject_id in found}) < len(found)
            return
        assert dataset.subject_ids == tuple(sorted(found))
        for read in dataset.subjects():
            assert_same(read, found[read.subject_id])
        files = {path for path in Path(parent).rglob("*") if path.is_file()}
        assert len(files) == len(found) + 1
        assert all(path.parent in (folder, folder / "subjects") for path in files)


def test_the_manifest_describes_what_there_is(tmp_path: Path) -> None:
    skipped = Skipped("c/scan.dcm", "no contours")
    dataset = ingest(tmp_path, [PAIR[0], skipped, replace(PAIR[1], skipped=(Skipped("a/x", "empty"),))])
    assert dataset.name == "a dataset"
    assert dataset.manifest.layout == "pairs"
    assert dataset.manifest.skipped == (Skipped("a/x", "empty"), skipped)
    volume = dataset.manifest.subjects[0].volumes[0]
    assert volume.labels == (Label.RV_CAVITY, Label.LV_MYOCARDIUM, Label.LV_CAVITY)
    assert (volume.shape, volume.annotated_slices, volume.spacing_mm) == ((3, 12, 10), 2, (8.0, 1.5, 1.25))


def test_the_manifest_is_written_as_ever(tmp_path: Path) -> None:
    """Training runs know their dataset by the hash of these bytes."""
    ingest(tmp_path, [PAIR[1]])
    stored = json.loads((tmp_path / MANIFEST).read_text())
    assert list(stored) == ["format", "version", "cardioseg", "name", "layout", "subjects", "skipped"]
    [subject] = stored["subjects"]
    assert list(subject) == ["subject_id", "group", "file", "sha256", "volumes"]
    [volume], written = subject["volumes"], PAIR[1].volumes[0]
    grid = asdict(written.grid) if written.grid else {}
    assert json.dumps(volume["grid"]) == json.dumps({key: grid[key] for key in grid if key != "axes_flag"})
    expected = {
        "name": written.name, "shape": [3, 12, 10], "spacing_mm": [8.0, 1.5, 1.25], "phase": written.phase,
        "labels": ["rv_cavity", "lv_myocardium", "lv_cavity"], "annotated_slices": 2,
        "case_ids": list(written.case_ids), "sources": list(written.sources), "grid": volume["grid"],
    }  # fmt: skip
    assert json.dumps(volume) == json.dumps(expected)


def test_a_manifest_of_the_first_version_is_read(tmp_path: Path) -> None:
    """It had no patients, no remark, and no geometry but the volumes'."""
    ingest(tmp_path, PAIR)
    change_manifest(tmp_path, lambda manifest: [manifest.pop(key) for key in ("cardioseg", "layout", "skipped")])
    dataset = open_dataset(tmp_path)
    assert dataset.patient_of == {"a": "a", "b": "b"}
    assert_same(dataset.subject("a"), PAIR[1])


def test_numpy_alone_can_read_it(tmp_path: Path) -> None:
    ingest(tmp_path, PAIR)
    manifest = json.loads((tmp_path / MANIFEST).read_text("ascii"))
    for record, subject in zip(manifest["subjects"], PAIR[::-1], strict=True):
        content = (tmp_path / record["file"]).read_bytes()
        assert sha256(content).hexdigest() == record["sha256"]
        arrays = np.load(io.BytesIO(content), allow_pickle=False)
        assert len(arrays.files) == 3 * len(record["volumes"])
        for i, volume in enumerate(subject.volumes):
            np.testing.assert_array_equal(arrays[f"image_{i}"], volume.image)
            np.testing.assert_array_equal(arrays[f"mask_{i}"], volume.mask)
            np.testing.assert_array_equal(arrays[f"annotated_{i}"], volume.annotated)


def test_the_same_source_gives_the_same_bytes(tmp_path: Path) -> None:
    for folder in ("one", "other", "one"):
        ingest(tmp_path / folder, PAIR)
    assert listing(tmp_path / "one") == listing(tmp_path / "other")


def test_the_order_of_the_source_does_not_matter(tmp_path: Path) -> None:
    ingest(tmp_path / "one", PAIR)
    ingest(tmp_path / "other", PAIR[::-1])
    assert listing(tmp_path / "one") == listing(tmp_path / "other")


def test_a_subject_that_is_gone_is_removed_and_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "subjects").mkdir()
    (tmp_path / "subjects" / "mine.npz").write_bytes(b"somebody's own")
    ingest(tmp_path, PAIR)
    (tmp_path / "notes.txt").write_text("keep")
    assert ingest(tmp_path, PAIR[:1]).subject_ids == ("b",)
    assert set(listing(tmp_path)) == {MANIFEST, "notes.txt", "subjects/b.npz", "subjects/mine.npz"}


def test_a_hostile_manifest_makes_us_remove_nothing_elsewhere(tmp_path: Path) -> None:
    (tmp_path / "precious.npz").write_bytes(b"precious")
    ingest(tmp_path / "dataset", PAIR)
    change_manifest(tmp_path / "dataset", lambda manifest: manifest["subjects"][0].update(file="../precious.npz"))
    ingest(tmp_path / "dataset", PAIR)
    assert (tmp_path / "precious.npz").read_bytes() == b"precious"


def test_without_a_subject_the_dataset_stays_as_it_was(tmp_path: Path) -> None:
    ingest(tmp_path, PAIR)
    before = listing(tmp_path)
    with pytest.raises(NoInputError, match="no labelled subject was found"):
        list(write_dataset(tmp_path, "x", "pairs", []))
    with pytest.raises(NoInputError, match=r"subject can be used: a: no such file \(and 1 more that cannot be used\)"):
        list(write_dataset(tmp_path, "x", "pairs", map(at_hand, [Skipped("a", "no such file"), Subject("empty", ())])))
    assert listing(tmp_path) == before


@pytest.mark.parametrize("other", ["a", "A"])
def test_a_subject_may_come_once(tmp_path: Path, other: str) -> None:
    twice = [noise_subject("a", 1), noise_subject(other, 2)]
    with pytest.raises(UsageError, match=f"subject {other} is in the sources twice"):
        list(write_dataset(tmp_path, "x", "pairs", map(at_hand, twice)))
    assert not (tmp_path / MANIFEST).exists()


def test_two_ids_never_share_a_file(tmp_path: Path) -> None:
    hashed = f"a_b-{sha256(b'a b').hexdigest()[:8]}"  # how the file of `a b` is called
    with pytest.raises(UsageError, match="twice"):
        list(write_dataset(tmp_path, "x", "pairs", map(at_hand, [noise_subject("a b"), noise_subject(hashed)])))


def test_an_interrupted_ingest_leaves_no_dataset(tmp_path: Path) -> None:
    def interrupted() -> Iterable[Subject]:
        yield PAIR[0]
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        list(write_dataset(tmp_path, "x", "pairs", map(at_hand, interrupted())))
    with pytest.raises(NoInputError, match="is not a prepared dataset"):
        open_dataset(tmp_path)
    ingest(tmp_path, PAIR)
    assert set(listing(tmp_path)) == {MANIFEST, "subjects/a.npz", "subjects/b.npz"}


def killed() -> Subject:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def test_two_processes_write_what_one_writes(tmp_path: Path) -> None:
    found = [Source(name, name, partial(noise_subject, name, seed)) for seed, name in enumerate("cab")]
    skipped = Skipped("d", "a row without a name")
    for folder, executor in (("one", Here()), ("two", Processes(2))):
        list(write_dataset(tmp_path / folder, "x", "pairs", [skipped, *found], executor))
    assert listing(tmp_path / "one") == listing(tmp_path / "two")


def test_a_process_that_is_killed_takes_its_subject_alone(tmp_path: Path) -> None:
    found = [Source("a", "a", partial(noise_subject, "a", 1)), Source("b", "b", killed)]
    list(write_dataset(tmp_path, "x", "pairs", found, Processes(2, retries=0)))
    assert open_dataset(tmp_path).subject_ids == ("a",)
    assert open_dataset(tmp_path).manifest.skipped == (
        Skipped("b", "the process that worked on it was killed by signal 9"),
    )


def change_manifest(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / MANIFEST).read_bytes())
    change(manifest)
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.mark.parametrize("place", ["missing", ".", "file"])
def test_what_is_no_dataset(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(NoInputError, match="is not a prepared dataset") as caught:
        open_dataset(tmp_path / place)
    assert "cardioseg ingest" in caught.value.hint


@pytest.mark.parametrize("content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"nul"])
def test_a_manifest_that_is_no_json_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(UnusableError, match=r"dataset\.json is damaged$|dataset\.json is damaged \("):
        open_dataset(tmp_path)


@pytest.mark.parametrize("content", ["[]", "null", "3", "{}", '{"format": "cardioseg-dataset", "version": 2}'])
def test_a_manifest_of_something_else_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(UnusableError, match="is not a version 1 dataset"):
        open_dataset(tmp_path)


def test_a_manifest_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / MANIFEST).mkdir()
    with pytest.raises(UnusableError, match=r"dataset\.json cannot be read: is a directory"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("key", ["subject_id", "group", "file", "sha256", "volumes"])
@pytest.mark.parametrize("wrong", [None, 3, {}])
def test_a_record_that_lacks_something_is_refused(tmp_path: Path, key: str, wrong: object) -> None:
    ingest(tmp_path, PAIR)
    change_manifest(tmp_path, lambda manifest: manifest["subjects"][1].update({key: wrong}))
    with pytest.raises(UnusableError, match=r"dataset\.json is damaged"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("wrong", [{"subjects": None}, {"subjects": [3]}, {"subjects": {}}, {"name": None}])
def test_a_manifest_that_lacks_something_is_refused(tmp_path: Path, wrong: dict[str, object]) -> None:
    ingest(tmp_path, PAIR)
    change_manifest(tmp_path, lambda manifest: manifest.update(wrong))
    with pytest.raises(UnusableError, match=r"dataset\.json is damaged"):
        open_dataset(tmp_path)


@pytest.mark.parametrize("file", ["/etc/passwd", "../a.npz", "subjects/../../a.npz", "subjects/x/a.npz", "a.npz", ""])
def test_a_file_elsewhere_is_refused(tmp_path: Path, file: str) -> None:
    ingest(tmp_path, PAIR)
    change_manifest(tmp_path, lambda manifest: manifest["subjects"][1].update(file=file))
    with pytest.raises(UnusableError, match=r"dataset\.json is damaged"):
        open_dataset(tmp_path)


@few
@given(st.integers(0, 2**32), st.integers(1, 255), st.booleans())
def test_a_damaged_subject_is_refused_and_the_others_are_read(position: int, change: int, cut: bool) -> None:
    with TemporaryDirectory() as folder:
        dataset, path = ingest(Path(folder), PAIR), Path(folder) / "subjects" / "a.npz"
        content = bytearray(path.read_bytes())
        content[position % len(content)] ^= change
        path.write_bytes(content[: position % len(content)] if cut else content)
        with pytest.raises(UnusableError, match=r"a\.npz is not what the dataset says"):
            dataset.subject("a")
        assert_same(dataset.subject("b"), PAIR[0])
        path.unlink()
        with pytest.raises(UnusableError, match=r"a\.npz cannot be read"):
            dataset.subject("a")


def replace_arrays(folder: Path, content: bytes) -> None:
    (folder / "subjects" / "a.npz").write_bytes(content)
    digest = sha256(content).hexdigest()
    change_manifest(folder, lambda manifest: manifest["subjects"][0].update(sha256=digest))


@pytest.mark.parametrize("wrong", ["pickle", "missing", "shape", "no zip", "empty", "cut", "npy"])
def test_arrays_that_do_not_fit_are_refused(tmp_path: Path, wrong: str) -> None:
    ingest(tmp_path, PAIR)
    stream, volume = io.BytesIO(), PAIR[1].volumes[0]
    arrays: dict[str, Any] = {"image_0": volume.image, "mask_0": volume.mask, "annotated_0": volume.annotated}
    arrays |= {"pickle": {"image_0": np.array([{}])}, "shape": {"mask_0": volume.mask[1:]}}.get(wrong, {})
    if wrong == "missing":
        del arrays["annotated_0"]
    np.savez_compressed(stream, **arrays)
    whole = stream.getvalue()
    npy = io.BytesIO()
    np.save(npy, volume.image)
    contents = {"no zip": b"rubbish", "empty": b"", "cut": whole[:-30], "npy": npy.getvalue()}
    replace_arrays(tmp_path, contents.get(wrong, whole))
    with pytest.raises(UnusableError, match=r"a\.npz is damaged"):
        open_dataset(tmp_path).subject("a")


@pytest.mark.parametrize(
    "wrong",
    [
        {"spacing_mm": [1]}, {"spacing_mm": [1, 1, 0]}, {"spacing_mm": ...}, {"grid": {"shape": 1}}, {"grid": 3},
        {"sources": None}, {"case_ids": 3}, {"name": ...}, {"labels": ...}, {"labels": ["lv"]},
        {"labels": ["background"]}, {"annotated_slices": ...}, {"annotated_slices": "some"}, {"annotated_slices": -1},
    ],
)  # fmt: skip
def test_volumes_that_lack_something_are_refused_with_their_place(tmp_path: Path, wrong: dict[str, Any]) -> None:
    def change(manifest: dict[str, Any]) -> None:
        volume = manifest["subjects"][0]["volumes"][0]
        volume.update({key: value for key, value in wrong.items() if value is not ...})
        for key in (key for key, value in wrong.items() if value is ...):
            del volume[key]

    ingest(tmp_path, PAIR)
    change_manifest(tmp_path, change)
    with pytest.raises(
        UnusableError, match=rf"dataset\.json is damaged at subjects\.0\.volumes\.0\.{next(iter(wrong))}"
    ):
        open_dataset(tmp_path)


@pytest.mark.parametrize("volume", [3, None, "ed"])
def test_a_volume_that_is_no_record_is_refused(tmp_path: Path, volume: object) -> None:
    ingest(tmp_path, PAIR)
    change_manifest(tmp_path, lambda manifest: manifest["subjects"][0].update(volumes=[volume]))
    with pytest.raises(UnusableError, match=r"dataset\.json is damaged at subjects\.0\.volumes\.0"):
        open_dataset(tmp_path)


def test_an_unknown_subject_is_named(tmp_path: Path) -> None:
    with pytest.raises(UnusableError, match="no subject c"):
        ingest(tmp_path, PAIR).subject("c")
