"""The sample town: the same every time, exact where it has to be, wrong only where it says so."""

import re
import shutil
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from api.cli.main import cli
from data.samples.town import make_town
from data.samples.town.model import CRS, LAYERS
from data.samples.town.names import numeral
from data.samples.town.numbering import measure
from data.samples.town.shapes import smaller_pieces
from data.samples.town_file import frame_of, write_town
from gis.errors import InputError

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = ROOT / "data/samples/town.gpkg"


@pytest.fixture(scope="module")
def town():
    return make_town()


@pytest.fixture(scope="module")
def layers(town):
    return {name: frame_of(table) for name, table in town.tables.items()}


@pytest.fixture(scope="module")
def sound(layers):
    """Buildings without the ones spoiled on purpose."""
    spoiled = set(layers["mistakes"].query("layer == 'buildings'").feature)
    buildings = layers["buildings"]
    return buildings[~buildings.source_id.isin(spoiled)].reset_index(drop=True)


def mistakes(layers, kind):
    return layers["mistakes"].query("kind == @kind").to_dict("records")


# --- the same every time


def test_file_has_the_same_bytes_every_time(tmp_path):
    for name in "ab":
        write_town(make_town(1000, 7), tmp_path / f"{name}.gpkg")
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()


def test_another_process_makes_the_same_bytes(tmp_path):
    write_town(make_town(1000, 7), tmp_path / "a.gpkg")
    program = (
        "import sys, pathlib; from data.samples.town import make_town; from data.samples.town_file import write_town;"
        "write_town(make_town(1000, 7), pathlib.Path(sys.argv[1]))"
    )
    subprocess.run([sys.executable, "-c", program, tmp_path / "b.gpkg"], cwd=ROOT, check=True)
    assert (tmp_path / "a.gpkg").read_bytes() == (tmp_path / "b.gpkg").read_bytes()


def test_another_seed_makes_another_town():
    a, b = make_town(1000, 1), make_town(1000, 2)
    assert a["communities"].column("name") != b["communities"].column("name")
    assert not a["communities"].geometry[0].equals(b["communities"].geometry[0])


def test_committed_file_is_what_the_generator_makes(layers):
    assert COMMITTED.stat().st_size <= 3_000_000
    assert {name for name, _ in pyogrio.list_layers(COMMITTED)} == set(LAYERS)
    for name, made in layers.items():
        kept = gpd.read_file(COMMITTED, layer=name)
        assert len(kept) == len(made), f"{name}: run ./wangge sample -o data/samples/town.gpkg"
        for column in LAYERS[name]:
            ours = made[column].astype(object).where(made[column].notna(), None).tolist()
            theirs = kept[column].astype(object).where(kept[column].notna(), None).tolist()
            assert ours == theirs, (name, column)
        if isinstance(made, gpd.GeoDataFrame):
            assert kept.crs == CRS
            assert kept.geometry.to_wkb().tolist() == made.geometry.to_wkb().tolist()


# --- divisions


def test_communities_are_an_exact_coverage(layers):
    shapes = layers["communities"].geometry.to_numpy()
    assert shapely.coverage_is_valid(shapes)
    whole = shapely.coverage_union_all(shapes)
    assert whole.geom_type == "Polygon"
    assert not whole.interiors
    assert whole.area == pytest.approx(shapely.area(shapes).sum(), rel=1e-12)


def test_villager_groups_cover_their_village_exactly(layers):
    groups, communities = layers["villager_groups"], layers["communities"]
    urban = communities[communities.kind == "urban"].geometry.to_numpy()
    assert shapely.coverage_is_valid(np.concatenate([urban, groups.geometry.to_numpy()]))
    for row in communities[communities.kind == "rural"].itertuples():
        own = groups[groups.community == row.code].geometry.to_numpy()
        assert len(own) > 3
        assert shapely.coverage_union_all(own).equals(row.geometry)


