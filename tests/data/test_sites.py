"""Places without residents: read from every kind of input, kept in the database, taken out of plans there."""

from __future__ import annotations

from dataclasses import replace

import geopandas
import numpy as np
import pyogrio
import pytest
import shapely
from sqlalchemy import text

from api.services import importing
from api.services.plans import partitioning, planning, publishing
from data.files import read_sources
from data.osm import read_osm
from data.postgres.imported import sources as stored_sources
from data.postgres.imported import territories
from data.postgres.unit_of_work import UnitOfWork
from gis.districting.rulesets import SITE_KINDS
from gis.territory.layers import make_sites
from gis.territory.sites import OF_TAG, OF_USE, OF_WORD, kind_of_tags, kind_of_word

XML = """<?xml version="1.0" encoding="UTF-8"?>
<osm version="0.6">
 <node id="1" lat="28.2000" lon="112.9000"/> <node id="2" lat="28.2000" lon="112.9010"/>
 <node id="3" lat="28.2010" lon="112.9010"/> <node id="4" lat="28.2010" lon="112.9000"/>
 <way id="7"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="4"/><nd ref="1"/>
  <tag k="amenity" v="school"/><tag k="name" v="第一中学"/></way>
 <way id="8"><nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/>
  <tag k="building" v="yes"/><tag k="shop" v="mall"/><tag k="name" v="广场"/></way>
 <way id="9"><nd ref="1"/><nd ref="2"/><nd ref="4"/><nd ref="1"/><tag k="leisure" v="pitch"/></way>
</osm>
"""


def test_every_word_means_a_kind_that_rulesets_know():
    assert {*OF_TAG.values(), *OF_WORD.values(), *OF_USE.values()} == set(SITE_KINDS)
    assert kind_of_tags({"amenity": "university"}) == "campus"
    assert kind_of_tags({"amenity": "bench"}) == ""
    assert (kind_of_word(" School "), kind_of_word("公园"), kind_of_word("farmland")) == ("school", "park", "")


def test_areas_of_openstreetmap(tmp_path):
    (tmp_path / "a.osm").write_text(XML, encoding="utf-8")
    read = read_osm(tmp_path / "a.osm")
    found = dict(zip(read.sites.source_id, zip(read.sites.kind, read.sites.name, strict=True), strict=True))
    assert found == {"way/7": ("school", "第一中学"), "way/8": ("mall", "广场")}
    assert len(read.buildings) == 1  # a mall is a building as well


@pytest.mark.parametrize("layer", ["sites", "landuse", "compounds"])
def test_layers_of_geopackages(tmp_path, layer):
    box = shapely.box(401000, 3098000, 401100, 3098100)
    frame = geopandas.GeoDataFrame(
        {"source_id": ["a", "b"], "kind": ["hospital", "farmland"], "name": ["县医院", ""]}, geometry=[box, box]
    )
    houses = geopandas.GeoDataFrame({"source_id": ["h"]}, geometry=[box.centroid.buffer(5)], crs="EPSG:4547")
    pyogrio.write_dataframe(houses, tmp_path / "a.gpkg", layer="buildings")
    pyogrio.write_dataframe(frame.set_crs("EPSG:4547"), tmp_path / "a.gpkg", layer=layer, append=True)
    sites = read_sources(tmp_path / "a.gpkg").sites
    assert (sites.source_id.tolist(), sites.kind.tolist(), sites.name.tolist()) == (["a"], ["hospital"], ["县医院"])


@pytest.mark.database
def test_a_school_of_the_database_is_a_grid_that_keeps_its_number(engine, drawn):
    town = drawn()
    # the six buildings of the north-eastern block become a school
    block = shapely.box(500_600, 3_000_400, 500_800, 3_000_600)
    inside = shapely.intersects(block, town.buildings.geometry)
    households = np.where(inside, 0.0, town.buildings.households)
    buildings = replace(town.buildings, households=households)
    school = make_sites([block], source_id=["w1"], kind=["school"], name=["第一中学"])
    changed = replace(town, buildings=buildings, sites=school)
    importing.import_sources(engine, changed, "有学校", ruleset=planning.ruleset_of("lugu"), origin="drawn")
    with UnitOfWork(engine, read_only=True) as work:
        territory = territories.get(work.connection, "有学校")
        assert stored_sources.sites(work.connection, territory).name.tolist() == ["第一中学"]
    rules = replace(planning.ruleset_of("lugu"), micro=None)
    codes = []
    for seed in (1, 2):
        partitioning.partition(engine, "有学校", planning.Job(rules, seed=seed, iterations=1))
        done = publishing.publish(engine, "有学校").publication
        with engine.connect() as connection:
            rows = connection.execute(
                text(
                    "SELECT code, name, households FROM grid_version WHERE publication_id = :p AND kind = 'dedicated'"
                ),
                {"p": done.id},
            ).all()
        assert [tuple(r)[1:] for r in rows] == [("第一中学专属网格", 0)]
        codes.append(rows[0][0])
    assert codes[0] == codes[1]
    assert codes[0].endswith("901")
