"""Which commands are there, and how does the program end?"""

from __future__ import annotations

import os
import traceback
from collections.abc import Sequence

import click

from iceye_derivatives._clock import SystemClock
from iceye_derivatives._version import __version__
from iceye_derivatives._visible import visible
from iceye_derivatives.cli import streams
from iceye_derivatives.cli.board import Board
from iceye_derivatives.cli.cancel import cancel
from iceye_derivatives.cli.demo import demo
from iceye_derivatives.cli.download import download
from iceye_derivatives.cli.exit_codes import CAUSES, UNREAD, Interrupted, exit_code
from iceye_derivatives.cli.export import export
from iceye_derivatives.cli.json_lines import report_line
from iceye_derivatives.cli.map import show_map
from iceye_derivatives.cli.options import Settings
from iceye_derivatives.cli.order import order
from iceye_derivatives.cli.redaction import redact
from iceye_derivatives.cli.running import ending_alike
from iceye_derivatives.cli.screens import write_line
from iceye_derivatives.cli.sentences import sentence
from iceye_derivatives.cli.simulate import simulate
from iceye_derivatives.cli.status import status
from iceye_derivatives.cli.tasks import tasks
from iceye_derivatives.cli.verify import verify
from iceye_derivatives.cli.watch import watch

__all__ = ["commands", "run_command"]

PROGRAM = "iceye-derivatives"
CODES = "\n".join(f"  {cause.code:>3}  {cause.meaning}" for cause in CAUSES)
EPILOG = f"""\b
Credentials come from the environment alone:
  ICEYE_TOKEN_URL ICEYE_CLIENT_ID ICEYE_CLIENT_SECRET, or ICEYE_ACCESS_TOKEN;
  ICEYE_API_BASE_URL (https://platform.iceye.com) and ICEYE_CONTRACT_ID.

\b
Exit codes:
{CODES}
"""


class _Commands(click.Group):
    """A group whose commands may lose their reader: click itself would end with 1."""

    def invoke(self, ctx: click.Context) -> object:
        """Run what was asked for."""
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            streams.give_up_stdout()
            return UNREAD


@click.group(cls=_Commands, epilog=EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name=PROGRAM)
def commands() -> None:
    """Order ICEYE tasks, watch for their derivatives, and download every detection.

    Without an ICEYE account: `iceye-derivatives demo` runs all of it against a simulator.
    """


for command in (
    *(demo, order, status, tasks, cancel, watch, download),
    *(verify, export, show_map, simulate),
):
    commands.add_command(command)


def run_command(arguments: Sequence[str]) -> int:
    """Run one command and give its exit code; errors become one sentence on stderr."""
    streams.make_ready()
    settings = Settings()
    try:
        return _run(arguments, settings)
    except BrokenPipeError:
        streams.give_up_stdout()
        return UNREAD


def _run(arguments: Sequence[str], settings: Settings) -> int:
    try:
        with ending_alike():
            result = commands.main(
                args=list(arguments), prog_name=PROGRAM, standalone_mode=False, obj=settings
            )
    except BrokenPipeError:
        raise
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  the end of the program
        failure = Interrupted() if isinstance(error, click.Abort) else error
        _explain(failure, settings)
        if settings.as_json and not settings.reported:
            _report(failure)
        return exit_code(failure)
    return result if isinstance(result, int) else 0


def _report(failure: BaseException) -> None:
    try:
        write_line(report_line(Board(), failure), SystemClock().time())
    except OSError:  # nobody reads it, or its disk is full: the sentence on stderr was told
        streams.give_up_stdout()


def _explain(error: BaseException, settings: Settings) -> None:
    if isinstance(error, click.ClickException):
        error.show()
        return
    if settings.debug:
        # Frames and lines of code, no values: locals would hold tokens.
        _tell("".join(traceback.format_exception(error)))
    _tell(visible(sentence(error)))


def _tell(text: str) -> None:
    click.echo(redact(text.rstrip(), os.environ), err=True)
