"""A plate's page: every state of a code says so, reports are kept without their sender, hostile bodies refused."""

from __future__ import annotations

import io
import re
import struct
import zlib

import pytest
from PIL import Image

from api.context import KEY
from gis.addressing.codes import plate_url, printed
from tests.published_world import HOST, LONG_AGO, Writer, code_of
from tests.published_world import KEY as SECRET

pytestmark = pytest.mark.database

SAYS = {
    "lost_plate": "已报遗失", "replaced_plate": "已更换", "revoked": "已作废", "split": "已拆分",
    "merged": "并入",
}  # fmt: skip


@pytest.fixture(scope="module")
def town(world):
    """The small world with addresses in every state: merged twice over, split, plates lost and replaced."""
    import psycopg

    with psycopg.connect(world.url.replace("postgresql+psycopg://", "postgresql://")) as connection:
        write = Writer(connection, 4547)
        row = connection.execute(
            "SELECT territory_id, building_id, community_id, thoroughfare_id, ST_AsBinary(geom) FROM address"
            " WHERE code = %s", [world.codes["good"]],
        ).fetchone()  # fmt: skip
        import shapely

        spot = shapely.from_wkb(bytes(row[4]))
        same = {"territory_id": row[0], "building_id": row[1], "community_id": row[2], "thoroughfare_id": row[3]}
        (batch,) = connection.execute("SELECT min(id) FROM plate_batch").fetchone()
        ids = {
            "good": connection.execute("SELECT id FROM address WHERE code = %s", [world.codes["good"]]).fetchone()[0]
        }

        def address(what, number, status="issued", **more):
            code = code_of(555_000_000_000 + number)
            ids[what] = write.add(
                "address", spot, code=code, level="premise", number=number, number_text=f"{number}号",
                text=f"麓山路{number}号", origin="issued", status=status, valid_from=LONG_AGO, **same, **more,
            )  # fmt: skip
            world.codes[what] = code

        ended = {"valid_to": "2025-03-01"}
        address("middle", 31, "merged", successor_id=ids["good"], **ended)
        address("merged", 33, "merged", successor_id=ids["middle"], **ended)
        address("split", 35, "split", **ended)
        address("gone", 37, "revoked", **ended)
        address("merged_away", 39, "merged", successor_id=ids["gone"], **ended)
        for what in ("lost_plate", "replaced_plate", "renamed"):
            address(what, 50 + len(ids))
        for part in ("good", "renamed"):
            write.add("address_succession", address_id=ids["split"], successor_id=ids[part], kind="split",
                      valid_from="2025-03-01")  # fmt: skip
        for what, status, shown in (
            ("lost_plate", "lost", ""), ("replaced_plate", "replaced", ""), ("renamed", "installed", "老街7号"),
        ):  # fmt: skip
            write.add("plate", address_id=ids[what], batch_id=batch, key_id="A", status=status, shown=shown,
                      payload=plate_url(HOST, world.codes[what], "A", SECRET), since="2026-02-03")  # fmt: skip
        for text, kind, end in (("湖畔公馆3栋", "alias", None), ("旧名9号", "former", "2022-01-01"),
                                ("过期别名", "alias", "2021-01-01")):  # fmt: skip
            write.add(
                "address_alias", address_id=ids["good"], text=text, kind=kind, valid_from=LONG_AGO, valid_to=end
            )
        write.add("foreign_code", address_id=ids["good"], system="公安门牌", code="430104-77", valid_from=LONG_AGO)
    return world


def tail(world, what):
    return plate_url(HOST, world.codes[what], "A", SECRET).rpartition("/")[2]


def picture(kind="JPEG", size=(400, 300), **options):
    out = io.BytesIO()
    Image.new("RGB", size, "navy").save(out, kind, **options)
    return out.getvalue()


def sent(client, path, words="路灯坏了", photo=None, **headers):
    body = {"text": words}
    if photo is not None:
        body["photo"] = (io.BytesIO(photo), "photo.jpg")
    return client.post(path, data=body, content_type="multipart/form-data", headers=headers)


def asked(app, query, **values):
    from sqlalchemy import text

    with app.extensions[KEY].engine.connect() as connection:
        return connection.execute(text(query), values).all()