def test_every_building_lies_in_the_community_it_names(layers):
    buildings, communities = layers["buildings"], layers["communities"].set_index("code")
    middles = shapely.point_on_surface(buildings.geometry.to_numpy())
    inside = shapely.STRtree(communities.geometry.to_numpy()).query(middles, predicate="intersects")
    assert Counter(inside[0].tolist()) == Counter(range(len(buildings)))
    named = communities.index[inside[1][np.argsort(inside[0])]]
    assert named.tolist() == buildings.community.tolist()


def test_codes_are_of_the_official_form(layers):
    communities = layers["communities"]
    assert communities.code.is_unique
    assert communities.name.is_unique
    assert communities.code.str.fullmatch(r"439901\d{6}").all()
    order = communities.code.str[9:].astype(int)
    urban = communities.kind == "urban"
    assert order[urban].between(1, 199).all()
    assert (order[~urban] >= 200).all()
    street = communities.code.str[6:9].astype(int)
    assert street[urban].between(1, 99).all()
    assert street[~urban].between(100, 199).all()
    assert set(communities.division) <= set(layers["divisions"].code)


def test_communities_are_of_a_size_that_grids_of_300_to_600_can_cut(layers):
    homes = layers["buildings"].groupby("community").households.sum()
    kind = layers["communities"].set_index("code").kind
    urban = homes[kind[homes.index] == "urban"]
    rural = homes[kind[homes.index] == "rural"]
    assert 6 <= len(urban) <= 9
    assert urban.between(1200, 3500).all()
    assert 2 <= len(rural) <= 3
    assert rural.between(200, 900).all()
    assert 12_000 <= homes.sum() <= 20_000


# --- buildings


def test_households_never_exceed_dwellings(layers):
    buildings = layers["buildings"].dropna(subset=["households"])
    assert (buildings.households <= buildings.dwellings).all()
    assert (buildings.occupied_households <= buildings.households).all()
    flats = buildings[buildings.use == "apartments"]
    assert (flats.dwellings % (flats.units * flats.floors) == 0).all()
    assert flats.households.between(8, 200).all()


def test_footprints_are_sound_except_where_it_is_said(sound):
    shapes = sound.geometry.to_numpy()
    assert shapely.is_valid(shapes).all()
    first, second = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    pairs = first < second
    overlap = shapely.area(shapely.intersection(shapes[first[pairs]], shapes[second[pairs]]))
    assert overlap.max() < 0.5


def test_no_building_stands_in_river_railway_wall_or_street(layers, sound):
    tree = shapely.STRtree(sound.geometry.to_numpy())
    for name in ("barriers", "streets"):
        assert not len(tree.query(layers[name].geometry.to_numpy(), predicate="intersects")[0]), name


def test_buildings_of_a_compound_are_numbered_once_and_lie_in_it(layers):
    compounds = layers["compounds"].set_index("name")
    flats = layers["buildings"].dropna(subset=["compound"])
    assert compounds.index.is_unique
    assert len(flats) > 200
    assert not flats.duplicated(["compound", "name"]).any()
    assert flats.name.str.fullmatch(r"\d+栋").all()
    assert shapely.contains(compounds.geometry[flats.compound].to_numpy(), flats.geometry.to_numpy()).all()


def test_some_compounds_have_phases_and_some_number_on_through_them(layers):
    compounds, flats = layers["compounds"], layers["buildings"].dropna(subset=["compound"])
    phased = compounds[compounds.phase.fillna("") != ""]
    assert phased.phase.isin(["一期", "二期", "三期"]).all()
    first = flats.assign(number=flats.name.str[:-1].astype(int)).groupby("compound").number.min()
    second = phased[phased.phase == "二期"].name
    assert (first[second] > 1).any()
    assert (first[second] == 1).any()


# --- streets


def test_streets_meet_at_shared_vertices(layers):
    lines = layers["streets"].geometry.to_numpy()
    assert shapely.is_valid(lines).all()
    assert shapely.length(lines).min() > 0.3
    used = Counter(p for line in lines for p in set(map(tuple, shapely.get_coordinates(line).tolist())))
    ends = [tuple(p) for line in lines for p in shapely.get_coordinates(line)[[0, -1]].tolist()]
    near = shapely.STRtree(lines).query(shapely.points(ends), predicate="dwithin", distance=0.5)[0]
    count = np.bincount(near, minlength=len(ends))
    assert not [p for p, n in zip(ends, count, strict=True) if n >= 2 and used[p] < 2]


