"""Why a board or card that was printed is out of date: what it said against what it would say now.

What is said are plain values (see ``said_of``), kept with every print, so that old prints can be compared for ever.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

#: Values whose change makes a print out of date, and the reason it gives.
REASONS: Final = {
    "address": "address", "grid": "grid", "range": "range", "outline": "range", "host": "link", "link": "link",
    "name": "name", "post": "post", "phone": "phone", "duties": "duties", "place": "place", "key": "plate",
}  # fmt: skip

Said = Mapping[str, Any]


@dataclass(frozen=True)
class Change:
    """One reason (person_new, person_gone, phone, post, duties, grid, range …) and what was and is."""

    reason: str
    before: str
    now: str


def changes(before: Said, now: Said | None) -> list[Change]:
    """Everything that differs; one Change ``gone`` where there is nothing to print any more."""
    if now is None:
        return [Change("gone", str(before.get("address") or before.get("name") or ""), "")]
    found = _people(before.get("people", ()), now.get("people", ()))
    reasons = {c.reason for c in found}
    for field, reason in REASONS.items():
        was, is_ = before.get(field), now.get(field)
        if was is not None and is_ is not None and was != is_ and reason not in reasons:
            shown = ("", "") if field in ("outline", "link", "key") else (str(was), str(is_))
            found.append(Change(reason, *shown))
            reasons.add(reason)
    return found


def _people(before: Sequence[Sequence[str]], now: Sequence[Sequence[str]]) -> list[Change]:
    """People are (name, post, phone, duties); a person is known again by the name, or by the post and phone."""
    left, found = [tuple(p) for p in before], []
    joined = []
    for person in (tuple(p) for p in now):
        same = next((p for p in left if p == person), None) or next((p for p in left if p[0] == person[0]), None)
        if same is None:
            joined.append(person)
            continue
        left.remove(same)
        found += [
            Change(reason, f"{same[0]} {same[k]}", f"{person[0]} {person[k]}")
            for k, reason in ((1, "post"), (2, "phone"), (3, "duties"))
            if same[k] != person[k]
        ]
    found += [Change("person_gone", " ".join(p[:2]), "") for p in left]
    return found + [Change("person_new", "", " ".join(p[:2])) for p in joined]
