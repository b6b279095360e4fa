"""Address codes and plate links: checkable by hand, and against every slip of a finger."""

import base64
import hashlib
import hmac
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gis.addressing import codes
from gis.addressing.codes import Verdict
from gis.errors import InputError

HOST = "dz.example.cn"
BODIES = st.integers(0, 10**12 - 1).map(lambda n: f"{n:012d}")
SECRETS = st.binary(min_size=32, max_size=32)


def whole(body):
    return body + codes.check_digits(body)


def test_check_digits_on_paper():
    # ISO 7064 MOD 97-10: 794 * 100 mod 97 = 54, 98 - 54 = 44 (the example of the standard: 79444).
    assert codes.check_digits("794") == "44"
    assert int("79444") % 97 == 1


def test_printed_in_fours():
    assert codes.printed("12345678901234") == "1234 5678 9012 34"


@given(BODIES, st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_is_always_caught(body, at, step):
    code = whole(body)
    wrong = code[:at] + str((int(code[at]) + step) % 10) + code[at + 1 :]
    assert codes.is_code(code)
    assert not codes.is_code(wrong)


@given(BODIES, st.integers(0, 12))
def test_adjacent_swap_is_always_caught(body, at):
    code = whole(body)
    swapped = code[:at] + code[at + 1] + code[at] + code[at + 2 :]
    assert codes.is_code(swapped) == (swapped == code)


@given(st.integers(0, 60), st.integers(0, 2**32))
def test_codes_are_unique_and_new(count, seed):
    old = set(codes.new_codes(50, random.Random(seed)))
    # the same seed would draw the same codes again: existing ones must be stepped over
    new = codes.new_codes(count, random.Random(seed), old)
    assert len(set(new)) == count
    assert not set(new) & old
    assert all(codes.is_code(c) for c in new)


def test_link_is_the_contracts():
    secret = bytes(range(32))
    code = whole("123456789012")
    url = codes.plate_url(HOST, code, "B", secret)
    digest = hmac.new(secret, f"{HOST}\n{code}\nB".encode(), hashlib.sha256).digest()
    tag = base64.b32encode(digest[:8]).decode()[:13]
    assert url == f"https://{HOST}/d/{code}.B{tag}"


@given(BODIES, SECRETS)
def test_link_verifies_and_every_part_counts(body, secret):
    code, keys = whole(body), {"A": secret}
    url = codes.plate_url(HOST, code, "A", secret)
    assert codes.verify(url, host=HOST, secrets=keys) == (Verdict.SIGNED, code)
    assert codes.verify(url.lower(), host=HOST, secrets=keys)[0] is Verdict.SIGNED
    assert codes.verify(url, host="other.example.cn", secrets=keys)[0] is Verdict.FORGED
    assert codes.verify(url, host=HOST, secrets={})[0] is Verdict.FORGED
    assert codes.verify(url, host=HOST, secrets={"A": secret[::-1] + b"x"})[0] is Verdict.FORGED
    other = "B" if url[-1] != "B" else "A"
    assert codes.verify(url[:-1] + other, host=HOST, secrets=keys)[0] is Verdict.FORGED


def test_retired_keys_verify_for_ever():
    old, new = b"o" * 32, b"n" * 32
    code = whole("000000000001")
    url = codes.plate_url(HOST, code, codes.next_key_id(""), old)
    assert codes.next_key_id("A") == "B"
    assert codes.verify(url, host=HOST, secrets={"A": old, "B": new})[0] is Verdict.SIGNED


def test_typed_codes():
    code = whole("123456789012")
    wide = "".join(chr(ord(c) + 0xFEE0) for c in code)
    for text in (code, codes.printed(code), f" {codes.printed(code)} ", wide, code[:4] + "-" + code[4:]):
        assert codes.verify(text, host=HOST, secrets={}) == (Verdict.TYPED, code)
    wrong = code[:-1] + str((int(code[-1]) + 1) % 10)
    assert codes.verify(wrong, host=HOST, secrets={})[0] is Verdict.MISTYPED
    for text in ("", "x" * 10_000, "12", "'; DROP TABLE address; --", code + "1", "٣" * 14 + "x"):
        assert codes.verify(text, host=HOST, secrets={})[0] is Verdict.NOT_A_CODE


@pytest.mark.parametrize("host", ["", "a b", "host/path", "user@host", "主机", "-a.cn"])
def test_bad_host_is_refused(host):
    with pytest.raises(InputError):
        codes.plate_url(host, whole("123456789012"), "A", b"k" * 32)


def test_keys_run_out_with_a_word():
    with pytest.raises(InputError):
        codes.next_key_id(codes.KEY_IDS)
