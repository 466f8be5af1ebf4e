"""Batches: images and targets move together, every pair of the grid comes once, and nothing is remembered."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from drawing import noise_subject, noise_volume
from hypothesis import given, settings
from hypothesis import strategies as st

from cardioseg.dataset.augmentation import Angles, Augmentation
from cardioseg.dataset.slices import Slices, annotated_with, gather
from cardioseg.dataset.training_batches import Epoch
from cardioseg.image.labels import STRUCTURES, Label
from cardioseg.image.preprocessing import Preprocessing, center, prepare
from cardioseg.image.window import Window
from cardioseg.ingest.labels.subject import LabelledVolume, Subject

few = settings(max_examples=20, deadline=None, database=None)
keys = st.tuples(*[st.integers(0, 2**32 - 1)] * 3)
QUARTERS = Augmentation(angles=Angles(start=-90, stop=180, step=90))
WIDE = Augmentation(
    angles=Angles(start=-180, stop=150, step=30), scale=0.3, shift=0.1, flip=True, contrast=0.5, bend=0.03
)
PAPER_LV = Augmentation(angles=Angles(start=-60, stop=60, step=2))
PAPER_RV = Augmentation(angles=Angles(start=-30, stop=30, step=10))


def made(images: np.ndarray, targets: np.ndarray) -> Slices:
    return Slices(torch.from_numpy(images), torch.from_numpy(targets))


def noise(count: int, size: int = 16) -> Slices:
    rng = np.random.default_rng(count)
    images = rng.random((count, size, size)).astype(np.float32)
    return made(images, rng.integers(0, 4, images.shape).astype(np.uint8))


def two_discs(size: int = 96) -> Slices:
    """A large and a small disc, off centre, so that every flip, shift and turn shows; white where class 1."""
    rows, columns = np.ogrid[:size, :size]
    large = (rows - 40) ** 2 + (columns - 57) ** 2 < 14**2
    small = (rows - 55) ** 2 + (columns - 34) ** 2 < 8**2
    return made((large | small)[None].astype(np.float32), (large | small)[None].astype(np.uint8))


def dice(one: np.ndarray, other: np.ndarray) -> float:
    return float(2 * (one & other).sum() / (one.sum() + other.sum()))


@pytest.mark.parametrize(("augmentation", "angles"), [(PAPER_LV, 61), (PAPER_RV, 7)])
def test_an_epoch_of_the_paper_is_every_image_at_every_angle_once(augmentation: Augmentation, angles: int) -> None:
    epoch = Epoch(noise(5), augmentation, 1, (0, 0, 0))
    assert epoch.steps == 5 * angles
    assert epoch.order().shape == (5 * angles, 1)
    images, angle = np.divmod(epoch.order().ravel(), angles)
    assert {*zip(images.tolist(), angle.tolist(), strict=True)} == {(i, a) for i in range(5) for a in range(angles)}


@few
@given(st.integers(1, 9), st.integers(1, 6), st.integers(1, 12), st.floats(0.05, 1), keys)
def test_an_epoch_repeats_nothing_that_it_need_not(
    images: int, angles: int, batch_size: int, fraction: float, key: tuple[int, ...]
) -> None:
    grid = Augmentation(angles=Angles(stop=angles - 1), grid_fraction=fraction)
    epoch = Epoch(noise(images), grid, batch_size, key)
    pairs, order = images * angles, epoch.order()
    assert order.shape == (epoch.steps, batch_size)
    assert epoch.steps == max(1, round(pairs * fraction) // batch_size)
    assert ((order >= 0) & (order < pairs)).all()
    counts = np.bincount(order.ravel(), minlength=pairs)
    assert counts.max() - counts.min() <= 1


@few
@given(keys, keys)
def test_the_order_is_a_function_of_the_key(key: tuple[int, ...], other: tuple[int, ...]) -> None:
    epoch = Epoch(noise(20), PAPER_RV, 4, key)
    np.testing.assert_array_equal(epoch.order(), replace(epoch).order())
    assert key == other or (epoch.order() != replace(epoch, key=other).order()).any()


@few
@given(keys, st.lists(st.integers(0, 59), min_size=1, max_size=6), st.integers(0, 2**32 - 1))
def test_a_batch_is_a_function_of_its_key_and_pairs(key: tuple[int, ...], pairs: list[int], state: int) -> None:
    epoch = Epoch(noise(5), WIDE, 1, key)
    images, targets = epoch.batch(pairs)
    torch.manual_seed(state)
    for i, pair in reversed(list(enumerate(pairs))):  # one by one, in another order, whatever torch's own state is
        image, target = Epoch(noise(5), WIDE, 9, key).batch(np.array([pair]))
        torch.testing.assert_close(image[0], images[i], rtol=0, atol=1e-6)
        torch.testing.assert_close(target[0], targets[i], rtol=0, atol=0)


@few
@given(keys, st.integers(0, 59))
def test_shapes_types_and_ranges(key: tuple[int, ...], pair: int) -> None:
    images, targets = Epoch(noise(5), WIDE, 2, key).batch([pair, 0])
    assert (images.shape, images.dtype) == ((2, 1, 16, 16), torch.float32)
    assert (targets.shape, targets.dtype) == ((2, 16, 16), torch.int64)
    assert 0 <= float(images.min()) <= float(images.max()) <= 1
    assert set(targets.unique().tolist()) <= {0, 1, 2, 3}


def test_the_source_is_not_changed() -> None:
    slices = noise(5)
    before = slices.images.clone(), slices.targets.clone()
    Epoch(slices, WIDE, 2, (0, 0, 0)).batch(range(60))
    np.testing.assert_array_equal(slices.images, before[0])
    np.testing.assert_array_equal(slices.targets, before[1])


@pytest.mark.parametrize("size", [1, 2, 15, 16])
def test_quarter_turns_are_exact(size: int) -> None:
    slices = noise(3, size)
    images, targets = Epoch(slices, QUARTERS, 1, (1, 2, 3)).batch(range(12))
    for pair in range(12):
        image, quarters = pair // 4, pair % 4 - 1
        expected = np.rot90(slices.images[image], quarters)
        np.testing.assert_allclose(images[pair, 0].numpy(), expected, atol=2e-5 if quarters else 2e-6)
        np.testing.assert_array_equal(targets[pair].numpy(), np.rot90(slices.targets[image], quarters))


def test_a_flip_mirrors_left_and_right() -> None:
    slices = noise(1)
    epochs = [Epoch(slices, Augmentation(flip=True), 1, (0, 0, number)) for number in range(40)]
    mirrored = []
    for epoch in epochs:
        images, targets = epoch.batch([0])
        flipped = not np.array_equal(targets[0].numpy(), slices.targets[0])
        mirrored.append(flipped)
        expected = [part[0].flip(1) if flipped else part[0] for part in (slices.images, slices.targets)]
        np.testing.assert_allclose(images[0, 0].numpy(), expected[0], atol=2e-6)
        np.testing.assert_array_equal(targets[0].numpy(), expected[1])
    assert 10 < sum(mirrored) < 30


@few
@given(keys, st.integers(0, 11))
def test_image_and_target_move_together(key: tuple[int, ...], pair: int) -> None:
    moved = WIDE.model_copy(update={"contrast": 0.0})
    images, targets = Epoch(two_discs(), moved, 1, key).batch([pair])
    assert (targets > 0).sum() > 100
    assert dice(images[0, 0].numpy() > 0.5, targets[0].numpy() == 1) > 0.95


def test_outside_the_image_is_nothing_in_both() -> None:
    full = made(np.ones((1, 64, 64), np.float32), np.ones((1, 64, 64), np.uint8))
    turned = Augmentation(angles=Angles(start=45, stop=45))
    images, targets = Epoch(full, turned, 1, (0, 0, 0)).batch([0])
    assert int(targets[0].sum()) == pytest.approx(64**2 * 2 * (np.sqrt(2) - 1), rel=0.01)  # an octagon
    assert dice(images[0, 0].numpy() > 0.5, targets[0].numpy() == 1) > 0.99


def test_every_pair_is_varied_in_its_own_way() -> None:
    alike = Slices(noise(1).images.repeat(9, 1, 1), noise(1).targets.repeat(9, 1, 1))
    images, _ = Epoch(alike, Augmentation(scale=0.3), 9, (0, 0, 0)).batch(range(9))
    other, _ = Epoch(alike, Augmentation(scale=0.3), 9, (0, 0, 1)).batch(range(9))
    assert len({image.numpy().tobytes() for image in (*images, *other)}) == 18


def test_bending_moves_points_by_no_more_than_asked_for() -> None:
    rows, columns = np.mgrid[:64, :64].astype(np.float32) / 64
    ramps = made(np.stack([rows, columns]), np.zeros((2, 64, 64), np.uint8))
    images, _ = Epoch(ramps, Augmentation(bend=0.05), 2, (0, 0, 0)).batch([0, 1])
    moved = (images[:, 0] - ramps.images)[:, 8:-8, 8:-8].abs()
    assert 0.01 < moved.mean() < 0.05
    assert moved.max() < 0.05 * 1.5  # bicubic interpolation overshoots its points
    assert (images[0, 0] - images[1, 0].T).abs().max() > 0.01  # each in its own way


@pytest.mark.parametrize("setting", [{"scale": 0.5}, {"shift": 0.2}, {"flip": True}, {}])
def test_only_what_is_asked_for_moves(setting: dict[str, float]) -> None:
    discs = two_discs()
    drawn = [Epoch(discs, Augmentation(**setting), 1, (0, 0, number)).batch([0])[1][0].numpy() for number in range(30)]
    areas = np.array([target.sum() for target in drawn]) / discs.targets.sum().item()
    centres = np.array([np.argwhere(target).mean(0) for target in drawn]) - np.argwhere(discs.targets[0].numpy()).mean(
        0
    )
    if "scale" in setting:
        assert 0.4 < areas.min() < 0.6
        assert 1.7 < areas.max() < 2.3
    else:
        assert np.abs(areas - 1).max() < 0.02
    if "shift" in setting:
        assert 0.15 * 96 < np.abs(centres).max() < 0.2 * 96 + 1
    elif "scale" not in setting:
        assert np.abs(centres[:, 0]).max() < 0.5
        assert (np.abs(centres[:, 1]).max() > 0.5) == ("flip" in setting)


def test_contrast_changes_intensities_and_nothing_else() -> None:
    slices = noise(1)
    for number in range(20):
        images, targets = Epoch(slices, Augmentation(contrast=1), 1, (0, 0, number)).batch([0])
        powers = np.log(np.clip(images[0, 0].numpy(), 1e-6, 1)) / np.log(slices.images[0].numpy())
        bulk = ((slices.images[0] > 0.1) & (slices.images[0] < 0.9)).numpy()
        assert np.ptp(powers[bulk]) < 1e-3
        assert 0.5 <= powers[bulk].mean() <= 2
        np.testing.assert_array_equal(targets[0].numpy(), slices.targets[0])


def test_gathered_are_the_slices_with_every_label() -> None:
    lv, rv = (noise_volume(i, labels=(label,)) for i, label in enumerate((Label.LV_CAVITY, Label.RV_CAVITY)))
    both = noise_volume(2)
    subjects = [Subject("a", (lv, rv)), Subject("none", ()), Subject("b", (both,))]
    assert len(gather(subjects, [Label.LV_CAVITY], 16, Preprocessing())) == 4
    assert len(gather(subjects, [Label.RV_CAVITY], 16, Preprocessing())) == 4
    found = gather(subjects, [Label.RV_CAVITY, Label.LV_CAVITY], 16, Preprocessing())
    assert (found.images.shape, found.images.dtype) == ((2, 16, 16), torch.float32)
    assert (found.targets.shape, found.targets.dtype) == ((2, 16, 16), torch.uint8)
    np.testing.assert_array_equal(annotated_with(both, STRUCTURES), [True, True, False])


def test_the_source_of_slices_is_what_was_read_and_not_what_was_computed() -> None:
    subjects = [Subject(name, (noise_volume(i),)) for i, name in enumerate("ab")]

    def source(read: list[Subject], spacing_mm: float | None = None) -> str:
        return gather(read, [Label.LV_CAVITY], 16, Preprocessing(spacing_mm=spacing_mm), 1.0).source

    def changed(**parts: Any) -> list[Subject]:
        first = subjects[0].volumes[0]
        return [replace(subjects[0], volumes=(replace(first, **parts), *subjects[0].volumes[1:])), *subjects[1:]]

    volume = subjects[0].volumes[0]
    sources = [source(subjects), source(changed(image=volume.image + 1)), source(subjects[1:])]
    sources += [source(changed(mask=volume.mask[:, ::-1])), source(subjects[::-1])]
    assert len({*sources}) == len(sources)
    assert source(subjects, 2.0) == source(subjects)  # that it is resampled, and how, stands in the recipe


@pytest.mark.parametrize("subjects", [[], [Subject("a", ())], [Subject("a", (noise_volume(0, labels=()),))]])
def test_nothing_annotated_is_no_slice(subjects: list[Subject]) -> None:
    found = gather(subjects, STRUCTURES, 16, Preprocessing())
    assert len(found) == 0
    assert found.images.shape == found.targets.shape == (0, 16, 16)


@few
@given(st.permutations(STRUCTURES), st.integers(1, 3), st.integers(3, 40))
def test_targets_are_numbered_in_the_order_of_the_labels(order: list[Label], count: int, size: int) -> None:
    subject, labels = noise_subject("a", volumes=2), order[:count]
    found = gather([subject], labels, size, Preprocessing())
    known = np.concatenate([volume.mask[:-1] for volume in subject.volumes])
    expected = sum((known == label) * number for number, label in enumerate(labels, 1))
    padded = np.pad(np.asarray(expected, np.uint8), [(0, 0), (0, 4), (0, 6)])  # 12 x 10 to the multiple of 16
    np.testing.assert_array_equal(found.targets, center(padded, size))
    image, _ = prepare(subject.volumes[0].image[:1], None, Preprocessing())
    np.testing.assert_array_equal(found.images[:1], center(image, size))


def disc_volume(spacing_mm: tuple[float, float, float] | None) -> LabelledVolume:
    discs = two_discs()
    volume = noise_volume(0, (1, 96, 96), spacing_mm)
    annotated = np.ones((1, len(Label)), np.bool_)
    mask = discs.targets.numpy() * np.uint8(Label.LV_CAVITY)
    return replace(volume, image=discs.images.numpy() * 50 + 10, mask=mask, annotated=annotated)


@pytest.mark.parametrize("intensity", ["minmax", "percentile"])
@pytest.mark.parametrize("pixel_mm", [(1.5, 1.5), (1.1, 1.6), (2.0, 2.0), (0.8, 0.8)])
def test_resampled_slices_keep_area_in_mm_and_fit_their_targets(intensity: str, pixel_mm: tuple[float, float]) -> None:
    volume = disc_volume((8.0, *pixel_mm))
    settings = Preprocessing(intensity, 1.5)  # type: ignore[arg-type]
    found = gather([Subject("a", (volume,))], [Label.LV_CAVITY], 160, settings)
    area_mm2 = (volume.mask > 0).sum() * pixel_mm[0] * pixel_mm[1]
    assert found.targets.sum().item() * 1.5**2 == pytest.approx(area_mm2, rel=0.03)
    assert dice(found.images[0].numpy() > 0.5, found.targets[0].numpy() == 1) > 0.97


def test_unknown_pixels_are_gathered_as_they_are() -> None:
    subject = Subject("a", (disc_volume(None),))
    found = gather([subject], [Label.LV_CAVITY], 96, Preprocessing(spacing_mm=1.5))
    np.testing.assert_array_equal(found.targets, two_discs().targets)
    np.testing.assert_array_equal(found.images, two_discs().images)


def test_a_window_shows_the_heart_and_whole_slices_too() -> None:
    rows, columns = np.ogrid[:128, :128]
    mask = np.where((rows - 88) ** 2 + (columns - 40) ** 2 < 12**2, Label.LV_CAVITY, 0).astype(np.uint8)[None]
    blank = noise_volume(0, (2, 128, 128), (8.0, 1.5, 1.5))
    volume = replace(blank, mask=mask.repeat(2, 0), image=mask.repeat(2, 0).astype(np.float32))
    settings_ = Preprocessing(spacing_mm=1.5, window=64, locate_mm=3.0)
    slices = gather([Subject("a", (volume,))], [Label.LV_CAVITY], 128, settings_)
    assert slices.coarse is not None
    assert (slices.images.shape, slices.coarse.images.shape) == ((1, 128, 128), (1, 64, 64))
    epoch = Epoch(slices, Augmentation(angles=Angles(stop=39)), 40, (0, 0, 0))
    _, targets = epoch.batch(range(40))
    areas = targets.sum((1, 2))
    whole = areas < 200  # a radius of 6 pixels at 3 mm, of 12 at 1.5 mm
    assert 3 < whole.sum() < 20
    centred = [np.argwhere(target.numpy()).mean(0) for target in targets[~whole]]
    np.testing.assert_allclose(centred, 31.5, atol=1)


def test_windows_of_several_sizes_come_in_batches_of_one_size() -> None:
    discs = [np.hypot(*(np.mgrid[:128, :128] - 63.5)) < radius for radius in (6, 6, 6, 30, 30, 30)]
    mask = np.stack(discs).astype(np.uint8) * np.uint8(Label.LV_CAVITY)
    blank = noise_volume(0, (len(mask), 128, 128), (8.0, 1.5, 1.5))
    volume = replace(blank, mask=mask, image=mask.astype(np.float32), annotated=np.ones_like(blank.annotated))
    fitting = Preprocessing(spacing_mm=1.5, window=96, locate_mm=3.0, margin_mm=12.0)
    slices = gather([Subject("a", (volume,))], [Label.LV_CAVITY], 128, fitting)
    assert [window.size for window in slices.windows] == [32, 32, 80, 80, 80, 80]  # the neighbours' hearts are shown
    epoch = Epoch(slices, Augmentation(angles=Angles(stop=39)), 8, (0, 0, 0))
    order = epoch.order()
    assert order.shape == (30, 8)
    assert len({*order.ravel().tolist()}) > 220
    sizes = []
    for pairs in order:
        images, targets = epoch.batch(pairs)
        assert images.shape[2:] == targets.shape[1:]
        sizes.append(images.shape[-1])
        assert all(target.any() for target in targets)
    assert {*sizes} == {32, 80, 96}
    assert 3 < sizes.count(96) < 14  # a quarter of the looks show whole slices
    assert len({*sizes[:12]}) == 3  # sizes are mixed from the start


def test_shading_and_noise_change_images_alone() -> None:
    slices = made(np.full((1, 32, 32), 0.5, np.float32), np.ones((1, 32, 32), np.uint8))
    plain, target = Epoch(slices, Augmentation(), 1, (0, 0, 0)).batch([0])
    shaded, _ = Epoch(slices, Augmentation(shading=0.5), 1, (0, 0, 0)).batch([0])
    noisy, same_target = Epoch(slices, Augmentation(noise=0.1), 1, (0, 0, 0)).batch([0])
    assert plain.unique().tolist() == [0.5]
    assert shaded.std() > 0.01
    assert shaded[0, 0].diff(n=2, dim=0).abs().max() < 1e-6
    assert 0 < noisy.std() < 0.15
    torch.testing.assert_close(target, same_target)


def test_sharpness_blurs_or_sharpens_and_moves_nothing() -> None:
    discs = two_discs()
    seen = []
    for number in range(30):
        images, targets = Epoch(discs, Augmentation(sharpness=2), 1, (0, 0, number)).batch([0])
        assert torch.equal(targets[0], discs.targets[0].long())
        assert dice(images[0, 0].numpy() > 0.5, discs.images[0].numpy() > 0.5) > 0.98
        seen.append(float(images[0, 0].diff(dim=0).abs().max()))
    assert min(seen) < 0.6  # the steepest edge of a blurred disc
    assert max(seen) > 0.99
    grey = made(discs.images.numpy() * 0.4 + 0.3, discs.targets.numpy())
    ranges = [
        float(np.ptp(Epoch(grey, Augmentation(sharpness=2), 1, (0, 0, number)).batch([0])[0].numpy()))
        for number in range(30)
    ]
    assert max(ranges) > 0.45  # a sharpened edge overshoots
    assert sum(extent > 0.41 for extent in ranges) in range(8, 23)


def test_a_ghost_is_a_faint_shifted_copy() -> None:
    discs = two_discs()
    shifts = set()
    for number in range(60):
        images, targets = Epoch(discs, Augmentation(ghosting=0.3), 1, (0, 0, number)).batch([0])
        assert torch.equal(targets[0], discs.targets[0].long())
        ghost = (images[0, 0] - discs.images[0]).numpy()
        assert ghost.min() >= -1e-4
        assert ghost.max() <= 0.3 + 1e-4
        copies = {
            (axis, part)
            for axis in (0, 1)
            for part in range(2, 7)
            if dice(np.roll(discs.images[0].numpy(), round(96 / part), axis) * (1 - discs.images[0].numpy()) > 0.5,
                    ghost > 1e-3) > 0.99
        }  # fmt: skip
        shifts |= copies if ghost.max() > 0.01 else set()
    assert len(shifts) == 10


def test_a_window_without_a_search_shows_the_middle() -> None:
    whole = replace(noise(3, 64), windows=(Window(32),) * 3)
    angles = Augmentation(angles=Angles(start=0, stop=0))
    images, targets = Epoch(whole, angles, 3, (0,)).batch([0, 1, 2])
    margin = (whole.images.shape[-1] - 32) // 2
    inside = (slice(None), slice(margin, margin + 32), slice(margin, margin + 32))
    assert torch.allclose(images[:, 0], whole.images[inside], atol=1e-5)
    assert torch.equal(targets, whole.targets[inside].long())
