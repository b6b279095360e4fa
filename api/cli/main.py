"""Entry of the command line: finds the command, runs it, turns errors into one line and an exit status."""

from __future__ import annotations

import importlib
import sys
from typing import Final

import click

from api.messages import of_error, shell_language
from api.version import VERSION
from gis.errors import WanggeError

#: command -> (module, attribute, one line of help). Commands are imported only when they run.
COMMANDS: Final[dict[str, tuple[str, str, str]]] = {
    "demo": ("api.cli.demo", "demo", "Run the whole main job on the two samples and serve the map."),
    "plan": ("api.cli.plan", "plan", "Cut a map file into responsibility grids, file to file."),
    "check": ("api.cli.cutting", "check", "Check a map file: what it holds, what would be left out."),
    "blocks": ("api.cli.cutting", "blocks", "Write the blocks that streets and barriers enclose."),
    "atoms": ("api.cli.cutting", "atoms", "Write the atoms, one a building, and the borders they share."),
    "import": ("api.cli.importing", "import_", "Read a territory into the database."),
    "partition": ("api.cli.partition", "partition", "Plan grids for a territory in the database."),
    "adjust": ("api.cli.adjust", "adjust", "Adjust a plan to new households, streets, buildings: fewest moves."),
    "repair": ("api.cli.repair", "repair", "Mend a plan drawn by hand, or a layer of others, with the least change."),
    "rebase": ("api.cli.rebase", "rebase", "Carry a plan onto newer sources."),
    "score": ("api.cli.score", "score", "Score grids drawn elsewhere by the measures of our own plans."),
    "publish": ("api.cli.publish", "publish", "Publish a plan version from a date on."),
    "address": ("api.cli.address", "address", "Assign and list standard addresses."),
    "parse": ("api.cli.parse", "parse", "Label free text and find the address it means."),
    "train-parser": ("api.cli.parse", "train_parser", "Train and judge the parser of addresses."),
    "plates": ("api.cli.plates", "plates", "Print door plates and check every QR."),
    "boards": ("api.cli.boards", "boards", "Print notice boards and contact cards, list those out of date."),
    "lookup": ("api.cli.lookup", "lookup", "Which grid is a point in? One point or a file of points."),
    "report": ("api.cli.report", "report", "Write a plan as one offline HTML map."),
    "export": ("api.cli.export", "export", "Export plans and what is published; the ledger of grids as XLSX."),
    "rulesets": ("api.cli.rulesets", "rulesets", "List, show and check rulesets."),
    "explain": ("api.cli.explain", "explain", "Say why each border of a plan is where it is."),
    "compare": ("api.cli.compare", "compare", "Put two plans side by side on one offline page."),
    "sample": ("api.cli.sample", "sample", "Write the sample town (or a larger one) as a GeoPackage."),
    "user": ("api.cli.user", "user", "The operator's token: who may see drafts and write."),
    "db": ("api.cli.db", "db", "Make, start, stop and back up the database."),
    "serve": ("api.cli.serve", "serve", "Serve the map, tiles, lookup and pages."),
    "setup": ("api.cli.setup", "setup", "Install what the machine lacks (run by the launcher)."),
    "test": ("api.cli.testing", "test", "Set up and run every check and test."),
    "bench": ("api.cli.bench", "bench", "Run a benchmark side by side with its peers."),
}


class LazyGroup(click.Group):
    """A group whose commands are modules, imported when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Names in the order of use."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in COMMANDS:
            return None
        module, attribute, _ = COMMANDS[cmd_name]
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, _, line) in COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="wangge")
def cli() -> None:
    """Wangge 网格: responsibility grids, standard addresses and door plates."""


def main() -> None:
    """Run, and show a fault as one line with exit status 2."""
    try:
        cli(prog_name="./wangge")
    except WanggeError as error:
        click.echo(of_error(error, shell_language()), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
