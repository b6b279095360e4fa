"""The composition root: everything a running service holds is made here, in ``create_app``, and nowhere else."""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Final

from flask import Flask, Response, g, request
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.middleware.proxy_fix import ProxyFix

from api import problems
from api.config import Config
from api.context import KEY, Context, Throttle
from api.endpoints import blueprint
from api.front.bodies import Bodies
from api.front.made import MadeTiles
from api.front.rsgi import Served
from api.front.sharing import SHARED, headers_for, shared_rules
from api.front.wsgi import Front, HotTiles, takes_gzip
from api.routes import endpoints
from api.services.addresses.library_bases import Bases
from api.services.addresses.matching import Addresses
from api.services.features import hot_features
from api.services.features.hot_features import HotFeatures
from api.services.lookup.hot_lookup import HotLookup
from api.services.lookup.index_store import IndexStore
from api.services.plates.scan import Forgetting
from api.services.published import Published
from api.services.tiles.tile_cache import MIME, TileCache
from api.services.tiles.tiles import Tiles
from api.services.watch import Watch
from data.postgres.connect import new_engine
from data.tile_store import TileStore

#: Largest request body in bytes.
LARGEST_BODY: Final = 32 << 20

#: No page asks anything of another host. MapLibre paints images from blobs and runs its worker from our own files.
POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; worker-src 'self' blob:; manifest-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "geolocation=(self)",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def create_app(config: Config) -> Flask:
    """The WSGI application for one configuration."""
    app = Flask("api", static_folder="static", template_folder="templates")
    app.config["MAX_CONTENT_LENGTH"] = LARGEST_BODY
    # Flask types its provider by the base class; the default one has this switch
    app.json.ensure_ascii = False  # type: ignore[attr-defined]  # see above
    engine = new_engine(config.database_url, pool_size=config.pool_size, max_overflow=8, pool_pre_ping=True)
    watch = Watch(config.database_url)
    indexes = IndexStore(Path(config.cache_folder) / "locate" if config.cache_folder else None)
    libraries = Path(config.cache_folder) / "libraries" if config.cache_folder else None
    published = Published(engine, store=indexes, watch=watch)
    front = HotTiles(watch)
    shared = SHARED if config.cross_origin else ()
    tiles = Tiles(published, TileCache(config.tile_cache_bytes, shared), _tile_store(config), watch)
    app.extensions[KEY] = Context(
        config,
        engine,
        published,
        tiles,
        Throttle(config.typed_per_minute),
        Addresses(engine, Bases(config.database_url, libraries), watch),
        watch,
        front,
    )
    listed = endpoints()
    app.register_blueprint(blueprint("service", listed))
    problems.register(app)
    if config.cross_origin:
        _share(app, shared_rules(listed))
    _measure(app)
    # the way Flask documents to wrap an application; mypy sees a method assigned to
    if config.behind_proxy:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]  # see above
    behind = Bodies(app.wsgi_app, LARGEST_BODY)
    held: Context = app.extensions[KEY]
    common = (*HEADERS.items(), *shared)
    features = HotFeatures(held.features, common, takes_gzip, held.count, behind_proxy=config.behind_proxy)
    lookup = HotLookup(published, shared)
    hot = {"/api/lookup": lookup.answer, hot_features.UNDER: features.answer}
    app.wsgi_app = Front(  # type: ignore[method-assign]  # see above
        behind, front, hot, MadeTiles(tiles).make, {"/api/lookup": lookup.at_once}
    )
    return app


def _tile_store(config: Config) -> TileStore | None:
    if not config.cache_folder or not config.tile_store_bytes:
        return None
    return TileStore(Path(config.cache_folder) / "tiles", config.tile_store_bytes)


def from_environment() -> Flask:
    """The application of a server worker, configured by its environment. It answers at once and warms up beside."""
    app = create_app(Config.from_environment())
    app.extensions[KEY].watch.start()
    Forgetting(app.extensions[KEY].engine).start()
    threading.Thread(target=_warm, args=(app,), name="warm", daemon=True).start()
    return app


def served() -> Served:
    """``from_environment`` as granian calls it."""
    front = from_environment().wsgi_app
    assert isinstance(front, Front)  # made above
    return Served(front, LARGEST_BODY)


def _warm(app: Flask) -> None:
    """Load compiled loops and published grids, so that the first reader finds them there."""
    from gis.features import boxes, geojson
    from gis.locate import index
    from gis.tiles import encode

    encode.warm()
    geojson.warm()
    boxes.warm()
    index.warm()
    try:
        app.extensions[KEY].published.warm()
        app.extensions[KEY].addresses.warm([i.territory for i in app.extensions[KEY].published.standing().infos])
    except SQLAlchemyError as error:  # it may come later; /readyz says so until then
        app.logger.warning("database: %s", error)


def _share(app: Flask, rules: frozenset[str]) -> None:
    """Let browsers give answers of these rules to pages of other hosts, faults too."""

    @app.after_request
    def share(answer: Response) -> Response:
        if request.url_rule is not None and request.url_rule.rule in rules:
            answer.headers.extend(headers_for(request.method, credentials="Authorization" in request.headers))
        return answer


def _measure(app: Flask) -> None:
    """Common headers, and counters for ``/metrics``."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()

    @app.after_request
    def end(answer: Response) -> Response:
        if answer.mimetype != MIME and answer.status_code != 304:  # a tile runs nothing, and has its own
            for name, value in HEADERS.items():
                answer.headers.setdefault(name, value)
        if request.endpoint == "static":
            answer.headers["Cache-Control"] = "no-cache"
        context: Context = app.extensions[KEY]
        route = str(request.url_rule) if request.url_rule else "none"
        with context.lock:
            context.requests[route, answer.status_code] += 1
            context.seconds[route] += time.perf_counter() - g.get("began", time.perf_counter())
        return answer
