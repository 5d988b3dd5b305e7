"""The command `huoke`: every sub-command, and the exit code of every way to fail."""

from __future__ import annotations

import logging
import os
import sys

import typer

from jobs.cli import attribute, evaluate, experiment, history, inspect, market, names, plan, scorecard, setup, work
from jobs.runtime.errors import Fault, HuokeError

app = typer.Typer(
    name="huoke",
    help="Win good customers for less: from media touch to credit outcome, and back to the media plan.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for module in (setup, market, history, work, plan, evaluate, attribute, names, experiment, scorecard, inspect):
    module.register(app)

USAGE = 64
CLICK_USAGE = 2  # what the command line's library leaves with when a call is malformed


def main() -> None:
    """Run the command and leave with 0, 64 usage, 65 data refused, 70 our fault, 75 try again, 77 policy."""
    logging.basicConfig(level=os.environ.get("HUOKE_LOG", "WARNING"), format="%(message)s", stream=sys.stderr)
    try:
        app()
    except SystemExit as ended:
        sys.exit(USAGE if ended.code == CLICK_USAGE else ended.code)
    except HuokeError as error:
        typer.echo(f"huoke: {error}", err=True)
        sys.exit(error.exit_code)
    except Exception as error:
        if os.environ.get("HUOKE_TRACE"):
            raise
        # The message of a foreign error may hold a row of data: only its kind is shown.
        typer.echo(
            f"huoke: {type(error).__name__} was raised inside huoke and is our fault; "
            "set HUOKE_TRACE=1 and run the command again to see where",
            err=True,
        )
        sys.exit(Fault.exit_code)
