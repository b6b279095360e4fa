"""The life of a plate on paper: states, places, and the signed list that staff carry."""

from __future__ import annotations

import base64
import json
import random
from datetime import date

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from gis.addressing import codes, life, signed_list
from gis.addressing.life import Sighting
from gis.addressing.signed_list import Record, digest
from gis.errors import ConflictError, InputError

SECRET = bytes(range(32))
HOST, KEY = "dz.example.cn", b"a secret of thirty-two bytes....."
CODES = codes.new_codes(6, random.Random(3))
#: 112.94 E 28.2 N; one thousandth of a degree of latitude is 111 m.
HERE = (112.94, 28.2)


def link(code, key_id="A", host=HOST):
    return codes.plate_url(host, code, key_id, KEY)


def entry(code, state="issued", plates=("installed",), into=(), key_id="A", text="人民路12号"):
    tail = link(code, key_id).partition("/d/")[2]
    return Record(code, state, into, tuple((digest(HOST, tail), s) for s in plates), *HERE, 10.0, text)


@pytest.fixture(scope="module")
def known():
    rows = [
        entry(CODES[0]),
        entry(CODES[1], plates=("lost",)),
        entry(CODES[2], plates=("replaced", "printed")),
        entry(CODES[3], "merged", into=(CODES[0],)),
        entry(CODES[4], "revoked", plates=("revoked",)),
    ]
    data = signed_list.write(rows, territory="样例", hosts=[HOST], made="2026-11-22T09:00:00+00:00", secret=SECRET)
    return data, signed_list.read(data, signed_list.public_of(SECRET))


def test_states_follow_each_other_only_as_they_can():
    life.require_move("x", "printed", "installed")
    life.require_move("x", "lost", "installed")
    for before, after in (("revoked", "installed"), ("replaced", "installed"), ("lost", "lost"), ("x", "lost")):
        with pytest.raises(ConflictError):
            life.require_move("x", before, after)


def test_every_state_that_follows_is_a_state():
    assert {s for after in life.PLATE_MOVES.values() for s in after} <= set(life.PLATE_MOVES)


@pytest.mark.parametrize(
    ("distance", "accuracy", "verdict"),
    [(0, 0, "near"), (30, 0, "near"), (30.1, 0, "far"), (10, 20, "near"), (10, 25, "unsure"), (60, 25, "far"),
     (60, 40, "unsure")],
)  # fmt: skip
def test_a_position_is_only_as_good_as_its_accuracy(distance, accuracy, verdict):
    assert life.nearness(distance, accuracy) == verdict


def seen(*days_and_verdicts):
    return [Sighting(date(2026, 5, day), 100.0 if v == "far" else 1.0, v) for day, v in days_and_verdicts]


@pytest.mark.parametrize(
    ("sightings", "says"),
    [
        ((), ""),
        (((1, "near"), (9, "near")), ""),
        (((1, "near"), (9, "unsure")), ""),
        (((1, "near"), (9, "far")), "moved"),
        (((9, "near"), (9, "far")), "moved"),
        (((9, "far"), (9, "near")), "copied"),
        (((5, "far"), (9, "near")), "copied"),
    ],
)
def test_what_sightings_say(sightings, says):
    assert life.suspicion(seen(*sightings)) == says


def test_what_was_long_ago_no_longer_counts():
    old = [Sighting(date(2025, 1, 1), 500, "far"), Sighting(date(2026, 5, 1), 0, "near")]
    assert life.suspicion(old) == ""


@pytest.mark.parametrize(
    ("k", "scanned", "typed"),
    [(0, "genuine", "typed"), (1, "lost", "typed"), (2, "genuine", "typed"), (3, "merged", "merged"),
     (4, "revoked", "revoked"), (5, "unknown", "unknown")],
)  # fmt: skip
def test_each_state_is_seen_offline(known, k, scanned, typed):
    assert known[1].check(link(CODES[k])).verdict == scanned
    assert known[1].check(codes.printed(CODES[k])).verdict == typed


def test_forged_links_are_seen_offline(known):
    good = link(CODES[0])
    letter = "A" if good[-1] != "A" else "B"
    assert known[1].check(good[:-1] + letter).verdict == "forged"
    assert known[1].check(link(CODES[0], "B")).verdict == "forged"
    assert known[1].check(good.replace(HOST, "dz.examp1e.cn")).verdict == "other_host"
    assert known[1].check(good.replace(HOST, f"{HOST}@evil.example")).verdict == "other_host"
    assert known[1].check(f"https://evil.example/{HOST}/d/{good.partition('/d/')[2]}").verdict == "other_host"
    assert known[1].check("1234").verdict == "not_a_code"
    assert known[1].check(CODES[0][:-1] + str((int(CODES[0][-1]) + 1) % 10)).verdict == "mistyped"
    assert known[1].check(good.upper().replace("/D/", "/d/").replace("HTTPS", "https")).verdict == "genuine"


def test_a_moved_plate_is_seen_offline(known):
    near, far = (HERE[0], HERE[1] + 0.0003), (HERE[0], HERE[1] + 0.002)
    assert known[1].check(link(CODES[0]), near).nearness == "near"
    found = known[1].check(link(CODES[0]), far)
    assert found.nearness == "far"
    assert found.distance == pytest.approx(222.4 - 10, abs=1)
    assert not found.good
    assert known[1].check(link(CODES[0]), far, accuracy=300).nearness == "unsure"


def test_the_list_gives_no_tag_away_and_any_tool_can_check_it(known):
    data, _ = known
    for code in CODES[:3]:
        assert link(code).rpartition(".")[2].encode() not in data
    body, _, last = data.rstrip(b"\n").rpartition(b"\n")
    signature = base64.b64decode(json.loads(last)["signature"])
    Ed25519PublicKey.from_public_bytes(signed_list.public_of(SECRET)).verify(signature, body + b"\n")


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_any_changed_byte_is_noticed(known, data):
    raw = bytearray(known[0])
    at = data.draw(st.integers(0, len(raw) - 2))
    raw[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises(InputError, match=r"list\.(signature|damaged)"):
        signed_list.read(bytes(raw), signed_list.public_of(SECRET))


def test_another_key_and_cut_files_are_refused(known):
    with pytest.raises(InputError, match=r"list\.signature"):
        signed_list.read(known[0], signed_list.public_of(bytes(32)))
    for raw in (b"", b"\n", b"{}", known[0][: len(known[0]) // 2], b"[" * 100_000):
        with pytest.raises(InputError, match=r"list\."):
            signed_list.read(raw, signed_list.public_of(SECRET))
    text = signed_list.key_text(signed_list.public_of(SECRET))
    assert len(text) == 43
    assert signed_list.key_of(text) == signed_list.public_of(SECRET)
    for wrong in ("", "x", text[:-4], "钥" * 43):
        with pytest.raises(InputError, match=r"list\.key"):
            signed_list.key_of(wrong)


def test_line_ends_of_other_scripts_stay_in_their_line():
    row = entry(CODES[0], text="a\u2028b\u0085c\nd")
    data = signed_list.write([row], territory="t", hosts=[HOST], made="2026-01-01T00:00:00+00:00", secret=SECRET)
    read = signed_list.read(data, signed_list.public_of(SECRET))
    assert read.records[CODES[0]] == row
