"""A unit of work keeps nothing unless it is told to."""

import pytest
from sqlalchemy import text

from data.postgres.connect import new_engine
from data.postgres.unit_of_work import UnitOfWork

pytestmark = pytest.mark.database

ADD = text("INSERT INTO jurisdiction (name) VALUES ('湘江新区')")
COUNT = text("SELECT count(*) FROM jurisdiction")


@pytest.fixture
def engine(database_url):
    engine = new_engine(database_url)
    yield engine
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM jurisdiction"))
    engine.dispose()


def count(engine):
    with engine.connect() as connection:
        return connection.execute(COUNT).scalar_one()


def test_leaving_without_commit_undoes_everything(engine):
    with UnitOfWork(engine) as work:
        work.connection.execute(ADD)
    assert count(engine) == 0


def test_an_error_undoes_everything(engine):
    with pytest.raises(Exception, match="division by zero"), UnitOfWork(engine) as work:  # noqa: PT012
        work.connection.execute(ADD)
        work.connection.execute(text("SELECT 1 / 0"))
    assert count(engine) == 0


def test_commit_keeps_and_closes(engine):
    with UnitOfWork(engine) as work:
        work.connection.execute(ADD)
        work.commit()
        with pytest.raises(RuntimeError):
            _ = work.connection
    assert count(engine) == 1


def test_read_only_refuses_to_write(engine):
    with UnitOfWork(engine, read_only=True) as work, pytest.raises(Exception, match="read-only"):
        work.connection.execute(ADD)


def test_a_unit_of_work_is_used_once(engine):
    work = UnitOfWork(engine)
    with pytest.raises(RuntimeError):
        _ = work.connection
    with work:
        pass
    with pytest.raises(RuntimeError), work:
        pass
