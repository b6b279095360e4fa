"""Lists come in pages: every page names the next, all of them together are the whole, each thing once."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.database


def pages(client, path, name):
    """Every item of a list, page after page, and how many pages there were."""
    items, count = [], 0
    while path:
        answer = client.get(path)
        assert answer.status_code == 200, answer.text
        items += answer.json[name]
        count += 1
        path = answer.json["next"]
    return items, count


def test_territories_page_by_page(client, world):
    items, count = pages(client, "/api/territories?limit=1", "territories")
    assert [t["id"] for t in items] == sorted(world.grids)
    named = client.get("/ogc/collections/grids/items").json["features"]
    assert {t["territory"] for t in items} == {f["properties"]["territory"] for f in named}
    assert count == 2
    assert pages(client, "/api/territories", "territories") == (items, 1)
    assert client.get("/api/territories?after=999999").json == {"territories": [], "next": None}


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
def test_hits_page_by_page(client, limit):
    """第1网格 is a name of both territories; every other hit holds the text somewhere."""
    whole, _ = pages(client, "/api/search?q=第1&limit=50", "results")
    items, count = pages(client, f"/api/search?q=第1&limit={limit}", "results")
    assert count == -(-len(items) // limit)
    keys = [(i["kind"], i["label"], i["territory"], i["grid_id"]) for i in items]
    assert len(set(keys)) == len(keys)
    assert set(keys) == {(i["kind"], i["label"], i["territory"], i["grid_id"]) for i in whole}
    assert len(keys) > 20


def test_pages_do_not_go_on_for_ever(client):
    assert client.get("/api/search?q=网格&after=1000").json["next"] is None
    assert client.get("/api/search?q=网格&after=1001").status_code == 400
    assert client.get("/api/territories?limit=0").status_code == 400
