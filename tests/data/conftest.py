"""A drawn town in the database, for the tests of the store."""

from __future__ import annotations

import pytest
import shapely

from gis.territory.layers import make_areas, make_buildings, make_sources, make_streets

STEP = 200.0  # metres between streets
ROWS, COLUMNS = 3, 4
#: 40 households in each of 6 buildings of a block: 240 a block, so a grid of 300-600 takes two blocks.
HOMES = 40
LEFT, BOTTOM = 500_000, 3_000_000


def draw_town(homes=HOMES, skip=(), communities=True, digest="one"):
    """3 x 4 blocks between straight streets, six buildings a block, one community a half, one compound."""
    right, top = LEFT + COLUMNS * STEP, BOTTOM + ROWS * STEP
    lines = [[(LEFT + i * STEP, BOTTOM), (LEFT + i * STEP, top)] for i in range(COLUMNS + 1)]
    lines += [[(LEFT, BOTTOM + j * STEP), (right, BOTTOM + j * STEP)] for j in range(ROWS + 1)]
    boxes, ids = [], []
    for i in range(COLUMNS):
        for j in range(ROWS):
            for k in range(6):
                name = f"b{i}{j}{k}"
                if name not in skip:
                    x, y = LEFT + i * STEP + 30 + 60 * (k % 3), BOTTOM + j * STEP + 40 + 80 * (k // 3)
                    boxes.append(shapely.box(x, y, x + 30, y + 30))
                    ids.append(name)
    middle = LEFT + COLUMNS * STEP / 2
    areas = [shapely.box(LEFT, BOTTOM, middle, top), shapely.box(middle, BOTTOM, right, top)]
    n = len(ids)
    return make_sources(
        "EPSG:32650",
        streets=make_streets(
            [shapely.LineString(c) for c in lines],
            source_id=[f"s{k}" for k in range(len(lines))],
            name=[f"{k}号路" for k in range(len(lines))],
        ),
        buildings=make_buildings(
            boxes,
            source_id=ids,
            use=["apartments"] * n,
            name=[f"{i[3:]}栋" if i.startswith("b00") else "" for i in ids],
            households=[float(homes)] * n,
        ),
        compounds=make_areas(
            [shapely.box(LEFT + 10, BOTTOM + 10, LEFT + 190, BOTTOM + 190)], source_id=["x1"], name=["翠湖公馆"]
        ),
        communities=make_areas(
            areas if communities else [],
            source_id=["c1", "c2"] if communities else [],
            code=["430104007001", "430104007002"] if communities else [],
            name=["东社区", "西社区"] if communities else [],
        ),
        digest=digest,
    )


@pytest.fixture
def drawn():
    """The drawing, for tests that change it."""
    return draw_town


@pytest.fixture(scope="module")
def engine(database_url):
    """An engine on this module's own database."""
    from data.postgres.connect import new_engine

    engine = new_engine(database_url)
    yield engine
    engine.dispose()


@pytest.fixture
def rows(engine):
    """Ask the database: ``rows("SELECT ...", name=value)``."""
    from sqlalchemy import text

    def ask(query, **values):
        with engine.connect() as connection:
            return connection.execute(text(query), values).all()

    return ask


@pytest.fixture
def one(rows):
    """The single value of a query."""

    def ask(query, **values):
        ((value,),) = rows(query, **values)
        return value

    return ask


@pytest.fixture
def territory(engine, request):
    """The drawn town as a territory of this test's own, with a draft plan."""
    from api.services import importing
    from api.services.plans import partitioning, planning

    name = request.node.name
    rules = planning.ruleset_of("default")
    importing.import_sources(engine, draw_town(), name, ruleset=rules, origin="drawn")
    partitioning.partition(engine, name, planning.Job(rules, seed=1, iterations=2))
    return name
