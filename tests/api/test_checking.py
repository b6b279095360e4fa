"""How ``./wangge test`` runs its checks: in order, one beside the others, none left behind."""

from __future__ import annotations

import sys

from api.services.operating import checking
from api.services.operating.checking import Check
from data.machine import processes


def program(name: str, code: str, **options) -> Check:
    return Check(name, (sys.executable, "-c", code), **options)


def test_what_runs_beside_the_others_is_told_after_them(capfd):
    wanted = [
        program("beside", "print('said beside'); raise SystemExit(1)", beside=True),
        program("first", "print('said first')"),
        program("second", "raise SystemExit(5)", passing=(0, 5)),
    ]
    told = [e.name if isinstance(e, Check) else e.check.name for e in checking.run(wanted)]
    assert told == ["first", "first", "second", "second", "beside", "beside"]
    assert capfd.readouterr().out == "said first\nsaid beside\n"
    results = [e for e in checking.run(wanted) if isinstance(e, checking.Result)]
    assert [(r.check.name, r.status, r.passed) for r in results] == [
        ("first", 0, True), ("second", 5, True), ("beside", 1, False),
    ]  # fmt: skip


def test_what_runs_beside_ends_with_a_run_that_is_broken_off(tmp_path):
    pid = tmp_path / "pid"
    code = f"import os, pathlib, time; pathlib.Path({str(pid)!r}).write_text(str(os.getpid())); time.sleep(600)"
    wait = f"import pathlib, time\nwhile not pathlib.Path({str(pid)!r}).exists(): time.sleep(.01)"
    events = checking.run([program("beside", code, beside=True), program("waits", wait)])
    next(events), next(events)
    events.close()
    text = pid.read_text()
    assert not text or not processes.alive(int(text))


def test_only_a_run_without_arguments_uses_several_processes(monkeypatch):
    def several(**chosen) -> bool:
        return any("numprocesses" in word for word in checking.checks(**chosen)[0].command)

    monkeypatch.setattr(processes, "cores", lambda: 64)
    assert f"--numprocesses={checking.PROCESSES}" in checking.checks(slow=True, arguments=())[0].command
    assert not several(slow=False, arguments=("tests/gis",))
    monkeypatch.setattr(processes, "cores", lambda: 1)
    assert not several(slow=True, arguments=())
