"""Train the parser of addresses and judge it: the shipped one on synthetic addresses alone, one on a labelled set."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import data.addressing as source
from data.addressing import labelled, model_file
from gis.addressing.parsing import synthetic
from gis.addressing.parsing.model import Model, Parser
from gis.addressing.parsing.synthetic import Labelled
from gis.addressing.parsing.training import Judged, Recipe, joined, judge, lexicon_of, train
from gis.progress import Progress, silent

#: How many synthetic addresses the shipped model learns from, and how.
SYNTHETIC: Final = 40_000
SHIPPED: Final = Recipe(passes=5, rate=0.1)
#: A labelled set is small: more passes, and the mean of several trainings.
LABELLED: Final = Recipe(turns=3, passes=14)
#: What it and the model of synthetic addresses count for when both answer; chosen by folds of a labelled set.
_SHARES: Final = (0.9, 0.2)
_SEED: Final = 1
#: Names of each kind the deployment by lot has.
_OWN: Final = 3000


@dataclass(frozen=True)
class Trained:
    """One model: what it learnt from, its size, CPU seconds of training, parses a second, and how good it is."""

    trained_on: str
    megabytes: float
    seconds: float
    per_second: float
    judged: Judged | None


def train_shipped(*, count: int = SYNTHETIC, progress: Progress = silent) -> Model:
    """A model of synthetic addresses only, made from the country's divisions, words and a deployment by lot.

    The names of that deployment are known while it learns, and forgotten: those of a real one take their place.
    """
    words, divisions = source.words(), source.divisions()
    own = synthetic.deployment(synthetic.names_of(divisions), words, _OWN, _SEED + 1)
    made = synthetic.addresses(synthetic.names_of(divisions, own), words, count, _SEED)
    recipe = replace(SHIPPED, passes=max(SHIPPED.passes, min(12, 150_000 // max(count, 1))))
    known, kept = lexicon_of(divisions, words, own), lexicon_of(divisions, words)
    return train(made, known, recipe, kept_lexicon=kept, trained_on="synthetic", progress=progress)


def train_labelled(
    addresses: Sequence[Labelled], *, beside: Model | None = None, progress: Progress = silent
) -> Model:
    """A model of labelled addresses; it may not be shipped where these have no licence.

    ``beside``: the model of synthetic addresses, which has its say where the labelled ones are few.
    """
    words, divisions = source.words(), source.divisions()
    own = train(addresses, lexicon_of(divisions, words), LABELLED, trained_on="labelled", progress=progress)
    return own if beside is None else joined(own, _SHARES[0], beside, _SHARES[1])


def train_and_judge(
    output: Path, folder: Path | None, *, count: int = SYNTHETIC, progress: Progress = silent
) -> list[Trained]:
    """Train the synthetic model and write it; with a folder of a labelled set judge it there, and train one on that
    which asks the synthetic one too.

    The folder holds ``*train.txt`` and ``*dev.txt``. Only the synthetic model is written.
    """
    dev = labelled.read(_one(folder, "dev")) if folder else []
    began = time.process_time()
    model = train_shipped(count=count, progress=progress)
    seconds = time.process_time() - began
    size = model_file.write(output, model)
    results = [told(model, size, seconds, dev)]
    if folder is not None:
        known = labelled.read(_one(folder, "train"))
        began = time.process_time()
        other = train_labelled(known, beside=model, progress=progress)
        results.append(told(other, len(model_file.pack(other)), time.process_time() - began, dev))
    return results


def told(model: Model, size: int, seconds: float, dev: Sequence[Labelled]) -> Trained:
    """What is to be said of a model."""
    parser = Parser(model)
    parser.parse("人民路12号3栋402室")  # compiles, before the clock starts
    texts = [t for t, _ in dev] or ["湖南省长沙市岳麓区西湖街道人民路12号和顺小区7-6-1046"] * 500
    began = time.process_time()
    for text in texts:
        parser.parse(text)
    rate = len(texts) / max(time.process_time() - began, 1e-9)
    return Trained(model.trained_on, size / 1e6, round(seconds, 1), round(rate), judge(parser, dev) if dev else None)


def _one(folder: Path, what: str) -> Path:
    return next(iter(sorted(folder.glob(f"*{what}.txt"))), folder / f"{what}.txt")
