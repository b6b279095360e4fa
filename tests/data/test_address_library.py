"""The library a deployment matches in, read from a real PostGIS: both branches, homes, other names, dates."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from sqlalchemy import text

from api.services import importing
from api.services.addresses import addresses, matching
from api.services.addresses.parsing import scope_of
from api.services.plans import planning
from gis.errors import NotFoundError

pytestmark = pytest.mark.database
RULES = planning.ruleset_of("default")


@pytest.fixture
def scope(engine, drawn, request):
    """The drawn town with units and rooms, addressed, as one scope."""
    sources = drawn()
    n = len(sources.buildings)
    known = replace(sources.buildings, units=np.full(n, 2.0), floors=np.full(n, 3.0), dwellings=np.full(n, 12.0))
    importing.import_sources(
        engine, replace(sources, buildings=known, digest="homes"), request.node.name, ruleset=RULES, origin="drawn"
    )
    addresses.assign_territory(engine, request.node.name)
    return scope_of(engine, request.node.name)


def test_every_address_is_found_by_its_text_and_no_other(scope):
    e = scope.library.entries
    assert len(e) > 72 * 10
    wrong = [str(t) for k, t in enumerate(e.text) if scope.matcher.match(str(t)).rows != (k,)]
    assert wrong == []


def test_homes_know_the_road_number_and_compound_above_them(scope):
    e = scope.library.entries
    rooms = np.flatnonzero(e.room != "")
    assert len(rooms) == 72 * 12
    assert all((e.road[k] and e.number[k]) or (e.compound[k] and e.building[k]) for k in rooms)
    bare = [k for k in rooms if e.compound[k]][:40]
    for k in bare:
        tail = f"{e.compound[k]}{e.building[k]}-{e.unit[k]}-{e.room[k]}"
        assert scope.matcher.match(tail).rows == (k,), tail


def test_what_is_not_there_is_never_exact(scope):
    e = scope.library.entries
    roads = sorted({str(r) for r in e.road if r})
    known = {(str(r), str(n)) for r, n in zip(e.road, e.number, strict=True)}
    for road in roads:
        for number in range(1, 400, 3):
            if (road, str(number)) not in known:
                assert scope.matcher.match(f"{road}{number}号").status != "exact"


def test_other_names_and_days(engine, scope, request):
    name = request.node.name
    e = scope.library.entries
    k = int(np.flatnonzero((e.road != "") & (e.compound == "") & (e.room == "") & (e.unit == ""))[0])
    road, number = str(e.road[k]), str(e.number[k]).removesuffix("号")
    with engine.begin() as connection:
        of = {"n": name, "road": road}
        connection.execute(
            text("UPDATE thoroughfare SET aliases = '{老马路}' WHERE name = :road AND territory_id ="
                 " (SELECT id FROM territory WHERE name = :n)"), of,
        )  # fmt: skip
        connection.execute(
            text("INSERT INTO address_alias (address_id, text, kind, valid_from)"
                 " SELECT id, '老供销社', 'former', '2020-01-01' FROM address WHERE code = :c"),
            {"c": str(e.code[k])},
        )  # fmt: skip
    own = scope_of(engine, name)
    assert own.matcher.match(f"老马路{number}号").rows == (k,)
    assert own.matcher.match("老供销社").rows == (k,)
    with engine.begin() as connection:
        ended = text(
            "UPDATE address SET status = 'revoked', valid_from = valid_from - 2, valid_to = valid_from"
            " WHERE code = :c"
        )
        connection.execute(ended, {"c": str(e.code[k])})
    found = scope_of(engine, name).matcher.match(f"{road}{number}号")
    assert found.status != "exact"


def test_a_library_is_kept_and_an_unknown_territory_told(engine):
    held = matching.Addresses(engine)
    assert held.scope() is held.scope()
    with pytest.raises(NotFoundError):
        scope_of(engine, "none")


def test_corners_and_points(scope):
    ground = scope.grounds[0]
    e = scope.library.entries
    k = int(np.flatnonzero((e.road != "") & (e.unit == "") & (e.room == ""))[0])
    found = matching.near(scope, float(e.x[k]), float(e.y[k]), "wgs84", 3)
    assert found.addresses[0].code == str(e.code[k])
    assert found.addresses[0].metres == pytest.approx(0.0, abs=0.2)
    assert ground.streets.place(str(e.text[k])) is None
