"""Train a model on labelled addresses, make it small, and judge one.

The labelled sets are lists of (text, [(begin, end, label), ...]).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from gis.addressing.parsing import chain, habits, tokens
from gis.addressing.parsing.features import features
from gis.addressing.parsing.labels import NUMBER, TAGS
from gis.addressing.parsing.lexicon import Lexicon, build, entries
from gis.addressing.parsing.model import Model, Parser
from gis.addressing.parsing.synthetic import Labelled
from gis.progress import Progress, silent

_TAIL: Final = re.compile(r"\d+(?:-\d+)+室?$")


@dataclass(frozen=True)
class Recipe:
    """How a model is trained. ``drop``: share of features left out at random; ``rare``: features seen less go.

    ``turns`` trainings from different lots are averaged into one model.
    """

    passes: int = 16
    rate: float = 0.08
    decay: float = 1e-6
    drop: float = 0.5
    rare: int = 3
    seed: int = 1
    turns: int = 1
    #: Weights below this are left out of the model.
    faint: float = 0.06


@dataclass(frozen=True)
class Judged:
    """Precision, recall and F1 of parts by exact span and label.

    ``tails``: share of bare chains of numbers at the end (7-6-1046) all of whose parts are right; a chain that is
    one part (the door 103-104) is none. ``chains``: the same with those of one part.
    """

    precision: float
    recall: float
    f1: float
    exact: float
    tails: float
    tail_count: int
    by_label: dict[str, float]
    chains: float = 0.0
    chain_count: int = 0


def train(
    labelled: Sequence[Labelled], lexicon: Lexicon, recipe: Recipe | None = None, *,
    kept_lexicon: Lexicon | None = None, trained_on: str = "", progress: Progress = silent,
) -> Model:  # fmt: skip
    """Learn a model; the same labelled addresses and recipe give the same model.

    ``kept_lexicon``: what the model keeps of the names it learnt with (all of them when None).
    """
    how = recipe or Recipe()
    progress("parser_features", 0.0)
    hashes, offsets, gold = _rows(labelled, lexicon)
    keys, rows = _index(hashes, how.rare)
    del hashes
    kept: list[Any] = [0.0, 0.0, 0.0]
    averaged = 0
    for turn in range(how.turns):
        for done, weights in enumerate(
            _passes(rows, offsets, gold, len(keys), replace(how, seed=how.seed + turn)), 1
        ):
            progress("parser_train", (turn + done / how.passes) / how.turns)
            if 2 * (done - 1) >= how.passes:
                averaged += 1
                kept = [sums + now for sums, now in zip(kept, weights, strict=True)]
    # a feature was there in 1 - drop of the cases it was learnt in
    dense = kept[0] * np.float32((1 - how.drop) / averaged)
    met = habits.count(_tagged(labelled))
    names = kept_lexicon or lexicon
    return _small(keys, dense, kept[1] / averaged, kept[2] / averaged, names, met, how.faint, trained_on)


def _passes(rows: Any, offsets: Any, gold: Any, count: int, how: Recipe) -> Iterator[tuple[Any, Any, Any]]:
    """(feature weights, moves, start) after each pass over the sentences; they go on changing in place."""
    weights = (np.zeros((count, TAGS), np.float32), np.zeros((TAGS, TAGS), np.float32), np.zeros(TAGS, np.float32))
    squares = (np.full_like(weights[0], 0.1), np.ones_like(weights[1]), np.ones_like(weights[2]))
    rng = np.random.default_rng(how.seed)
    for k in range(how.passes):
        order = rng.permutation(len(offsets) - 1)
        seed = how.seed * 1000 + k
        chain.learn(rows, offsets, gold, order, weights, squares, how.rate, how.decay, how.drop, seed)
        yield weights


def _tagged(labelled: Sequence[Labelled]) -> Iterator[tuple[tokens.Tokens, NDArray[np.int64]]]:
    """Tokens of each address and their tags."""
    for text, parts in labelled:
        tok = tokens.tokenise(tokens.points(text), tokens.CLASS)
        yield tok, _tags(text, parts, tok.start)


def _rows(labelled: Sequence[Labelled], lexicon: Lexicon) -> tuple[Any, Any, Any]:
    """Feature hashes of all tokens as uint32, where sentences begin, and the tag of every token."""
    hashes, offsets, gold = [], [0], []
    for tok, tags in _tagged(labelled):
        found = features(tok.kind, tok.code, tok.exact, tok.value, tokens.SIGN, lexicon.keys, lexicon.masks)
        hashes.append(found.astype(np.uint32))
        gold.append(tags)
        offsets.append(offsets[-1] + len(tok.start))
    return np.concatenate(hashes), np.array(offsets), np.concatenate(gold)


def _tags(text: str, parts: Sequence[tuple[int, int, str]], start: NDArray[np.int32]) -> NDArray[np.int64]:
    """Tag of every token; a border inside a token (B12 said as B and 12 of one run) moves to its end."""
    at = np.zeros(len(text), dtype=np.int64)
    for begin, end, label in parts:
        at[begin:end] = 2 * NUMBER[label] + 1
        at[begin] -= 1
    tags = at[start]
    loose = (tags[1:] % 2 == 1) & (tags[1:] // 2 != tags[:-1] // 2)
    tags[1:][loose] -= 1
    if len(tags) and tags[0] % 2:
        tags[0] -= 1
    return tags


def _index(hashes: NDArray[np.uint32], rare: int) -> tuple[NDArray[np.uint32], NDArray[np.int32]]:
    """Features seen often enough, sorted, and for each token their positions (-1: none)."""
    keys, counts = np.unique(hashes, return_counts=True)
    keys = keys[(counts >= rare) & (keys != 0)]
    at = np.searchsorted(keys, hashes)
    at[at == len(keys)] = 0
    return keys, np.where(keys[at] == hashes, at, -1).astype(np.int32)


def _small(
    keys: NDArray[np.uint32], dense: Any, moves: Any, start: Any, lexicon: Lexicon, met: habits.Habits,
    faint: float, trained_on: str,
) -> Model:  # fmt: skip
    """Keep what speaks up, in steps of an eighth of a bit."""
    step = float(np.quantile(np.abs(dense), 0.99999)) / 127.0
    steps = np.clip(np.rint(dense / step), -127, 127).astype(np.int8)
    steps[np.abs(dense) < faint] = 0
    said = steps != 0
    rows = np.flatnonzero(said.any(axis=1))
    counts = said[rows].sum(axis=1)
    where = np.nonzero(said[rows])
    return Model(
        keys=keys[rows],
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.uint32),
        tag=where[1].astype(np.uint8),
        weight=steps[rows][where],
        step=step,
        moves=moves.astype(np.float32),
        start=start.astype(np.float32),
        names=lexicon.keys[lexicon.keys != 0],
        kinds=lexicon.masks[lexicon.keys != 0],
        habit_paths=met.paths,
        habit_forms=met.forms,
        habit_keys=met.keys,
        habit_counts=met.counts,
        trained_on=trained_on,
    )


def joined(own: Model, share: float, other: Model, other_share: float) -> Model:
    """Two models of the same features as one, scores added by their shares; names and habits are those of ``own``."""
    keys = np.union1d(own.keys, other.keys)
    both = ((own, share), (other, other_share))
    dense: Any = sum(_dense(m, keys) * np.float32(by) for m, by in both)
    moves: Any = sum(m.moves * np.float32(by) for m, by in both)
    start: Any = sum(m.start * np.float32(by) for m, by in both)
    only_weights = _small(keys, dense, moves, start, build({}), habits.count([]), 0.0, own.trained_on)
    kept = ("names", "kinds", "habit_paths", "habit_forms", "habit_keys", "habit_counts")
    return replace(only_weights, **{k: getattr(own, k) for k in kept})


def _dense(model: Model, keys: NDArray[np.uint32]) -> Any:
    """Weights of a model as rows of ``keys``, columns tags."""
    weights = np.zeros((len(keys), TAGS), np.float32)
    counts = model.first[1:].astype(np.int64) - model.first[:-1].astype(np.int64)
    rows = np.repeat(np.searchsorted(keys, model.keys), counts)
    weights[rows, model.tag] = model.weight * np.float32(model.step)
    return weights


def judge(parser: Parser, labelled: Sequence[Labelled]) -> Judged:
    """Hold a parser against labelled addresses."""
    right, said, there = Counter[str](), Counter[str](), Counter[str]()
    whole = tails = tails_right = chains = chains_right = 0
    for text, parts in labelled:
        found, gold = set(parser.spans(text)), set(parts)
        whole += found == gold
        right.update(p[2] for p in found & gold)
        said.update(p[2] for p in found)
        there.update(p[2] for p in gold)
        tail = _TAIL.search(text)
        if tail is None:
            continue
        wanted = {p for p in gold if p[1] > tail.start()}
        good = wanted == {p for p in found if p[1] > tail.start()}
        chains += 1
        chains_right += good
        if len(wanted) > 1:
            tails += 1
            tails_right += good
    hits = right.total()
    return Judged(
        precision=hits / max(said.total(), 1),
        recall=hits / max(there.total(), 1),
        f1=2 * hits / max(said.total() + there.total(), 1),
        exact=whole / max(len(labelled), 1),
        tails=tails_right / max(tails, 1),
        tail_count=tails,
        by_label={k: 2 * right[k] / (said[k] + there[k]) for k in there},
        chains=chains_right / max(chains, 1),
        chain_count=chains,
    )


def lexicon_of(
    divisions: Sequence[tuple[str, str]], words: Mapping[str, Any], own: Mapping[str, Sequence[str]] | None = None
) -> Lexicon:
    """The names and words every model knows: divisions down to towns by their codes, endings of places, remarks."""
    level = {2: "prov", 4: "city", 6: "district", 9: "town"}
    names = [(name, level[len(code)]) for code, name in divisions if len(code) in level]
    for kind in ("home", "house", "market", "works", "company", "office", "shop", "trade"):
        names += [(w, kind) for w in words["poi"][kind]]
    for kind, where, key in (
        ("zone_section", "section", "zone"), ("part_section", "section", "part"),
        ("recipient", "tail", "recipient"), ("relation", "tail", "relation"),
    ):  # fmt: skip
        names += [(w, kind) for w in words[where][key]]
    names += [(name, kind) for kind, some in (own or {}).items() for name in some]
    return build(entries(names))
