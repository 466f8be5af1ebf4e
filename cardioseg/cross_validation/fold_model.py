"""Fold model: the network of a fold as a model folder in the run, where `predict -m` finds it, too."""

from cardioseg.dataset.store import Dataset
from cardioseg.dataset.training_run import Run
from cardioseg.errors import UsageError
from cardioseg.export.card import Precision
from cardioseg.inference.session import Model, open_model
from cardioseg.training.publication import Publication, publish


def open_fold(run: Run, dataset: Dataset, fold: int, precision: Precision, threads: int) -> Model | UsageError:
    """The model of a fold, exported now if it was not before; or why the fold is not ready.

    Args:
        run: the cross validation.
        dataset: that it was trained on.
        fold: its number, from 0.
        precision: of the convolutions.
        threads: of the network.

    Raises:
        RefusedError: the checkpoint or the model is damaged.
    """
    folder, run_name = run.folder.fold(fold).model(precision), run.folder.path.resolve().name
    name = f"{run_name}-{fold}" + ("" if precision == "float32" else f"_{precision}")
    publication = Publication(name, "not stated", folds=(fold,), precision=precision)
    try:
        publish(run.folder.path, dataset, folder, publication)
    except UsageError as error:
        message = error.message.removeprefix(f"fold {fold} of {run.folder.path} is ")
        return UsageError(message, error.hint)
    return open_model(folder, threads=threads)
