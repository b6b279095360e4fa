"""The migrations make exactly what the schema says, on a real PostGIS."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from data.postgres import schema
from data.postgres.connect import engine_of
from data.postgres.server import deployment, migrate
from gis.errors import SetupError

pytestmark = pytest.mark.database


def test_there_is_one_head():
    assert len(migrate.heads()) == 1
    assert list(migrate.heads()) == ScriptDirectory.from_config(migrate.config()).get_heads()


def test_migrations_do_not_lag_behind_the_schema(database_url):
    migrate.check(database_url)
    assert migrate.revision(database_url) == migrate.heads()[0]


def test_check_notices_a_missing_column(database_url):
    with engine_of(database_url) as engine, engine.begin() as connection:
        connection.execute(text("ALTER TABLE person DROP COLUMN public_phone"))
    with pytest.raises(CommandError):
        migrate.check(database_url)
    with engine_of(database_url) as engine, engine.begin() as connection:
        connection.execute(text("ALTER TABLE person ADD COLUMN public_phone text NOT NULL DEFAULT ''"))
    migrate.check(database_url)


def test_down_to_nothing_and_up_again(database_url):
    migrate.downgrade(database_url, "base")
    with engine_of(database_url) as engine, engine.connect() as connection:
        left = connection.execute(
            text("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'")
        ).scalars()
        assert set(left) & set(schema.metadata.tables) == set()
    migrate.upgrade(database_url)
    migrate.check(database_url)


def test_servers_that_start_at_once_make_one_database_ready_together(database_url):
    migrate.downgrade(database_url, "base")
    with ThreadPoolExecutor(3) as starting:
        list(starting.map(deployment.prepare, [database_url] * 3))
    migrate.check(database_url)


def test_every_served_layer_has_its_index(database_url):
    with engine_of(database_url) as engine, engine.connect() as connection:
        indexed = set(
            connection.execute(
                text("SELECT tablename FROM pg_indexes WHERE indexdef LIKE '%USING gist (geom_3857)%'")
            ).scalars()
        )
    served = {t.name for t in schema.metadata.tables.values() if "geom_3857" in t.c} - {"territory"}
    assert served <= indexed


def test_events_are_append_only(database_url):
    with engine_of(database_url) as engine:
        with engine.begin() as connection:
            connection.execute(text("INSERT INTO event (actor, kind, subject) VALUES ('a', 'b', 'c')"))
        for change in ("UPDATE event SET actor = 'x'", "DELETE FROM event"):
            with pytest.raises(DBAPIError), engine.begin() as connection:
                connection.execute(text(change))


def test_a_division_code_names_one_division_on_a_day(database_url):
    add = text(
        "INSERT INTO division (code, name, level, valid_from, valid_to)"
        " VALUES ('430104', :name, 'county', :since, :until)"
    )
    with engine_of(database_url) as engine:
        with engine.begin() as connection:
            connection.execute(add, {"name": "西区", "since": "1990-01-01", "until": "1996-07-01"})
            connection.execute(add, {"name": "岳麓区", "since": "1996-07-01", "until": None})
        with pytest.raises(IntegrityError), engine.begin() as connection:
            connection.execute(add, {"name": "别名", "since": "2000-01-01", "until": "2001-01-01"})


def test_a_server_that_does_not_answer_is_told():
    with pytest.raises(SetupError, match="db_unreachable"):
        migrate.revision("postgresql+psycopg://nobody@127.0.0.1:1/none?connect_timeout=3")


def test_a_server_of_ones_own_is_not_migrated_unasked(database_url, monkeypatch):
    from api.services.operating import database

    monkeypatch.setenv("DATABASE_URL", database_url)
    assert database.ready() == database_url
    migrate.downgrade(database_url, "base")
    with pytest.raises(SetupError, match="db_old_schema"):
        database.ready()
    migrate.upgrade(database_url)
