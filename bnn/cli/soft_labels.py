"""bnn soft-labels: what a teacher says of every epoch of a set, for a student's training."""

import hashlib
from pathlib import Path
from typing import Annotated

import typer

from bnn import zoo
from bnn.cli.common import ForceOption, err, load_set, out, split_set
from bnn.cli.evaluate import FoldOption, ProtocolOption, SeedOption, SetOption, SyntheticOption
from bnn.cli.subject import need_torch, origin
from bnn.files import refuse_existing, write_atomic


def register(app: typer.Typer) -> None:
    app.command("soft-labels")(soft_labels_command)


def soft_labels_command(
    model: Annotated[str, typer.Argument(help="A run of mc2sleep or sleep, or its model.safetensors.")],
    target: Annotated[Path, typer.Option("--out", help="The file to write, safetensors.")],
    set_name: SetOption = None,
    protocol: ProtocolOption = None,
    seed: SeedOption = None,
    fold: FoldOption = None,
    force: ForceOption = False,
    synthetic: SyntheticOption = False,
):
    """Write a teacher's class probabilities for all epochs of a set, in its order; of another split it is refused."""
    need_torch()
    from safetensors.numpy import save

    from bnn.models.checkpoint import load_model
    from bnn.train.run_folder import fingerprint
    from bnn.train.soft_labels import soft_labels
    from bnn.train.teacher import SLEEP_TEACHERS, load_on_split

    refuse_existing(target, force)
    path = zoo.model_path(model)
    about = origin(load_model(path, *SLEEP_TEACHERS)[1])
    nights = load_set(set_name or about["set"], synthetic=synthetic)
    err.print(nights.describe())
    chosen = (int(about[key]) if value is None else value for key, value in (("seed", seed), ("fold", fold)))
    parts = split_set(nights, protocol or about["protocol"], *chosen)
    p = soft_labels(load_on_split(path, SLEEP_TEACHERS, fingerprint(nights, parts)), nights)
    header = {
        "set": nights.name,
        "synthetic": "yes" if nights.synthetic else "no",
        "classes": " ".join(nights.classes),
        "protocol": parts.protocol,
        "seed": str(parts.seed),
        "fold": str(parts.fold),
        "teacher_sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
    }
    write_atomic(target, save({"probabilities": p}, header), force=force)
    out.print(f"wrote {target}: {len(p)} epochs x {p.shape[1]} classes ({', '.join(nights.classes)})")