def test_streets_cross_the_river_on_bridges_only(layers):
    barriers, streets = layers["barriers"], layers["streets"]
    river = barriers[(barriers.name == "湄水") & (barriers.geom_type == "Polygon")].geometry.iloc[0]
    crossing = streets[streets.intersects(river)]
    assert (crossing.bridge == "yes").all()
    assert len(crossing) >= 3
    assert set(barriers.kind) == {"water", "rail", "wall"}


def test_street_classes_and_names_are_those_of_a_town(layers):
    streets = layers["streets"]
    wanted = {
        "primary",
        "secondary",
        "tertiary",
        "residential",
        "living_street",
        "service",
        "footway",
        "unclassified",
    }
    assert wanted <= set(streets.highway)
    main = streets[streets.highway.isin(["primary", "secondary", "tertiary", "residential"])]
    assert (main.name != "").all()
    lanes = streets[streets.name.str.endswith(("巷", "里"))]
    assert len(lanes) > 30


# --- door numbers


def test_odd_numbers_stand_on_the_left_and_even_on_the_right(layers, sound):
    """Checked with one line a street, on the street's own geometry."""
    streets = layers["streets"].query("name != '' and bridge.isna()")
    pieces = streets.groupby("name").geometry.apply(list)
    doors = layers["addresses"].query("kind == 'door'")
    doors = doors[doors.building.isin(sound.source_id)]
    total = 0
    for name, group in doors.groupby("street"):
        if name not in pieces:
            continue
        along, left = measure(pieces[name], group.geometry.to_numpy())
        number = group.housenumber.str.removesuffix("号").astype(int).to_numpy()
        assert ((number % 2 == 1) == left).all(), name
        for side in (True, False):
            mine = number[left == side][np.argsort(along[left == side], kind="stable")]
            assert (np.diff(mine) > 0).all(), name
        total += len(group)
    assert total > 500


def test_numbers_have_gaps_and_some_houses_none(sound, layers):
    by_street = defaultdict(set)
    for row in sound.dropna(subset=["housenumber"]).itertuples():
        by_street[row.street].add(int(row.housenumber[:-1]))
    gaps = sum(max(n) > 2 * len(n) + 6 for n in by_street.values())
    assert gaps > 4
    fronts = sound[(sound.use == "house") & sound.villager_group.isna()]
    assert 0.05 < fronts.housenumber.isna().mean() < 0.3


# --- people


def test_every_community_and_every_post_has_someone(layers):
    workers, posts, assignments = layers["workers"], layers["posts"], layers["assignments"]
    assert set(posts.community) == set(layers["communities"].code)
    assert set(assignments.post) == set(posts.source_id)
    assert set(assignments.worker) == set(workers.source_id)
    assert workers.name.is_unique
    assert posts.phone.str.fullmatch(r"0000-\d{7}").all()  # no area code begins with 00
    homes = layers["buildings"].groupby("community").households.sum()
    grid = posts[posts.level == "grid"].groupby("community").size()
    assert (homes[grid.index] / grid).astype(float).between(250, 700).all()


# --- mistakes


def test_every_mistake_listed_is_there(layers):
    buildings, streets = layers["buildings"].set_index("source_id"), layers["streets"].set_index("source_id")
    kinds = set(layers["mistakes"].kind)
    assert kinds == {
        "duplicate_footprint", "self_crossing", "across_street", "missing_households", "wrong_side", "same_number",
        "unnamed_street", "duplicate_street",
    }  # fmt: skip
    for m in mistakes(layers, "duplicate_footprint"):
        assert buildings.geometry[m["feature"]].equals(buildings.geometry[m["other"]])
    for m in mistakes(layers, "self_crossing"):
        assert not buildings.geometry[m["feature"]].is_valid
    for m in mistakes(layers, "across_street"):
        assert buildings.geometry[m["feature"]].crosses(streets.geometry[m["other"]])
    for m in mistakes(layers, "missing_households"):
        assert pd.isna(buildings.households[m["feature"]])
    for m in mistakes(layers, "wrong_side"):
        now, right = (int(n[:-1]) for n in (buildings.housenumber[m["feature"]], m["note"]))
        assert (now - right) % 2
    for m in mistakes(layers, "same_number"):
        a, b = buildings.loc[m["feature"]], buildings.loc[m["other"]]
        assert (a.street, a.housenumber) == (b.street, b.housenumber)
    for m in mistakes(layers, "unnamed_street"):
        assert streets.name[m["feature"]] == ""
    for m in mistakes(layers, "duplicate_street"):
        assert streets.geometry[m["feature"]].equals(streets.geometry[m["other"]])


