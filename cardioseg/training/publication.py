"""Publication: write a model folder from a finished run, if ONNX Runtime and torch agree on real slices."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from pathlib import Path

import numpy as np

from cardioseg import __version__
from cardioseg.dataset.folds import Fold, subjects_sha256
from cardioseg.dataset.run_folder import RunFolder
from cardioseg.dataset.store import Dataset
from cardioseg.dataset.training_run import GO_ON, RunDescription, read_run
from cardioseg.errors import RefusedError, UsageError
from cardioseg.export.card import MODEL_FILE, Card, Metric, Precision, Training, write_card
from cardioseg.export.card_figures import read_figures
from cardioseg.export.onnx_export import combine, prove_parity, to_onnx
from cardioseg.export.quantization import to_int8
from cardioseg.export.readme import write_readme
from cardioseg.files import sweep_partials, write_bytes
from cardioseg.image.heart_position import windows
from cardioseg.image.preprocessing import Floats, prepare
from cardioseg.training.checkpoint import Checkpoint, newest, weights_sha256
from cardioseg.training.crossval import gives_slices, network_of
from cardioseg.training.recipe import Recipe, check_recipe
from cardioseg.training.slice_scores import per_image, per_subject, read_scores
from cardioseg.versions import version_of

_PACKAGES = ("torch", "onnx", "onnxruntime", "numpy")
_PARITY_SLICES = 64


@dataclass(frozen=True)
class Publication:
    """Settings of the model that are not part of the run.

    Attributes:
        name: name of the model.
        licence: licence of the model (follows from its training data).
        citation: citation for the training data.
        folds: folds to publish, several as an ensemble; only for a single fold, its validation subjects are unseen.
            Empty: all folds.
        evaluations: evaluations of this model, for its card; without any, the card gives the training's validation.
        precision: precision of its convolutions.
    """

    name: str
    licence: str
    citation: str = ""
    folds: tuple[int, ...] = ()
    evaluations: tuple[Path, ...] = ()
    precision: Precision = "float32"


def publish(run: Path, dataset: Dataset, folder: Path, publication: Publication) -> Card:
    """Write a model folder: `model.onnx`, `card.json` and `README.md`, the card last.

    Args:
        run: a folder written by `train`, every fold that is published finished.
        dataset: the training data; they give the slices for the proof and for the ranges of integers.
        folder: the model folder.
        publication: the settings of the model.

    Raises:
        UsageError: not a run, unfinished folds, another dataset, or an evaluation of another model.
        RefusedError: torch and ONNX Runtime disagree.
    """
    planned = read_run(run, dataset)
    described, folds = planned.description, _chosen(planned.folds, publication.folds)
    recipe = check_recipe(described.recipe, f"the recipe of {run}")
    checkpoints = [_final_checkpoint(planned.folder, fold, planned.folds) for fold in folds]
    networks = [network_of(checkpoint, recipe) for checkpoint in checkpoints]
    network, model, precision = combine(networks), to_onnx(networks), publication.precision
    trained = {subject_id for fold in folds for subject_id in fold.train}
    slices = _real_slices(dataset, trained, recipe)
    if precision == "int8":
        model = to_int8(model, slices)
    parity = prove_parity(network, model, slices, precision)
    used = sum(gives_slices(dataset.subject(subject_id), recipe) for subject_id in trained)
    training, digest = _training(described, folds, checkpoints, used), sha256(model).hexdigest()
    identity = digest, training.weights_sha256, planned.recipe_sha256, precision
    evaluated = [read_figures(path, *identity, trained=trained) for path in publication.evaluations]
    card = Card(
        name=publication.name,
        sha256=digest,
        labels=recipe.labels,
        preprocessing=recipe.preprocessing,
        norm=recipe.norm,
        precision=precision,
        parameters=sum(p.numel() for p in network.parameters()) // len(folds),
        licence=publication.licence,
        citation=publication.citation,
        training=training,
        metrics=tuple(chain(*evaluated)) or _metrics(planned.folder, described, folds, recipe, precision),
        parity=parity,
        versions={"cardioseg": __version__} | {name: version_of(name) for name in _PACKAGES},
    )
    sweep_partials(folder)
    write_bytes(folder / MODEL_FILE, model)
    write_readme(folder, card)
    write_card(folder, card)
    return card


def _chosen(folds: tuple[Fold, ...], wanted: tuple[int, ...]) -> tuple[Fold, ...]:
    unknown = [index for index in wanted if not 0 <= index < len(folds)]
    if unknown:
        raise UsageError(f"there is no fold {unknown[0]}", f"folds are 0 to {len(folds) - 1}")
    return tuple(fold for fold in folds if not wanted or fold.index in wanted)


def _final_checkpoint(run: RunFolder, fold: Fold, folds: Iterable[Fold]) -> Checkpoint:
    """The last checkpoint of a finished fold; if it is not finished, the error's hint names one that is."""
    checkpoint = _finished_checkpoint(run, fold)
    if checkpoint is None:
        ready = next((candidate.index for candidate in folds if _finished_checkpoint(run, candidate)), None)
        hint = "" if ready is None else f"; --fold {ready} exports fold {ready} alone"
        raise UsageError(f"fold {fold.index} of {run.path} is not finished", GO_ON + hint)
    return checkpoint