@pytest.mark.parametrize(("what", "status"), [("lost_plate", 410), ("replaced_plate", 410), ("split", 200)])
def test_a_void_plate_says_so_and_nothing_of_people(client, town, what, status):
    page = client.get(f"/d/{tail(town, what)}")
    assert page.status_code == status
    assert SAYS[what] in page.text
    assert "张三" not in page.text
    assert "12345" in page.text
    assert len(page.data) <= 10_240


def test_a_lost_plate_leads_to_the_address_as_it_is_now(client, town):
    page = client.get(f"/d/{tail(town, 'lost_plate')}")
    assert f'href="/d/{town.codes["lost_plate"]}"' in page.text
    assert "2026-02-03" in page.text
    typed = client.get(f"/d/{town.codes['lost_plate']}")
    assert typed.status_code == 200
    assert "手工输入" in typed.text


def test_a_merged_code_is_answered_by_the_survivor_of_all_mergers(client, town):
    page = client.get(f"/d/{town.codes['merged']}")
    assert page.status_code == 200
    for words in ("麓山路12号", "麓山路33号", "并入", "2025-03-01", "张三", "手工输入", printed(town.codes["good"])):
        assert words in page.text
    found = client.get(f"/d/{town.codes['merged']}.json").json
    assert (found["verdict"], found["successor"]) == ("merged", town.codes["good"])
    assert (found["address"], found["shown"]) == ("麓山路12号", "麓山路33号")
    gone = client.get(f"/d/{town.codes['merged_away']}.json")
    assert (gone.status_code, gone.json["verdict"]) == (410, "revoked")


def test_search_by_a_merged_code_finds_the_survivor(client, town):
    (found,) = client.get("/api/search", query_string={"q": town.codes["merged"]}).json["results"]
    assert (found["label"], found["url"]) == ("麓山路12号", f"/d/{town.codes['good']}")
    for what in ("gone", "merged_away", "split"):
        assert client.get("/api/search", query_string={"q": town.codes[what]}).json["results"] == []


def test_before_the_merger_the_code_spoke_for_itself(client, town):
    found = client.get(f"/d/{town.codes['merged']}.json?as_of=2025-02-28").json
    assert (found["verdict"], found["address"]) == ("typed", "麓山路33号")
    assert client.get(f"/d/{town.codes['gone']}.json?as_of=2025-02-28").json["verdict"] == "typed"


def test_a_split_code_names_its_parts(client, town):
    found = client.get(f"/d/{town.codes['split']}.json").json
    assert found["verdict"] == "split"
    assert [p["code"] for p in found["parts"]] == [town.codes["good"], town.codes["renamed"]]
    page = client.get(f"/d/{town.codes['split']}").text
    assert all(f'href="/d/{town.codes[part]}"' in page for part in ("good", "renamed"))


def test_both_branches_former_names_and_other_systems(client, town):
    page = client.get(f"/d/{tail(town, 'good')}").text
    for words in ("湖畔公馆3栋", "旧名9号", "公安门牌", "430104-77"):
        assert words in page
    assert "过期别名" not in page
    earlier = client.get(f"/d/{tail(town, 'good')}.json?as_of=2020-06-01").json
    assert earlier["aliases"] == ["湖畔公馆3栋", "过期别名"]


def test_a_plate_with_an_old_name_shows_both(client, town):
    page = client.get(f"/d/{tail(town, 'renamed')}").text
    assert "老街7号" in page
    assert "麓山路" in page


def test_a_code_is_typed_by_hand(client, town):
    blank = client.get("/d/")
    assert blank.status_code == 200
    assert 'name="code"' in blank.text
    code = town.codes["good"]
    for typed in (f"{code[:4]} {code[4:8]}-{code[8:]}", f"https://elsewhere.example/d/{code}"):
        answer = client.get("/d/", query_string={"code": typed})
        assert (answer.status_code, answer.headers["Location"]) == (303, f"/d/{code}")
    assert client.get("/d/", query_string={"code": "//evil.example/"}).status_code == 404
    assert client.get("/d/", query_string={"code": "1" * 400}).status_code == 400