def test_nothing_else_is_wrong(layers):
    buildings, streets = layers["buildings"], layers["streets"]
    assert (~buildings.is_valid).sum() == 1
    assert buildings.geometry.to_wkb().duplicated().sum() == 1
    assert streets.geometry.to_wkb().duplicated().sum() == 1
    assert buildings.households.isna().sum() == 2
    numbered = buildings.dropna(subset=["housenumber"])
    assert numbered.duplicated(["street", "housenumber"]).sum() == 1


# --- parts


@given(st.integers(0, 10_000), st.floats(0, 1), st.integers(3, 40))
@settings(max_examples=40, deadline=None)
def test_cutting_land_loses_nothing(seed, wander, corners):
    rng = np.random.default_rng(seed)
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    radius = 200 * (1 + 0.2 * np.sin(corners * angle / 8))
    land = shapely.Polygon(np.round(np.column_stack([np.cos(angle), np.sin(angle)]) * radius[:, None], 2))
    pieces, cuts = smaller_pieces(land, 9000, rng, wander=wander)
    assert shapely.coverage_is_valid(pieces)
    assert shapely.coverage_union_all(pieces).equals(land)
    assert len(pieces) == len(cuts) + 1
    assert len(pieces) > 5


@pytest.mark.parametrize(("size", "seed"), [(1200, 0), (1500, 5), (3000, 123_456)])
def test_any_seed_makes_a_sound_town(size, seed):
    town = make_town(size, seed)
    shapes = np.array(town["communities"].geometry, dtype=object)
    assert shapely.coverage_is_valid(shapes)
    assert len(town["buildings"]) == pytest.approx(size, rel=0.1)
    assert all(town["buildings"].column("community"))


def test_numerals():
    assert [numeral(n) for n in (1, 10, 11, 20, 35)] == ["一", "十", "十一", "二十", "三十五"]


# --- the command


def test_sample_writes_a_file(tmp_path):
    out = tmp_path / "small.gpkg"
    result = CliRunner().invoke(cli, ["sample", "-o", str(out), "--size", "1000", "--seed", "3"])
    assert result.exit_code == 0, result.output
    assert len(gpd.read_file(out, layer="buildings")) > 900
    assert re.search(r"\d", result.output)
    assert [f.name for f in tmp_path.iterdir()] == ["small.gpkg"]


@pytest.mark.parametrize("arguments", [["--size", "10"], ["--size", "9999999"]])
def test_sample_refuses_what_it_cannot_make(tmp_path, arguments):
    result = CliRunner().invoke(cli, ["sample", "-o", str(tmp_path / "x.gpkg"), *arguments])
    assert isinstance(result.exception, InputError)
    assert not list(tmp_path.iterdir())


def test_sample_into_a_folder_that_is_not_there(tmp_path):
    result = CliRunner().invoke(cli, ["sample", "-o", str(tmp_path / "none" / "x.gpkg"), "--size", "1000"])
    assert isinstance(result.exception, InputError)


@pytest.mark.slow
def test_a_hundred_thousand_buildings(tmp_path):
    began = time.process_time()
    town = make_town(100_000, 1)
    write_town(town, tmp_path / "large.gpkg")
    seconds = time.process_time() - began
    assert 97_000 <= len(town["buildings"]) <= 103_000
    assert shapely.coverage_is_valid(town["communities"].geometry)
    assert len(set(town["communities"].column("code"))) == len(town["communities"])
    assert seconds < 900  # of one core: about a minute, several on a slow or crowded one
    shutil.rmtree(tmp_path)
