"""A library is never older than the last change: what became of an address shows in the very next answer."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from sqlalchemy import text

from api.services import importing
from api.services.addresses import address_life, addresses, library_bases
from api.services.addresses.library_bases import Bases, path_of
from api.services.addresses.matching import Addresses
from api.services.plans import planning
from data import library_files
from data.postgres.addresses import address_library
from data.postgres.plans import publications
from gis.errors import BusyError

pytestmark = pytest.mark.database


@pytest.fixture(scope="module")
def town(engine, town_sources):
    """A town with addresses, and its id."""
    importing.import_sources(engine, town_sources, "town", ruleset=planning.ruleset_of("default"), origin="drawn")
    addresses.assign_territory(engine, "town")
    with engine.connect() as connection:
        return next(t.id for t in address_library.every(connection) if t.name == "town")


@pytest.fixture(scope="module")
def town_sources():
    from tests.data.conftest import draw_town

    return draw_town()


@pytest.fixture(scope="module")
def url(engine):
    return engine.url.render_as_string(hide_password=False)


def store(engine, folder, town):
    """A base in its file, as another process makes it."""
    with engine.connect().execution_options(isolation_level="REPEATABLE READ") as connection:
        today = publications.today(address_library.every(connection)[0])
        path = path_of(folder, address_library.source(connection), town)
        library_files.write(path, *library_bases.made(connection, town, today))


@pytest.fixture(scope="module")
def shared(engine, url, tmp_path_factory, town):
    """Two workers that share a folder."""
    folder = tmp_path_factory.mktemp("libraries")
    store(engine, folder, town)
    return [Addresses(engine, Bases(url, folder, small=0)) for _ in range(2)]


def told(scope, words):
    found = scope.matcher.match(words)
    return found.status, [scope.library.code(r) for r in found.rows]


def doors(engine, count):
    """Codes, texts and streets of some doors that no test has changed."""
    with engine.connect() as connection:
        return connection.execute(
            text("SELECT a.code, a.text, t.name, a.number_text FROM address a"
                 " JOIN thoroughfare t ON t.id = a.thoroughfare_id WHERE a.level IN ('premise','building')"
                 " AND a.number_text <> '' AND a.compound_id IS NULL AND a.status = 'issued' AND a.valid_to IS NULL"
                 " AND a.number < 8000 AND NOT EXISTS (SELECT 1 FROM address_alias s WHERE s.address_id = a.id)"
                 " ORDER BY a.id LIMIT :n"), {"n": count},
        ).all()  # fmt: skip


def copied(engine, code, number):
    """A new address beside another one: its code."""
    new = f"{number:04d}{code[4:]}"
    with engine.begin() as connection:
        connection.execute(
            text("INSERT INTO address (territory_id, code, level, building_id, community_id, thoroughfare_id, number,"
                 " number_text, text, origin, valid_from, geom, geom_3857) SELECT a.territory_id, :new, a.level,"
                 " building_id, community_id, thoroughfare_id, :number, :words, t.name || :words || '号', 'existing',"
                 " a.valid_from, a.geom, a.geom_3857 FROM address a JOIN thoroughfare t ON t.id = a.thoroughfare_id"
                 " WHERE a.code = :code"),
            {"new": new, "code": code, "number": number, "words": str(number)},
        )  # fmt: skip
    return new


def test_every_change_shows_at_once_in_every_worker(engine, shared):
    (first, words, road, _), (second, other, *_), (third, *_), (fourth, fourth_words, *_) = doors(engine, 4)
    assert [told(w.scope(), words) for w in shared] == [("exact", [first])] * 2
    new = copied(engine, first, 8001)
    address_life.revoke(engine, second, actor="test")
    address_life.merge(engine, third, fourth, actor="test")
    address_life.name(engine, fourth, "老供销社", "former", actor="test")
    answers = []
    for worker in shared:
        scope = worker.scope()
        answers.append([told(scope, w) for w in (f"{road}8001号", other, "老供销社", fourth_words, words)])
    assert answers[0] == answers[1]
    assert answers[0][0] == ("exact", [new])
    assert answers[0][1][0] != "exact"
    assert answers[0][2:] == [("exact", [fourth]), ("exact", [fourth]), ("exact", [first])]


def test_a_street_with_another_name_has_it_at_once(engine, shared):
    code, words, road, number = doors(engine, 1)[0]
    number = number.removesuffix("号")
    assert told(shared[0].scope(), words) == ("exact", [code])
    with engine.begin() as connection:
        connection.execute(text("UPDATE thoroughfare SET name = '新生路' WHERE name = :road"), {"road": road})
        connection.execute(
            text("UPDATE address SET text = replace(text, :road, '新生路') WHERE text LIKE :road || '%'"),
            {"road": road},
        )
    assert told(shared[0].scope(), f"新生路{number}号") == ("exact", [code])
    assert told(shared[0].scope(), words)[0] != "exact", "no street has that name any more"
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE thoroughfare SET aliases = ARRAY[:road] WHERE name = '新生路'"), {"road": road}
        )
    assert told(shared[1].scope(), words) == ("exact", [code])
    fresh = Addresses(engine).scope()
    for at in range(len(fresh.library)):
        asked = fresh.library.text(at)
        assert told(shared[1].scope(), asked) == told(fresh, asked)


def test_what_is_uncommitted_while_a_base_is_made_is_not_lost(engine, url, tmp_path, town):
    code, words, *_ = doors(engine, 1)[0]
    with engine.connect() as late:
        late.execute(
            text("UPDATE address SET status = 'revoked', valid_to = valid_from + 1 WHERE code = :c"), {"c": code}
        )
        store(engine, tmp_path, town)
        one, other = (Addresses(engine, Bases(url, tmp_path, small=0)) for _ in range(2))
        assert told(one.scope(), words) == ("exact", [code])
        late.commit()
    assert told(one.scope(), words)[0] != "exact"
    assert told(other.scope(), words)[0] != "exact", "read from the file, with what was committed later"
    with engine.begin() as connection:
        connection.execute(text("UPDATE address SET status = 'issued', valid_to = NULL WHERE code = :c"), {"c": code})
    assert told(other.scope(), words) == ("exact", [code])


def test_a_day_turns(engine, url, town):
    code, words, *_ = doors(engine, 1)[0]
    with engine.connect() as connection:
        today = publications.today(address_library.every(connection)[0])
    with engine.begin() as connection:
        connection.execute(
            text("UPDATE address SET valid_to = :d WHERE code = :c"), {"c": code, "d": today + timedelta(days=3)}
        )
    with engine.connect() as connection:
        base = library_bases.base_of(*library_bases.made(connection, town, today))
    assert len(base.turned(today + timedelta(days=3)) - base.turned(today + timedelta(days=2))) == 1
    own = Addresses(engine)
    assert told(own.scope(), words) == ("exact", [code])
    assert told(own.scope(day=today + timedelta(days=3)), words)[0] != "exact"
    with engine.begin() as connection:
        connection.execute(text("UPDATE address SET valid_to = NULL WHERE code = :c"), {"c": code})


@pytest.mark.parametrize("spoilt", ["", "cut", "flipped", "foreign"])
def test_a_spoilt_file_is_not_read(engine, url, tmp_path, town, spoilt):
    bases = Bases(url, tmp_path)
    with engine.connect() as connection:
        assert bases._stored(connection, town) is None, "there is none yet"
        path = path_of(tmp_path, address_library.source(connection), town)
        arrays, about = library_bases.made(connection, town, date(2020, 1, 1))
        library_files.write(path, arrays, about | ({"source": "another server"} if spoilt == "foreign" else {}))
        whole = bytearray(path.read_bytes())
        if spoilt == "flipped":
            whole[-100] ^= 1
        path.write_bytes(whole[: len(whole) // 2] if spoilt == "cut" else whole)
        assert (bases._stored(connection, town) is None) == bool(spoilt)


def test_while_a_library_is_made_the_asker_is_told_when_to_come_again(engine, url, tmp_path, town):
    code, words, *_ = doors(engine, 1)[0]
    with engine.connect() as connection:
        path = path_of(tmp_path, address_library.source(connection), town)
    path.write_bytes(b"no library")
    own = Addresses(engine, bases := Bases(url, tmp_path, small=0))
    with pytest.raises(BusyError) as raised:
        own.scope()
    assert raised.value.seconds >= 1
    bases.join()
    assert told(own.scope(), words) == ("exact", [code])
    assert told(Addresses(engine, Bases(url, tmp_path, small=0)).scope(), words) == ("exact", [code]), "by its file"


def test_a_folder_that_cannot_be_written_to_is_done_without(engine, url, tmp_path, town):
    code, words, *_ = doors(engine, 1)[0]
    (tmp_path / "file").write_text("no folder")
    own = Addresses(engine, Bases(url, tmp_path / "file" / "folder", small=0, wait=True))
    assert told(own.scope(), words) == ("exact", [code])


def test_a_large_change_lets_the_base_be_made_anew(engine, url, tmp_path, town, monkeypatch):
    from api.services.addresses import library_shelves

    code, words, *_ = doors(engine, 1)[0]
    store(engine, tmp_path, town)
    own = Addresses(engine, bases := Bases(url, tmp_path, small=0))
    before = own.scope()
    monkeypatch.setattr(library_shelves, "RENEW", 0)
    with engine.begin() as connection:
        connection.execute(text("UPDATE address SET status = 'revoked' WHERE code = :c"), {"c": code})
    assert told(own.scope(), words)[0] != "exact", "by what changed"
    bases.join()
    after = own.scope()
    assert told(after, words)[0] != "exact", "by the new base"
    assert len(after.library.parts) == 1, "nothing beside it"
    assert len(after.library) == len(before.library)
    with engine.begin() as connection:
        connection.execute(text("UPDATE address SET status = 'issued' WHERE code = :c"), {"c": code})


def test_changes_that_went_from_the_record_make_a_base_useless(engine, town):
    with engine.begin() as connection:
        stamp = address_library.stamp(connection)
        assert address_library.kept(connection, stamp)
        assert not address_library.kept(connection, address_library.Stamp(stamp.oldest, -5, ()))


def test_points_follow_changes(engine, shared):
    from api.services.addresses.matching import near

    code, words, *_ = doors(engine, 1)[0]
    scope = shared[0].scope()
    row = scope.matcher.match(words).rows[0]
    lon, lat = scope.library.position(row)
    assert code in {a.code for a in near(scope, lon, lat, "wgs84", 5).addresses}
    new = copied(engine, code, 8003)
    both = {a.code for a in near(shared[0].scope(), lon, lat, "wgs84", 5).addresses}
    assert {code, new} <= both
    with engine.begin() as connection:
        connection.execute(text("UPDATE address SET status = 'revoked' WHERE code = :c"), {"c": code})
    assert code not in {a.code for a in near(shared[0].scope(), lon, lat, "wgs84", 5).addresses}