@pytest.mark.parametrize("what", ["good", "renamed"])
def test_no_script_no_resident_no_question_who_one_is(client, town, what):
    page = client.get(f"/d/{tail(town, what)}")
    assert len(page.data) <= 10_240
    assert "<script" not in page.text
    assert " on" not in re.sub(r">[^<]*<", "><", page.text).replace(" one", "")
    assert set(re.findall(r'name="(\w+)"', page.text)) <= {"viewport", "robots", "text", "photo", "website"}
    assert "Set-Cookie" not in page.headers


def test_a_report_is_kept_with_its_grid_and_without_its_sender(app, client, town):
    answer = sent(client, f"/d/{tail(town, 'good')}/report", "路灯\x00坏了\r\n三天\u202e", picture(quality=95))
    assert answer.status_code == 303
    number = re.search(r"sent=(\d{6}-\w{6})$", answer.headers["Location"])[1]
    page = client.get(answer.headers["Location"])
    assert number in page.text
    ((kind, words, place, code, grid, photo, whole),) = asked(
        app,
        "SELECT r.kind, r.text, r.place, a.code, v.code, r.photo, r::text FROM report r JOIN address a"
        " ON a.id = r.address_id JOIN grid_version v ON v.grid_id = r.grid_id JOIN publication p"
        " ON p.id = v.publication_id AND p.valid_to IS NULL WHERE r.number = :n", n=number,
    )  # fmt: skip
    assert (kind, words, place) == ("problem", "路灯坏了\n三天", "麓山路12号")
    assert (code, grid) == (town.codes["good"], "sample-000")
    assert Image.open(io.BytesIO(bytes(photo))).size == (400, 300)
    assert "127.0.0.1" not in whole


def test_this_plate_hangs_elsewhere(app, client, town):
    assert sent(client, f"/d/{tail(town, 'renamed')}/elsewhere", "").status_code == 303
    told = "SELECT p.elsewhere, p.shown FROM report r JOIN plate p ON p.id = r.plate_id WHERE r.kind = 'elsewhere'"
    ((flagged, shown),) = asked(app, told)
    assert (flagged, shown) == (True, "老街7号")


@pytest.mark.parametrize("text", ["hello", "12345678901147", "forged"])
def test_nothing_is_kept_for_what_is_no_plate_of_ours(app, client, town, text):
    before = asked(app, "SELECT count(*) FROM report")
    text = tail(town, "good").replace(".A", ".Z") if text == "forged" else text
    assert sent(client, f"/d/{text}/report").status_code == 404
    assert asked(app, "SELECT count(*) FROM report") == before


def test_what_cannot_be_kept_is_told_on_the_page_and_the_words_stay(client, town):
    path = f"/d/{tail(town, 'good')}/report"
    assert sent(client, path, "  \n ").status_code == 400
    kept = sent(client, path, "<b>水管</b>", b"no picture")
    assert kept.status_code == 400
    assert "&lt;b&gt;水管" in kept.text
    assert "照片" in kept.text
    assert sent(client, path, "长" * 2001).status_code == 400
    large = client.post(path, data=b"\xff" * (12 << 20), content_type="multipart/form-data; boundary=x")
    assert large.status_code == 413
    assert "10 MB" in large.text


def test_the_forms_are_described(client):
    said = client.get("/api/openapi.json").json
    for kind in ("report", "elsewhere"):
        content = said["paths"][f"/d/{{code}}/{kind}"]["post"]["requestBody"]["content"]
        for shape in content.values():
            fields = said["components"]["schemas"][shape["schema"]["$ref"].rpartition("/")[2]]["properties"]
            assert set(fields) == {"text", "photo", "website"}
            assert (fields["text"]["maxLength"], fields["photo"]["format"]) == (2000, "binary")


