"""Run folders as training leaves them, with figures made up."""

import json

from bnn.train.recipes import recipe


def write_run(
    folder,
    *,
    seed=0,
    fold=0,
    protocol="kfold",
    hits=8,
    best=None,
    finished=True,
    synthetic=False,
    resumed=False,
    **changes,
):
    """A run over ten test windows of two classes, of which `hits` are right."""
    run = {
        "recipe": recipe("ecg17", **changes).to_dict(),
        "seed": seed,
        "protocol": protocol,
        "fold": fold,
        "split_seed": seed,
        "data": {"name": "ecg17", "classes": ["a", "b"], "synthetic": synthetic},
        "seconds": 120.0,
        "resumed": resumed,
    }
    if finished:
        confusion = [[hits - 4, 6 - (hits - 4)], [0, 4]]
        run["test"] = {"accuracy": hits / 10, "macro_f1": 0.5 + fold / 100, "confusion": confusion}
    if best:
        run["best_on_test"] = {"accuracy": best, "epoch": 3}
    folder.mkdir(parents=True)
    (folder / "run.json").write_text(json.dumps(run))
    return folder
