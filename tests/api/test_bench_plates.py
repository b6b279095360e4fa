"""The plates' benchmark: a row for every bar, and files whose plates are all read back."""

from __future__ import annotations

from benchmarks import plates, plates_one


def test_every_bar_has_a_row(monkeypatch):
    def process(module, what, *rest, **_):
        assert module == "benchmarks.plates_one"
        if what == "kinds":
            return {"plates": 480, "verified": 480, "kinds": 6}
        count, proven = int(rest[0]), rest[2] == "1"
        return {
            "plates": count, "per_second": 700.0, "without_font": 900.0, "font_seconds": 0.4, "bytes_each": 1600.0,
            "verified": count if proven else None, "proof_per_second": 300.0 if proven else None,
            "both_per_second": 250.0 if proven else None,
        }  # fmt: skip

    monkeypatch.setattr(plates, "fresh_process", process)
    rows, _ = plates.figures(quick=True, say=lambda _: None)
    bars = {r.name: (r.floor, r.aim, r.met) for r in rows if r.floor is not None}
    assert bars["file of 1,000 plates with its font"] == (600, 1000, True)
    assert bars["file of 10,000 plates"] == (1400, 3000, False)
    assert bars["bytes a plate, at most"] == (2.048, None, True)
    assert bars["read back at level Q by another library"] == (1.0, None, True)
    assert bars["kinds of plates read back"] == (6, None, True)


def test_a_file_of_the_benchmark_is_read_back():
    found = plates_one.file(24, False, True)
    assert found["verified"] == found["plates"] == 24
    assert found["per_second"] > 0
