"""Which options do several commands share?"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click
from attrs import define

from iceye_derivatives._core.backoff import Backoff
from iceye_derivatives._core.download_settings import CONCURRENCY
from iceye_derivatives.models import DerivativeProductType
from iceye_derivatives.sinks import is_url

__all__ = [
    "ALL_TYPES",
    "MOMENT",
    "PlaceType",
    "Settings",
    "backoff_of",
    "contract_option",
    "debug_option",
    "derivatives_option",
    "detections_options",
    "download_options",
    "full_name",
    "json_option",
    "note_report",
    "patience_options",
]

F = TypeVar("F", bound=Callable[..., object])

ALL_TYPES = tuple(str(each) for each in DerivativeProductType)
INITIAL = Backoff().initial
MAXIMUM = Backoff().maximum


@define
class Settings:
    """What the options of a command say to the program around it."""

    debug: bool = False
    as_json: bool = False
    reported: bool = False
    """Whether the last of the JSON Lines is written: the program writes it where a command ended
    too early to do so."""


def note_report() -> None:
    """Remember that the command under way has written its report."""
    if (context := click.get_current_context(silent=True)) is not None:
        context.find_root().ensure_object(Settings).reported = True


if TYPE_CHECKING:
    MomentBase = click.ParamType[datetime]
else:
    # Generic for a checker alone: older versions of click cannot be subscripted.
    MomentBase = click.ParamType


class MomentType(MomentBase):
    """A moment in ISO 8601; without an offset it is UTC, as in the API."""

    name = "moment"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> datetime:
        """Read it, or fail with an example."""
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no moment like 2026-05-01T12:00Z", param, ctx)
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


MOMENT = MomentType()


if TYPE_CHECKING:
    PlaceBase = click.ParamType[str]
else:
    PlaceBase = click.ParamType


class PlaceType(PlaceBase):
    """A folder, or the URL of an object store's prefix."""

    name = "folder"

    def __init__(self, *, exists: bool = False) -> None:
        self._folder = click.Path(exists=exists, file_okay=False)

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Leave a URL as it is, and look at a folder."""
        if is_url(value):
            return str(value)
        if not value:
            self.fail("an empty name is no folder; was a variable not set?", param, ctx)
        return str(self._folder.convert(str(value), param, ctx))


def _set_debug(ctx: click.Context, _param: click.Parameter, value: bool) -> None:  # noqa: FBT001  click calls it so
    ctx.find_root().ensure_object(Settings).debug |= value


def _set_json(ctx: click.Context, _param: click.Parameter, value: bool) -> bool:  # noqa: FBT001  as above
    ctx.find_root().ensure_object(Settings).as_json |= value
    return value


debug_option = click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=_set_debug,
    help="Show where in the code an error came up.",
)
json_option = click.option(
    "--json",
    "as_json",
    is_flag=True,
    # Before the others, since one of those that is wrong is to be reported as well.
    is_eager=True,
    callback=_set_json,
    help="Write JSON Lines, one event each.",
)
contract_option = click.option(
    "--contract",
    "contract_id",
    envvar="ICEYE_CONTRACT_ID",
    metavar="ID",
    show_envvar=True,
    help="The contract to order on.",
)


def full_name(name: str) -> str:
    """``vessels`` is DC_VESSELS; what is none of the three stays as it is."""
    upper = name.upper()
    return f"DC_{upper}" if f"DC_{upper}" in ALL_TYPES else name


derivatives_option = click.option(
    "--derivative",
    "derivatives",
    multiple=True,
    callback=lambda _ctx, _param, names: tuple(map(full_name, names)),
    help="What was ordered (vessels or DC_VESSELS; repeat for several), for where the task "
    "itself does not tell.",
)


def patience_options(command: F) -> F:
    """How long and how often to look."""
    for option in (
        click.option(
            "--max-interval",
            type=click.FloatRange(min=0, min_open=True),
            default=MAXIMUM,
            show_default=True,
            metavar="SECONDS",
            help="The longest pause between looks while derivatives are being made; "
            "before the image is taken, pauses are multiples of it.",
        ),
        click.option(
            "--timeout",
            type=click.FloatRange(min=0),
            metavar="SECONDS",
            help="Give up waiting after so long; the default waits for ever.",
        ),
    ):
        command = option(command)
    return command


def download_options(command: F) -> F:
    """How files are fetched."""
    for option in (
        click.option("--overwrite", is_flag=True, help="Fetch files again that are there already."),
        click.option(
            "--concurrency",
            type=click.IntRange(min=1),
            default=CONCURRENCY,
            show_default=True,
            help="Links that are open at a time.",
        ),
    ):
        command = option(command)
    return command


def detections_options(command: F) -> F:
    """Which detections, and what their properties mean."""
    for option in (
        click.option(
            "--confidence",
            "confidence_property",
            metavar="PROPERTY",
            help="The property that holds the confidence, where it is not found by itself.",
        ),
        click.option(
            "--class",
            "class_property",
            metavar="PROPERTY",
            help="The property that holds the class, where it is not found by itself.",
        ),
        click.argument("folder", type=click.Path(exists=True, path_type=Path)),
    ):
        command = option(command)
    return command


def backoff_of(max_interval: float) -> Backoff:
    """The rhythm whose longest pause is `max_interval` seconds."""
    return Backoff(initial=min(INITIAL, max_interval), maximum=max_interval)
