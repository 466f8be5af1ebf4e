from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
from only_subject import subject, why
from read_subjects import read_layout
from skimage.io import imsave

from cardioseg.cli.app import run
from cardioseg.errors import NoInputError, UsageError
from cardioseg.image.labels import CONVENTIONS, Label
from cardioseg.image.nifti import write_cine, write_volume
from cardioseg.image.volume import Cine, Grid, Volume
from cardioseg.ingest.labels import layouts
from cardioseg.ingest.labels.layouts import pairs
from cardioseg.ingest.labels.structures import Meaning
from cardioseg.ingest.labels.subject import Subject
from cardioseg.skipped import Skipped

RNG = np.random.default_rng(3)
Png = Callable[..., str]


@pytest.fixture
def png(tmp_path: Path) -> Png:
    """png(name, pixels): write a picture and return its name."""

    def write(name: str, pixels: np.ndarray | None = None) -> str:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        picture = RNG.integers(0, 255, (8, 9), dtype=np.uint8) if pixels is None else pixels
        imsave(tmp_path / name, picture, check_contrast=False)
        return name

    return write


def table(root: Path, header: str, *rows: str) -> Path:
    (root / "slices.csv").write_text("\ufeff" + "\n".join([header, *rows, ""]))
    return root


@pytest.mark.parametrize("decimals", ["", ".0"])  # which spreadsheets add
def test_slices_of_a_phase_are_one_volume_in_order_of_instance(tmp_path: Path, png: Png, decimals: str) -> None:
    inside = np.zeros((8, 9), np.uint8)
    inside[2:5, 3:6] = 255
    mask = png("m.png", inside)
    rows = [
        f"a,DCM,{n}{decimals},{phase},{png(f'a/{n}.png', np.full((8, 9), n, np.uint8))},{mask}" for n, phase in ORDER
    ]
    table(tmp_path, "subject,group,instance,phase,image,lv_mask", *rows)
    assert layouts.detect(tmp_path) is pairs
    one = subject(tmp_path)
    assert (one.subject_id, one.group, one.skipped) == ("a", "DCM", ())
    volumes = {volume.name: volume for volume in one.volumes}
    assert volumes["ed"].image[:, 0, 0].tolist() == [9, 10, 100]
    assert volumes["es"].image[:, 0, 0].tolist() == [2, 30]
    ed = volumes["ed"]
    assert ((ed.mask == Label.LV_CAVITY) == (inside > 0)).all()
    assert ed.annotated.all(axis=0).tolist() == [True, False, False, True]
    assert (ed.spacing_mm, ed.grid, ed.phase) == (None, None, None)
    assert ed.sources == ("a/9.png", "a/10.png", "a/100.png")
    assert {"a", "a/9"} <= set(ed.case_ids)


def test_of_numbered_phases_the_largest_is_ed_and_the_smallest_is_es(tmp_path: Path) -> None:
    grid = Grid((2, 8, 9), (8.0, 2.0, 2.0))
    write_cine(tmp_path / "p1.nii.gz", Cine(np.zeros((8, 2, 8, 9), np.uint8), grid, tuple(40.0 * n for n in range(8))))
    for phase, width in ((1, 3), (4, 2), (6, 5)):
        mask = np.zeros(grid.shape, np.uint8)
        mask[:, 2:4, 2 : 2 + width] = Label.LV_CAVITY
        write_volume(tmp_path / f"{phase}.nii.gz", Volume(mask, grid))
    table(tmp_path, "subject,image,lv_mask,phase", *(f"p1,p1.nii.gz,{phase}.nii.gz,{phase}" for phase in (1, 4, 6)))
    named = {volume.name: volume.phase for volume in subject(tmp_path).volumes}
    assert named == {"1": 1, "es": 4, "ed": 6}


