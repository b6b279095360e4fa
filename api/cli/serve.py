"""``./wangge serve``: the map, tiles, lookup and pages."""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
from typing import Any, Final

import click

from api.cli.progress import ConsoleProgress
from api.cli.user import announce
from api.messages import shell_language, text
from api.services.operating import database
from gis.errors import SetupError

PORT: Final = 8000
#: How many ports after the usual one are tried when it is in use.
_TRIES: Final = 20
#: Seconds a worker has to end its requests.
STOP: Final = 10


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), help=f"Port; {PORT} or the next free one when left out.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; 0.0.0.0 for all.")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes; one a core (at most 4) when left out.")
def serve(port: int | None, host: str, workers: int | None) -> None:
    """Serve the map, tiles, lookup and plate pages until stopped."""
    url = database.ready(ConsoleProgress())
    run(url, host, choose_port(host, port), workers)


def run(url: str, host: str, port: int, workers: int | None = None) -> None:
    """Run the server until it is told to stop. Workers find the database in the environment."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    os.environ["DATABASE_URL"] = url
    announce(url)
    click.echo(text("serve.address", shell_language(), url=address(host, port)))
    click.echo(text("serve.stop", shell_language()))
    os.register_at_fork(after_in_child=_hear_of_the_end_once)
    Granian(
        "api.app:served",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        loop=_loop(),
        websockets=False,
        http=HTTPModes.http1,  # asking each connection which it is costs a tenth of a cached answer
        factory=True,
        workers=workers or min(4, os.cpu_count() or 1),
        respawn_failed_workers=True,
        workers_kill_timeout=STOP,
        log_level=LogLevels.error,
        process_name=None,
    ).serve()


def _loop() -> Any:
    """The name of our event loop; granian's own where workers do not inherit what is registered here."""
    import granian
    from granian.constants import Loops

    from api.front.rsgi import new_loop

    if multiprocessing.get_start_method() != "fork":
        return Loops.asyncio
    granian.loops.register("wangge")(new_loop)
    return "wangge"


def _hear_of_the_end_once() -> None:
    """In a new worker: Ctrl-C is the first process's, which tells its workers to end; one that starts ends at once.

    A worker that hears of both waits for ever, and one that starts has the first process's handlers.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def address(host: str, port: int) -> str:
    """What a person opens in the browser."""
    shown = {"0.0.0.0": "localhost", "127.0.0.1": "localhost", "::": "localhost"}.get(host, host)  # noqa: S104 - shown, not bound
    return f"http://{f'[{shown}]' if ':' in shown else shown}:{port}/"


def choose_port(host: str, port: int | None) -> int:
    """The port asked for, if it is free; the usual one or the next free one when none was asked for."""
    if port is not None:
        if port and not _free(host, port):
            raise SetupError("serve.port", port=port)
        return port or _any_free(host)
    for number in range(PORT, PORT + _TRIES):
        if _free(host, number):
            if number != PORT:
                click.echo(text("serve.moved", shell_language(), port=PORT, other=number), err=True)
            return number
    raise SetupError("serve.port", port=PORT)


def _free(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _any_free(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])