def test_bodies_that_are_no_form_of_ours(app, client, town):
    path = f"/d/{tail(town, 'good')}/report"
    before = asked(app, "SELECT count(*) FROM report")
    assert client.post(path, json={"text": "x"}).status_code == 415
    assert client.post(path, data=b"\xff\xfe", content_type="multipart/form-data; boundary=x").status_code == 400
    assert client.post(path, data=b"", content_type="multipart/form-data").status_code == 400
    assert sent(client, path, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    parts = {f"f{k}": "x" for k in range(40)} | {"text": "x"}
    assert client.post(path, data=parts, content_type="multipart/form-data").status_code == 413
    bot = client.post(path, data={"text": "buy", "website": "http://x"}, content_type="multipart/form-data")
    assert bot.status_code == 303
    assert "sent=" not in bot.headers["Location"]
    assert asked(app, "SELECT count(*) FROM report") == before


def test_reports_are_counted_by_a_hash_that_is_gone_with_the_day(world, town):
    from api.app import create_app
    from api.config import Config
    from api.services.plates import scan

    app = create_app(Config(world.url, reports_per_day=2))
    client = app.test_client()
    path = f"/d/{tail(town, 'good')}/report"
    statuses = [sent(client, path).status_code for _ in range(3)]
    held = app.extensions[KEY]
    assert statuses[-1] == 429
    from sqlalchemy import text

    with held.engine.begin() as connection:
        (caller,) = connection.execute(text("SELECT caller FROM throttle_count")).scalars()
        assert len(bytes(caller)) == 16
        connection.execute(text("UPDATE throttle_count SET day = day - 1"))
        connection.execute(text("UPDATE throttle_salt SET day = day - 1"))
    forgetting = scan.Forgetting(held.engine, every=100_000.0)
    forgetting.start()
    forgetting.stop()  # nobody scanned or posted anything
    with held.engine.connect() as connection:
        left = connection.execute(text("SELECT count(*) FROM throttle_count")).scalar_one()
        assert left + connection.execute(text("SELECT count(*) FROM throttle_salt")).scalar_one() == 0
    assert sent(client, path).status_code == 303
    held.engine.dispose()


def test_the_server_forgets_by_itself_and_at_the_end_of_the_day(world, monkeypatch):
    from api import app as composed
    from api.services import watch
    from api.services.plates import scan

    asked = []
    monkeypatch.setattr(watch.Watch, "start", lambda _: None)
    monkeypatch.setattr(composed, "_warm", lambda _: None)
    monkeypatch.setattr(scan.Forgetting, "start", lambda mine: asked.append(mine))
    monkeypatch.setenv("DATABASE_URL", world.url)
    held = composed.from_environment().extensions[KEY]
    (forgetting,) = asked
    assert forgetting.once() <= 900
    assert 0 < scan.Forgetting(held.engine, every=100_000.0).once() <= 86_401  # the end of the day is not slept over
    held.engine.dispose()


def bomb():
    """A PNG of a few hundred bytes that says it is 60,000 pixels square."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b""))
    body = b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )
    return b"\x89PNG\r\n\x1a\n" + body


def test_photos_lose_everything_but_their_pixels():
    from data.photos import cleaned

    exif = Image.Exif()
    exif[0x010F] = "Camera of Zhang San"
    exif[0x0112] = 6  # turned on its side
    exif.get_ifd(0x8825)[2] = (28.0, 12.0, 3.0)
    given = picture(size=(800, 400), exif=exif, comment=b"taken at home")
    assert b"Zhang San" in given
    kept = cleaned(given)
    assert b"Zhang San" not in kept
    assert b"home" not in kept
    image = Image.open(io.BytesIO(kept))
    assert image.size == (400, 800)
    assert not dict(image.getexif())
    assert "exif" not in image.info
    assert Image.open(io.BytesIO(cleaned(picture(size=(4000, 3000))))).size == (1600, 1200)
    for kind in ("PNG", "WEBP"):
        assert Image.open(io.BytesIO(cleaned(picture(kind)))).format == "JPEG"


@pytest.mark.parametrize(
    ("photo", "code"),
    [
        (bomb(), "photo.pixels"),
        (b"GIF89a" + b"\0" * 50, "photo.kind"),
        (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "photo.heic"),
        (b"", "photo.kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "photo.kind"),
        (picture(size=(600, 600), quality=95)[:900], "photo.damaged"),
        (b"\xff\xd8\xff" + b"\0" * 100, "photo.kind"),
        (b"x" * (11 << 20), "photo.too_large"),
    ],
    ids=["bomb", "gif", "heic", "empty", "svg", "cut", "noise", "large"],
)
def test_photos_that_are_refused(photo, code):
    from data.photos import cleaned
    from gis.errors import InputError

    with pytest.raises(InputError) as caught:
        cleaned(photo)
    assert caught.value.code == code