def test_ed_and_es_are_not_taken_from_two_cines(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two visits of a person: the larger heart is not the other one's end-diastole."""
    grid = Grid((2, 8, 9), (8.0, 2.0, 2.0))
    for name, widths in {"visit1": (6, 5), "visit2": (3, 2)}.items():
        mask = np.zeros((3, *grid.shape), np.uint8)
        for phase, width in zip((0, 2), widths, strict=True):
            mask[phase, :, 2:4, 2 : 2 + width] = Label.LV_CAVITY
            mask[phase, :, 5:7, 2:8] = Label.LV_MYOCARDIUM
        write_cine(tmp_path / f"{name}.nii.gz", Cine(np.zeros_like(mask), grid, (0.0, 300.0, 600.0)))
        write_cine(tmp_path / f"{name}_seg.nii.gz", Cine(mask, grid))
    rows = {name: f"{name}.nii.gz,{name}_seg.nii.gz" for name in ("visit1", "visit2")}
    table(tmp_path, "subject,image,mask", *(f"A,{row}" for row in rows.values()), f"B,{rows['visit2']}")
    both, single = read_layout(tmp_path)
    assert isinstance(both, Subject)
    assert isinstance(single, Subject)
    assert [volume.name for volume in both.volumes] == [
        f"visit{n}_phase{phase:02d}" for n in (1, 2) for phase in (0, 2)
    ]
    assert both.unknown_moments.startswith("its 4 volumes are of 2 scans")
    assert not any("A" in volume.case_ids for volume in both.volumes)
    assert [(volume.name, volume.phase) for volume in single.volumes] == [("ed", 0), ("es", 2)]
    assert single.unknown_moments == ""
    assert run(["ingest", str(tmp_path), "-o", str(tmp_path / "dataset")]) == 0
    assert "remark: A: its 4 volumes are of 2 scans: none is called ED or ES" in capsys.readouterr().err


@pytest.mark.parametrize("phases", [("0", "11"), ("Diastole", "systole"), ("end_diastole", "end systole")])
def test_phases_of_3d_images(tmp_path: Path, phases: tuple[str, str]) -> None:
    grid = Grid((2, 8, 9), (8.0, 2.0, 2.0))
    for name, width in (("x", 5), ("y", 2)):
        mask = np.zeros(grid.shape, np.uint8)
        mask[:, 2:4, 2 : 2 + width] = 1
        write_volume(tmp_path / f"{name}.nii.gz", Volume(mask, grid))
    rows = (f"a,{name}.nii.gz,{name}.nii.gz,{phase}" for name, phase in zip("xy", phases, strict=True))
    table(tmp_path, "subject,image,lv_mask,phase", *rows)
    assert [volume.name for volume in subject(tmp_path).volumes] == ["ed", "es"]


def test_a_prediction_may_have_the_name_of_the_image_unless_several_have_it(tmp_path: Path) -> None:
    volume = Volume(np.full((2, 8, 9), 3, np.uint8), Grid((2, 8, 9), (8.0, 2.0, 2.0)))
    for name in ("p1/x_ED", "p1/x_ES", "p1/scan", "p2/scan"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        write_volume(tmp_path / f"{name}.nii.gz", volume)
    rows = (f"{name[:2]},{name}.nii.gz,{name}.nii.gz" for name in ("p1/x_ED", "p1/x_ES", "p1/scan", "p2/scan"))
    table(tmp_path, "subject,image,lv_mask", *rows)
    one, two = read_layout(tmp_path)
    assert isinstance(one, Subject)
    assert isinstance(two, Subject)
    assert [volume.case_ids[1:] for volume in one.volumes] == [("p1/x_ED", "x_ED"), ("p1/x_ES", "x_ES"), ("p1/scan",)]
    assert two.volumes[0].case_ids == ("p2", "p2/scan")


ORDER = ((10, "ED"), (2, "ES"), (9, "ED"), (30, "ES"), (100, "ED"))


def test_masks_of_several_structures_and_numbers(tmp_path: Path, png: Png) -> None:
    disc, ring, side = (np.zeros((8, 9), np.uint8) for _ in range(3))
    ring[1:7, 1:7], disc[3:5, 3:5], side[:, 8] = 1, 1, 1
    numbers = ring * 2 + side
    numbers[3:5, 3:5] = 3
    masks = [png(f"{k}.png", mask) for k, mask in enumerate((disc, ring, side, numbers))]
    row = f"{png('x.png')},{masks[0]},{masks[1]},{masks[2]},"
    table(tmp_path, "subject,image,lv_mask,myo_mask,rv_mask,mask", f"a,{row}", f"b,{png('y.png')},,,,{masks[3]}")
    for entry in read_layout(tmp_path):
        assert isinstance(entry, Subject)
        (volume,) = entry.volumes
        assert volume.name == "slices"
        np.testing.assert_array_equal(volume.mask[0], numbers)
        assert volume.annotated.all()


def test_pictures_of_several_sizes_are_volumes_of_their_own(tmp_path: Path, png: Png) -> None:
    rows = []
    for name, side in (("x", 5), ("y", 6), ("z", 6)):
        picture = png(f"{name}.png", np.ones((side, side), np.uint16))
        rows.append(f"a,ED,{picture},{png(f'{name}_m.png', np.ones((side, side), np.uint8))}")
    table(tmp_path, "subject,phase,image,lv_mask", *rows)
    assert [(volume.name, volume.image.shape) for volume in subject(tmp_path).volumes] == [
        ("x", (1, 5, 5)),
        ("y", (1, 6, 6)),
        ("z", (1, 6, 6)),
    ]


def test_a_nifti_keeps_its_grid(tmp_path: Path) -> None:
    grid = Grid((3, 8, 9), (8.0, 1.5, 1.5), (1.0, 2.0, 3.0))
    mask = RNG.integers(0, 4, grid.shape, dtype=np.uint8)
    write_volume(tmp_path / "x.nii.gz", Volume(np.ones(grid.shape, np.int16), grid))
    write_volume(tmp_path / "y.nii.gz", Volume(mask, grid))
    table(tmp_path, "subject,image,mask", "a,x.nii.gz,y.nii.gz")
    (volume,) = subject(tmp_path).volumes
    assert volume.grid is not None
    assert volume.grid.matches(grid)
    assert volume.sources == ("x.nii.gz",) * 3
    np.testing.assert_array_equal(volume.mask, mask)


def test_a_mask_on_another_grid_is_refused(tmp_path: Path) -> None:
    for name, origin in (("x", (0.0, 0.0, 0.0)), ("y", (0.0, 4.0, 0.0))):
        grid = Grid((3, 8, 9), (8.0, 1.5, 1.5), origin)
        write_volume(tmp_path / f"{name}.nii.gz", Volume(np.ones(grid.shape, np.uint8), grid))
    table(tmp_path, "subject,image,lv_mask", "a,x.nii.gz,y.nii.gz")
    assert "y.nii.gz: the mask is not on the grid of the image: its " in why(tmp_path)


def test_a_mask_with_its_axes_in_another_order_is_aligned(tmp_path: Path) -> None:
    """As `nibabel.as_closest_canonical` stores it: the same voxels at the same places."""
    grid = Grid((3, 8, 9), (8.0, 1.5, 1.4), (1.0, 2.0, 3.0))
    mask = RNG.integers(0, 4, grid.shape, dtype=np.uint8)
    write_volume(tmp_path / "x.nii.gz", Volume(np.ones(grid.shape, np.int16), grid))
    turned = Volume(
        np.ascontiguousarray(mask.transpose(0, 2, 1)[:, ::-1]), grid.turned((0, 2, 1), (False, True, False))
    )
    write_volume(tmp_path / "y.nii.gz", turned)
    table(tmp_path, "subject,image,mask", "a,x.nii.gz,y.nii.gz")
    (volume,) = subject(tmp_path).volumes
    np.testing.assert_array_equal(volume.mask, mask)
    write_volume(tmp_path / "y.nii.gz", Volume(mask[:2], Grid((2, 8, 9), (8.0, 1.5, 1.4), (1.0, 2.0, 3.0))))
    assert "y.nii.gz: the mask has 2 slices of 8 x 9 pixels, the image 3 slices of 8 x 9 pixels" in why(tmp_path)


@pytest.mark.parametrize("number", [1, 3, 255])
def test_masks_that_hold_a_single_number_do_not_say_what_it_is(tmp_path: Path, png: Png, number: int) -> None:
    """A binary mask of the LV must not become the RV, which is number 1 in ACDC."""
    disc = np.zeros((8, 9), np.uint8)
    disc[2:5, 3:6] = number
    masks = [png("m.png", disc), png("empty.png", disc * 0), png("n.png", disc)]
    rows = [f"{name},{png(f'{name}.png')},{mask}" for name, mask in zip("abc", masks, strict=True)]
    table(tmp_path, "subject,image,mask", *rows)
    with pytest.raises(UsageError, match=f"all masks in the column `mask` hold only the number {number}") as error:
        read_layout(tmp_path)
    assert "name the column lv_mask, rv_mask or myo_mask" in error.value.hint
    if number == 1:
        first, *_ = read_layout(tmp_path, meaning=Meaning(CONVENTIONS["mnms"]))
        assert isinstance(first, Subject)
        assert (first.volumes[0].mask == Label.LV_CAVITY).sum() == 9
        png("n.png", np.where(disc, 2, 0).astype(np.uint8))
        assert all(isinstance(entry, Subject) for entry in read_layout(tmp_path))


def test_a_row_with_a_mask_of_all_structures_and_one_of_one_structure(tmp_path: Path, png: Png) -> None:
    both = np.resize(np.arange(4, dtype=np.uint8), (8, 9))
    row = f"a,{png('x.png')},{png('m.png', both)},{png('n.png', np.ones((8, 9), np.uint8))}"
    table(tmp_path, "subject,image,mask,lv_mask", row)
    assert why(tmp_path).endswith("the row names a mask in `mask` and in `lv_mask`: leave one or the other empty")


def test_a_bad_row_is_named_and_the_others_are_used(tmp_path: Path, png: Png) -> None:
    image, small, colour = png("x.png"), png("s.png", np.ones((2, 2), np.uint8)), np.ones((8, 9, 3), np.uint8)
    mask = png("m.png", np.ones((8, 9), np.uint8))
    (tmp_path / "broken.png").write_bytes((tmp_path / image).read_bytes()[:60])
    png("../outside.png")
    (tmp_path / "link.png").symlink_to(tmp_path / "../outside.png")
    bad = {
        f"{image},{small}": "its size (2, 2) is not the image's (8, 9)",
        f"absent.png,{image}": "no such file",
        f"slices.csv,{image}": "not a PNG",
        f"{png('long.png', np.ones((4097, 1), np.uint8))},{image}": "more than 4096",
        f"broken.png,{image}": "or damaged",
        f"{png('rgb.png', colour)},{image}": "in colour",
        f"../outside.png,{image}": "leads outside",
        f"{tmp_path}/x.png,{image}": "leads outside",
        f"link.png,{image}": "leads outside",
        f"{image},": "names no mask",
        f",{image}": "no such file",
        f"nul\0.png,{image}": "null",
    }
    table(tmp_path, "subject,image,lv_mask", *(f"a,{row}" for row in bad), f"a,{image},{mask}", f"b,{image},absent.png")
    good, unusable = read_layout(tmp_path)
    assert isinstance(good, Subject)
    assert len(good.volumes) == 1
    for entry, reason in zip(good.skipped, bad.values(), strict=True):
        assert reason in entry.why
    assert isinstance(unusable, Skipped)
    assert unusable.where == "b"


def test_an_unknown_number_in_a_mask_is_refused(tmp_path: Path, png: Png) -> None:
    table(
        tmp_path,
        "subject,image,mask",
        f"a,{png('x.png')},{png('m.png', np.resize(np.array([1, 255], np.uint8), (8, 9)))}",
    )
    (only,) = read_layout(tmp_path)
    assert isinstance(only, Skipped)
    assert "the mask holds the label 255" in only.why


@pytest.mark.parametrize("column", ["lv_mask", "myo_mask", "rv_mask"])
@pytest.mark.parametrize(
    ("numbers", "said"),
    [
        ((0, 1, 2, 3), "m.png holds the numbers 1, 2 and 3: put it in the column `mask`; `{}` is for a mask of one"),
        ((1, 2), "m.png holds the numbers 1 and 2: put it in the column `mask`; `{}` is for a mask of one structure"),
        (range(9), "m.png holds 8 numbers besides 0: save the structure as one number; `{}` is for a mask of one"),
        ((0, 255), ""),
        ((0, 2), ""),
        ((7,), ""),
    ],
)
def test_a_mask_of_one_structure_holds_one_number(
    tmp_path: Path, png: Png, column: str, numbers: Sequence[int], said: str
) -> None:
    mask = png("m.png", np.resize(np.array(numbers, np.uint8), (8, 9)))
    (only,) = read_layout(table(tmp_path, f"subject,image,{column}", f"a,{png('x.png')},{mask}"))
    assert isinstance(only, Skipped if said else Subject)
    assert said.format(column) in getattr(only, "why", "")


def test_a_map_of_structures_makes_the_subjects_other_masks_doubtful(tmp_path: Path, png: Png) -> None:
    """Beyond the LV cavity, a slice of the same map holds the myocardium alone."""
    image, maps = png("x.png"), [png(f"m{n}.png", np.resize(np.arange(n, 4, 2, np.uint8), (8, 9))) for n in (2, 1)]
    table(tmp_path, "subject,image,lv_mask", *(f"a,{image},{name}" for name in maps))
    (only,) = read_layout(tmp_path)
    assert isinstance(only, Skipped)
    assert only.why.startswith("m1.png holds the numbers 1 and 3")


@pytest.mark.parametrize(
    ("header", "name", "meant"),
    [
        ("subject,image,lv_mask,myo_masks", "myo_masks", "myo_mask"),
        ("subject,image,lv_mask,Myo-Masks", "myo_masks", "myo_mask"),
        ("subject,image,lv_mask,lv_myo_mask", "lv_myo_mask", "myo_mask"),
        ("subject,image,lv_mask,rvmask", "rvmask", "rv_mask"),
        ("subject,image,lv_mask,groups", "groups", "group"),
        ("subject,image,lv_mask,gruop", "gruop", "group"),
        ("subject,image,lv_mask,pahse", "pahse", "phase"),
        ("subject,image,lv_mask,instance_nr", "instance_nr", "instance"),
        ("subject,image,masks", "masks", "mask"),
        ("subject,image,lv_maks", "lv_maks", "lv_mask"),
    ],
)
def test_a_column_that_is_nearly_a_known_one_is_refused(
    tmp_path: Path, png: Png, header: str, name: str, meant: str
) -> None:
    image, mask = png("x.png"), png("m.png", np.ones((8, 9), np.uint8))
    table(tmp_path, header, f"a,{image},{mask},{mask}")
    assert layouts.detect(tmp_path) is pairs
    with pytest.raises(
        UsageError, match=rf"slices\.csv: there is no column {name}; {meant} is probably meant"
    ) as error:
        read_layout(tmp_path)
    assert error.value.hint.startswith(f"rename it to {meant}")


REMARKS = "age,sex,remark,subject_id,image_id,lv_mask_2,la_mask,stage,,phases"


def test_other_columns_are_allowed(tmp_path: Path, png: Png) -> None:
    """Also those that resemble a column that is there, too."""
    row = f"a,{png('x.png')},{png('m.png', np.ones((8, 9), np.uint8))},ED"
    table(tmp_path, f"subject,image,lv_mask,phase,{REMARKS}", row + "," * 10)
    assert subject(tmp_path).volumes[0].labels == (Label.LV_CAVITY,)


@pytest.mark.parametrize("text", ["", "subject,image,lv_mask\n", "subject,image\na,b\n", "\0" * 300_000])
def test_a_table_that_lists_nothing(tmp_path: Path, text: str) -> None:
    (tmp_path / "slices.csv").write_text(text)
    with pytest.raises(NoInputError):
        read_layout(tmp_path)


def count(folder: Path, subjects: int | None) -> tuple[int, int]:
    """How many subjects and slices there are among the first `subjects`, each read and checked."""
    slices = []
    for one in islice(read_layout(folder), subjects):
        assert isinstance(one, Subject)
        assert not one.skipped
        assert {volume.name for volume in one.volumes} == {"ed", "es"}
        assert all(volume.labels == (Label.LV_CAVITY,) for volume in one.volumes)
        slices.append(sum(len(volume.image) for volume in one.volumes))
    return len(slices), sum(slices)


def test_real_slices(shared_data: Path) -> None:
    assert count(shared_data / "sunnybrook_slices", 3) == (3, 28 + 22 + 22)


@pytest.mark.slow
def test_all_real_slices(shared_data: Path) -> None:
    assert count(shared_data / "sunnybrook_slices", None) == (44, 792)


def test_a_row_without_a_subject_is_named_and_no_subject(tmp_path: Path, png: Png) -> None:
    image, mask = png("x.png"), png("m.png", np.ones((8, 9), np.uint8))
    table(tmp_path, "subject,image,lv_mask", f",{image},{mask}", f"a,{image},{mask}")
    unnamed, good = read_layout(tmp_path)
    assert unnamed == Skipped(image, "its row names no subject")
    assert isinstance(good, Subject)
    assert good.subject_id == "a"
