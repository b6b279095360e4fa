"""The running service needs no rights to change the schema: everything a use case writes works without them."""

import os

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from api.services import importing
from api.services.plans import partitioning, planning, publishing
from data.postgres.connect import new_engine
from data.postgres.server import deployment

pytestmark = pytest.mark.database


@pytest.fixture
def service(database_url):
    """An engine that logs in as the service's role."""
    if os.environ.get("TEST_DATABASE_URL"):
        pytest.skip("needs a server that lets any local role in")
    deployment.apply(database_url, [*deployment.missing(database_url), *deployment.grants(database_url)])
    engine = new_engine(database_url.replace("wangge@", f"{deployment.SERVICE_ROLE}@"))
    yield engine
    engine.dispose()


def test_import_plan_and_publish_without_ddl(service, drawn):
    rules = planning.ruleset_of("default")
    importing.import_sources(service, drawn(), "town", ruleset=rules, origin="drawn")
    partitioning.partition(service, "town", planning.Job(rules, iterations=1))
    assert publishing.publish(service, "town", demo_people=True).vacant == ()
    with pytest.raises(ProgrammingError, match="permission denied"), service.begin() as connection:
        connection.execute(text("CREATE TABLE mine (a int)"))
