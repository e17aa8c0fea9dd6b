"""Where do many tasks stand between two runs of the program?

A fleet forgets each task that has left it, and the next run is given the same ids again: so the
file is a saved fleet with two names more, which whoever reads only the fleet passes over.

========  =========================================================================================
ended     ids of the tasks of which all was shown: the next run does not look at them
given_up  watches of those that failed, each as a text: the next run goes on with them, unless the
          API refused to tell anything of them
========  =========================================================================================
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from attrs import define, field

from iceye_derivatives._core.decisions import Patience
from iceye_derivatives._core.fleet import Reach, RotaEntry
from iceye_derivatives._core.fleet_park import Garage
from iceye_derivatives._core.fleet_state import FleetState
from iceye_derivatives._core.watch import Watch
from iceye_derivatives.cli.board import BoardEvent
from iceye_derivatives.cli.state_file import save_text, tell_ordered
from iceye_derivatives.errors import ConfigurationError, WatchError
from iceye_derivatives.events import WatchFailed, WatchFinished

__all__ = ["FleetFile"]


@define
class FleetFile:
    """What a file remembers of many tasks; without a path nothing is read or written."""

    path: Path | None = None
    ended: dict[str, None] = field(factory=dict)
    """An ordered set of ids."""
    _given_up: dict[str, Watch] = field(factory=dict)
    _fleet: FleetState = field(factory=FleetState)

    @classmethod
    def load(cls, path: Path | None) -> FleetFile:
        """What stands there, or nothing where there is no file; those of older versions are read.

        Raises:
            ConfigurationError: the file holds something else.
            OSError: it cannot be read.
        """
        if path is None:
            return cls()
        try:
            text = path.read_text("utf-8")
            watches = map(Watch.from_json, _texts(text, "given_up"))
            return cls(
                path,
                dict.fromkeys(_texts(text, "ended")),
                {watch.task_id: watch for watch in watches},
                FleetState.from_json(text),
            )
        except FileNotFoundError:
            return cls(path)
        except (ConfigurationError, ValueError):
            raise ConfigurationError(
                f"{path} holds no saved fleet of this version: delete it, or name another file"
            ) from None

    def take_fleet(self, now: float, derivatives: Sequence[str] = ()) -> FleetState:
        """The fleet to go on with, those that were given up among them.

        All of them are told which derivatives were ordered, if anybody knows.
        """
        fleet, given_up = self._fleet, self._given_up
        # Whatever becomes of them is told anew: by the fleet's own state, or by its events.
        self._fleet, self._given_up = FleetState(), {}
        garage = Garage(Patience())
        again = (
            RotaEntry(now, task_id, Reach.ALONE, garage.note(watch, now))
            for task_id, watch in given_up.items()
        )
        entries = (*fleet.places(), *again)
        if derivatives:
            entries = tuple(_told(entry, derivatives, garage) for entry in entries)
        return FleetState(entries)

    def note(self, event: BoardEvent) -> None:
        """Remember a task that leaves the fleet with this event."""
        match event:
            case WatchFinished(task_id=task_id):
                self.ended[task_id] = None
            case WatchFailed(error=error, watch=Watch() as watch):
                # An id of which nothing is known but a refusal may be a slip, whose failure the
                # file would repeat for ever.
                if isinstance(error, WatchError) or watch.delivered:
                    self._given_up[watch.task_id] = watch
            case _:
                pass

    def saving(self, fleet: FleetState) -> Callable[[], None]:
        """How to write down where all stand now; it may be called in a thread.

        The call raises OSError where the file cannot be written.
        """
        path, ended, given_up = self.path, list(self.ended), list(self._given_up.values())

        def save() -> None:
            if path is not None:
                save_text(path, _spell(fleet, ended, given_up))

        return save


def _told(entry: RotaEntry, derivatives: Sequence[str], garage: Garage) -> RotaEntry:
    watch = tell_ordered(garage.read(entry.task_id, entry.state), derivatives)
    return entry._replace(state=garage.park(watch))


def _spell(fleet: FleetState, ended: list[str], given_up: list[Watch]) -> str:
    # The watches as texts in texts: no name of theirs, which a server may have chosen, can pass
    # for one of the fleet's.
    names = json.dumps({"ended": ended, "given_up": [watch.to_json() for watch in given_up]})
    return f"{names[:-1]},\n{fleet.to_json()[1:]}"


def _texts(text: str, name: str) -> list[str]:
    # Not by one call for the whole file, which would make ten times its size of objects.
    found = re.search(rf'"{name}"\s*:\s*', text)
    if found is None:
        return []
    value, _ = _DECODER.raw_decode(text, found.end())
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{name} is no list of texts")
    return value


_DECODER: Final = json.JSONDecoder()
