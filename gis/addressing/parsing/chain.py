"""A linear-chain conditional random field: best tags with their probability, and training by sampled sentences.

Weights are dense while they are learnt (rows are features, columns tags) and sparse eight-bit numbers when used.
Source: Lafferty, McCallum, Pereira 2001; per-coordinate steps after Duchi, Hazan, Singer 2011 (AdaGrad).
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from gis.compiling import njit

_NEVER: Final = np.float32(-1e4)


@njit(cache=True)
def allowed(tags: int) -> Any:  # pragma: no cover - compiled
    """0 where one tag may follow another, very low where not: a part goes on only after itself."""
    table = np.zeros((tags, tags), np.float32)
    for a in range(tags):
        for b in range(1, tags, 2):
            if a != b and a != b - 1:
                table[a, b] = _NEVER
    return table


@njit(cache=True, fastmath=True)
def best(scores: Any, moves: Any, start: Any) -> Any:  # pragma: no cover - compiled
    """Best tags of n tokens and their score; ``moves`` [from, to], see :func:`allowed`."""
    n, tags = scores.shape
    back = np.zeros((n, tags), np.int32)
    now, new = start + scores[0], np.empty(tags, np.float32)
    for t in range(1, n):
        new[:] = np.float32(-1e30)
        arg = back[t]
        for a in range(tags):
            for b in range(tags):
                v = now[a] + moves[a, b]
                better = v > new[b]
                new[b] = v if better else new[b]
                arg[b] = a if better else arg[b]
        for b in range(tags):
            now[b] = new[b] + scores[t, b]
    path = np.empty(n, np.uint8)
    path[n - 1] = np.argmax(now)
    for t in range(n - 1, 0, -1):
        path[t - 1] = back[t, path[t]]
    return path, now[path[n - 1]]


@njit(cache=True, fastmath=True)
def total(scores: Any, grown: Any, start: Any) -> Any:  # pragma: no cover - compiled
    """Log of the sum over all paths; ``grown`` is exp(moves), [from, to]."""
    n, tags = scores.shape
    now, new = start + scores[0], np.empty(tags, np.float32)
    top = now.max()
    now = np.exp(now - top)
    log = np.float64(top)
    for t in range(1, n):
        new[:] = np.float32(0)
        for a in range(tags):
            for b in range(tags):
                new[b] += now[a] * grown[a, b]
        top = scores[t].max()
        whole = np.float32(0)
        for b in range(tags):
            new[b] *= np.exp(scores[t, b] - top)
            whole += new[b]
        for b in range(tags):
            now[b] = new[b] / whole
        log += top + np.log(whole)
    return log + np.log(now.sum())


@njit(cache=True, fastmath=True)
def learn(
    rows: Any,
    offsets: Any,
    gold: Any,
    order: Any,
    weights: Any,
    squares: Any,
    rate: float,
    decay: float,
    drop: float,
    seed: int,
) -> float:  # pragma: no cover - compiled
    """One pass over the sentences in ``order``; returns the mean negative log likelihood of a token.

    ``rows`` (tokens, slots) are feature rows or -1; ``offsets`` cut tokens into sentences. ``weights`` and
    ``squares`` are (feature weights, moves, start) and the sums of their squared slopes; they change in place.
    ``drop`` is the share of features left out by lot, so that no single one is trusted alone.
    """
    feature, moves, start = weights
    tags = feature.shape[1]
    fixed = allowed(tags)
    loss, seen, lot = 0.0, 0, np.uint64(seed) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(1)
    limit = np.uint64(drop * 4294967296.0)
    for s in order:
        lo, hi = offsets[s], offsets[s + 1]
        kept, count, scores, lot = _draw(rows[lo:hi], feature, lot, limit)
        scores[0] += start
        slopes, change, lost = _slopes(scores, np.exp(moves + fixed), gold[lo:hi])
        for t in range(hi - lo):
            for q in range(count[t]):
                _down(feature[kept[t, q]], squares[0][kept[t, q]], slopes[t], rate, decay)
        _down(start, squares[2], slopes[0], rate, decay)
        for a in range(tags):
            _down(moves[a], squares[1][a], change[a], rate, decay)
        loss += lost
        seen += hi - lo
    return loss / max(seen, 1)


@njit(cache=True, fastmath=True)
def _draw(rows: Any, feature: Any, lot: Any, limit: Any) -> Any:  # pragma: no cover - compiled
    """Features of a sentence that are kept this time, and the scores they give (xorshift lots)."""
    n, slots = rows.shape
    kept, count = np.empty((n, slots), np.int32), np.zeros(n, np.int32)
    scores = np.zeros((n, feature.shape[1]), np.float32)
    for t in range(n):
        for k in range(slots):
            r = rows[t, k]
            if r < 0:
                continue
            lot ^= lot << np.uint64(13)
            lot ^= lot >> np.uint64(7)
            lot ^= lot << np.uint64(17)
            if lot >> np.uint64(32) >= limit:
                kept[t, count[t]] = r
                count[t] += 1
                for b in range(feature.shape[1]):
                    scores[t, b] += feature[r, b]
    return kept, count, scores, lot


@njit(cache=True, fastmath=True)
def _slopes(scores: Any, grown: Any, gold: Any) -> Any:  # pragma: no cover - compiled
    """Slopes of the loss by tag of each token and by move, from forward and backward sums; and the loss."""
    n, tags = scores.shape
    forward, backward = np.empty((n, tags), np.float32), np.ones((n, tags), np.float32)
    scale = np.empty(n, np.float32)
    tall = np.empty((n, tags), np.float32)
    for t in range(n):
        tall[t] = np.exp(scores[t] - scores[t].max())
        whole = np.float32(0)
        for b in range(tags):
            v = np.float32(1)
            if t > 0:
                v = np.float32(0)
                for a in range(tags):
                    v += forward[t - 1, a] * grown[a, b]
            forward[t, b] = v * tall[t, b]
            whole += forward[t, b]
        scale[t] = whole
        forward[t] /= whole
    change = np.zeros((tags, tags), np.float32)
    for t in range(n - 2, -1, -1):
        onward = tall[t + 1] * backward[t + 1] / scale[t + 1]
        for a in range(tags):
            v = np.float32(0)
            for b in range(tags):
                v += grown[a, b] * onward[b]
            backward[t, a] = v
            if forward[t, a] > 1e-6:
                for b in range(tags):
                    change[a, b] += forward[t, a] * grown[a, b] * onward[b]
        change[gold[t], gold[t + 1]] -= 1
    loss = 0.0
    for t in range(n):
        forward[t] *= backward[t]
        forward[t] /= forward[t].sum()
        loss -= np.log(max(forward[t, gold[t]], 1e-12))
        forward[t, gold[t]] -= 1
    return forward, change, loss


@njit(cache=True, fastmath=True)
def _down(weights: Any, squares: Any, slopes: Any, rate: Any, decay: Any) -> None:  # pragma: no cover - compiled
    """One step down, the smaller the more a weight has moved before."""
    for b in range(len(weights)):
        d = np.float32(slopes[b] + decay * weights[b])
        squares[b] += d * d
        weights[b] -= np.float32(rate) * d / np.sqrt(squares[b])
