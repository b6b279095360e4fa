"""Fixtures every layer's tests share: a migrated database, cloned from a template in a fraction of a second."""

from __future__ import annotations

import fcntl
import hashlib
import itertools
import os
import re
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

from data.machine import places
from data.postgres.server.cluster import Cluster, sqlalchemy_url
from tests import failure_notes

ROOT = Path(__file__).resolve().parents[1]
HOME = places.home()
TURN = places.state() / "pg-test.lock"
#: Rough identity of one migrated schema: a change of any of these makes a new template.
SCHEMA_SOURCES = ("data/postgres/migrations/**/*.py", "data/postgres/schema*.py", "data/postgres/server/migrate.py")
#: How long an example takes says nothing on a machine that does other things too; all else as ever (CI: no chance).
settings.register_profile("patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
#: Seconds in which whatever the tests started has ended with them.
ENDING = 120
LOGS = pytest.StashKey[Path]()
#: Advisory lock under which one of several test runs makes the template.
TEMPLATE_LOCK = 7_215_001


#: Files whose tests take longest, longest first: where several processes share the tests, none ends long before
#: the others. What is not named follows.
LONGEST = (
    "api/test_memory_flat.py",
    "e2e/test_readme.py",
    "api/test_plan_files.py",
    "api/test_long_runs.py",
    "data/test_sample_town.py",
    "web/test_map.py",
    "api/test_cluster.py",
    "e2e/test_notebooks.py",
    "api/test_bench_serving.py",
    "api/test_server_bad_days.py",
    "gis/test_blocks_extracts.py",
    "api/test_plan_odd_inputs.py",
    "api/test_tiles_fresh.py",
    "data/test_database_command.py",
    "api/test_explain_compare.py",
    "web/test_locate.py",
    "web/test_plate_page.py",
    "api/test_openapi.py",
    "e2e/test_setup_launcher.py",
    "api/test_report.py",
    "api/test_store_commands.py",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """One process of several begins with the files that take longest."""
    if hasattr(config, "workerinput"):
        rank = {name: k for k, name in enumerate(LONGEST)}
        items.sort(key=lambda item: rank.get(item.path.relative_to(ROOT / "tests").as_posix(), len(rank)))


@pytest.fixture(scope="session", autouse=True)
def _folder_of_logs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tells the report of a failure where programs that the tests start write what they say."""
    request.config.stash[LOGS] = tmp_path_factory.getbasetemp()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """What a failure on a machine elsewhere is to be understood by: its load, and the ends of the newest logs."""
    report = yield
    if report.failed and LOGS in item.config.stash:
        report.sections += failure_notes.sections(item.config.stash[LOGS])
    return report


@pytest.fixture(scope="session", autouse=True)
def _leave_real_database_alone() -> None:
    """No test may reach the database a person works with."""
    os.environ.pop("DATABASE_URL", None)


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """What a shell script runs in the background ignores Ctrl-C, and so would all that the tests start."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _nothing_left_running(_leave_real_database_alone: None) -> Iterator[None]:
    """Every program that the tests started has ended with them, whoever its parent is by now."""
    name, value = "WANGGE_TEST_RUN", str(os.getpid())
    os.environ[name] = value
    yield
    end = time.monotonic() + ENDING
    while (left := _started_with(f"{name}={value}")) and time.monotonic() < end:
        time.sleep(0.1)
    assert not left, "the tests left processes running"


def _started_with(mark: str) -> list[str]:
    """Command lines of processes with this in their environment (Linux only), but for what ends with the run."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (process / "environ").read_bytes().split(b"\0"):
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip())
        except OSError:
            continue  # ended meanwhile, or another user's
    # the server of all test runs, which the last of them stops; what Python keeps to its end
    ours = ("postgres:", "/pg-test/", "multiprocessing.resource_tracker", "multiprocessing.forkserver")
    return [command for command in found if command and not any(part in command for part in ours)]


@dataclass
class Server:
    """A PostgreSQL server for tests: databases are made below one prefix and dropped at the end."""

    admin_url: str
    prefix: str
    suffix: str = ""
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def name(self, part: str) -> str:
        return f"{self.prefix}_{part}{self.suffix}"

    def url(self, name: str) -> str:
        head, _, query = self.admin_url.partition("?")
        return f"{head.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")

    def connect(self):
        import psycopg

        return psycopg.connect(self.admin_url.replace("postgresql+psycopg://", "postgresql://"), autocommit=True)


@contextmanager
def _test_cluster() -> Iterator[Cluster]:
    """The cluster for tests, in the state this run began with: a module may have set a home of its own since."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("WANGGE_HOME", str(HOME))
        yield Cluster("pg-test", durable=False)


@contextmanager
def _alone() -> Iterator[None]:
    """One test run at a time starts the test server and connects, or looks whether it is the last and stops it."""
    TURN.parent.mkdir(parents=True, exist_ok=True)
    with TURN.open("w", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _test_server() -> Server:
    given = os.environ.get("TEST_DATABASE_URL", "").strip()
    if not given:
        with _test_cluster() as cluster:
            return Server(cluster.up(), "wangge")
    url = sqlalchemy_url(given)
    name = url.partition("?")[0].rpartition("/")[2]
    if not name.endswith("_test"):
        pytest.fail(f"TEST_DATABASE_URL names the database {name!r}: tests only use one whose name ends in _test")
    return Server(url, name.removesuffix("_test"), "_test")


def _schema_hash() -> str:
    files = sorted({f for pattern in SCHEMA_SOURCES for f in ROOT.glob(pattern)})
    return hashlib.sha256(b"\0".join(f.read_bytes() for f in files)).hexdigest()[:12]


def _drop_leftovers(server: Server, connection) -> None:
    """Databases of test runs that were killed."""
    from data.machine.processes import alive

    pattern = re.compile(re.escape(server.name("@")).replace("@", r"run_(\d+)_\d+"))
    for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall():
        found = pattern.fullmatch(name)
        if found and not alive(int(found[1])):
            _patiently(connection, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _patiently(connection, statement: str) -> None:
    """Run what needs a database without sessions: the server waits five seconds for them to end, then gives up."""
    from psycopg.errors import ObjectInUse

    for attempt in range(24):
        try:
            connection.execute(statement)
        except ObjectInUse:
            if attempt == 23:
                raise
        else:
            return


def _make_template(server: Server, connection) -> str:
    from data.postgres.server import migrate

    name = server.name(f"template_{_schema_hash()}")
    connection.execute("SELECT pg_advisory_lock(%s)", (TEMPLATE_LOCK,))
    try:
        if not server.suffix:
            _make_role(connection)
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone():
            return name
        making = server.name("template_making")
        _patiently(connection, f'DROP DATABASE IF EXISTS "{making}" WITH (FORCE)')
        _patiently(connection, f'CREATE DATABASE "{making}"')
        migrate.upgrade(server.url(making))
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()",
            (making,),
        )
        _patiently(connection, f'ALTER DATABASE "{making}" RENAME TO "{name}"')
    finally:
        connection.execute("SELECT pg_advisory_unlock(%s)", (TEMPLATE_LOCK,))
    return name


def _make_role(connection) -> None:
    """The role of the service belongs to all databases of a server: two tests that made it at once would collide."""
    from data.postgres.server.deployment import SERVICE_ROLE

    if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (SERVICE_ROLE,)).fetchone():
        connection.execute(f"CREATE ROLE {SERVICE_ROLE} LOGIN")


@pytest.fixture(scope="session")
def database_server(_leave_real_database_alone: None) -> Iterator[tuple[Server, str]]:
    """The test server and the name of its migrated template. On Linux a missing PostGIS is a failure, not a skip."""
    from gis.errors import SetupError

    with _alone():
        try:
            server = _test_server()
        except SetupError as error:
            from api.messages import of_error

            say = pytest.fail if sys.platform == "linux" else pytest.skip
            say(f"no PostGIS for the database tests: {of_error(error, 'en')}")
        # held open to the end: the last run that has one stops the server
        connection = server.connect()
    with connection:
        _drop_leftovers(server, connection)
        yield server, _make_template(server, connection)
        _drop_own(server, connection)
        with _alone():
            others = connection.execute(
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
            ).fetchone()
            connection.close()
            if others == (0,) and not server.suffix:
                with _test_cluster() as cluster:
                    cluster.down()


def _drop_own(server: Server, connection) -> None:
    mine = server.name(f"run_{os.getpid()}_")[: -len(server.suffix) or None]
    for (name,) in connection.execute("SELECT datname FROM pg_database").fetchall():
        if name.startswith(mine):
            _patiently(connection, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def database_url(database_server: tuple[Server, str]) -> Iterator[str]:
    """SQLAlchemy's address of an empty migrated database of this module's own; dropped afterwards."""
    server, template = database_server
    name = server.name(f"run_{os.getpid()}_{next(server.numbers)}")
    with server.connect() as connection:
        # two clones of one template at once make the second wait, not fail
        connection.execute("SELECT pg_advisory_lock(%s)", (TEMPLATE_LOCK,))
        _patiently(connection, f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        connection.execute("SELECT pg_advisory_unlock(%s)", (TEMPLATE_LOCK,))
    yield server.url(name)
    with server.connect() as connection:
        _patiently(connection, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of the Chromium for browser tests; where the machine has none, they skip and say how to get it."""
    from api.messages import text
    from data.machine import node
    from data.machine.chromium import find
    from gis.progress import silent

    found = find()
    if found is None:
        pytest.skip(text("setup_chromium_absent", "en"))
    # the Node inside Playwright's wheel needs libatomic, which a bare Debian 12 lacks: ours built the pages already
    os.environ.setdefault("PLAYWRIGHT_NODEJS_PATH", str(node.ensure(silent) / "node"))
    return found