def _finished_checkpoint(run: RunFolder, fold: Fold) -> Checkpoint | None:
    folder = run.fold(fold.index)
    return newest(folder.path) if folder.is_finished else None


def _real_slices(dataset: Dataset, trained: Collection[str], recipe: Recipe) -> list[Floats]:
    """Prepared slices [h, w], spread evenly over training subjects and their slices; the same for every export."""
    trained_ids = [subject_id for subject_id in dataset.subject_ids if subject_id in trained]
    subjects = trained_ids[:: max(1, len(trained_ids) // _PARITY_SLICES)]
    slices_of_subject = max(1, _PARITY_SLICES // len(subjects))
    slices = []
    for subject_id in subjects:
        volume = dataset.subject(subject_id).volumes[0]
        chosen = np.unique(np.linspace(0, len(volume.image) - 1, slices_of_subject).astype(int))
        pixel_mm = volume.pixel_mm(recipe.nominal_spacing_mm)
        around_heart = windows(volume.mask > 0, pixel_mm, recipe.preprocessing)
        for index in chosen:
            slices += list(prepare(volume.image[[index]], pixel_mm, recipe.preprocessing, around_heart[index])[0])
    if not slices:
        raise RefusedError("the dataset has no slice to test the model on")
    return slices


def _training(
    described: RunDescription, folds: Sequence[Fold], checkpoints: Sequence[Checkpoint], used: int
) -> Training:
    """The training facts of the card; `used` subjects gave slices."""
    trained = {subject_id for fold in folds for subject_id in fold.train}
    unseen = {subject_id for fold in folds for subject_id in fold.validation} - trained
    steps = [checkpoint.step for checkpoint in checkpoints]
    return Training(
        dataset=described.dataset,
        dataset_sha256=described.dataset_sha256,
        subjects=used,
        subjects_sha256=subjects_sha256(trained),
        held_out=tuple(sorted({*described.held_out, *unseen})),
        seed=described.seed,
        folds=len(folds),
        steps=min(steps),
        most_steps=max(steps) if len(set(steps)) > 1 else 0,
        weights_sha256=tuple(weights_sha256(checkpoint.network) for checkpoint in checkpoints),
        recipe=described.recipe,
        initial_model=_initial_model(described),
    )


def _initial_model(described: RunDescription) -> str:
    """`sax (CC BY-NC-SA 4.0, research use)`; empty for a run that started from random weights."""
    model = described.initial_model
    return f"{model.name} ({model.licence})" if model else ""


def _metrics(
    run: RunFolder, described: RunDescription, folds: Sequence[Fold], recipe: Recipe, precision: Precision
) -> tuple[Metric, ...]:
    """The scores of the training's validation, which uses float32."""
    scores = [score for fold in folds for score in read_scores(run.fold(fold.index).validation)]
    if not scores:
        return ()
    held_out = f"{described.folds}-fold cross validation" if len(folds) > 1 else "subjects held out of training"
    held_out += "" if precision == "float32" else ", before quantization"
    if described.initial_model:
        held_out += f", which the initial model {described.initial_model.name} may have seen"
    averages = (("images", per_image), ("subjects, each the mean of its images", per_subject))
    return tuple(
        Metric(
            label=label,
            metric="Dice",
            mean=s.mean,
            std=s.std,
            n=s.n,
            protocol=f"{described.dataset}, {held_out}; mean over {unit}",
        )
        for label in recipe.labels
        for unit, average in averages
        if (s := average(scores, label)).mean is not None
    )
