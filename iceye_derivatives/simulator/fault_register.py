"""Which faults are there: all chapters of the kit, one after another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iceye_derivatives.simulator.fault_kit.clocks import CLOCKS
from iceye_derivatives.simulator.fault_kit.contents import CONTENTS
from iceye_derivatives.simulator.fault_kit.grants import GRANTS
from iceye_derivatives.simulator.fault_kit.hrefs import HREFS
from iceye_derivatives.simulator.fault_kit.listings import LISTINGS
from iceye_derivatives.simulator.fault_kit.names import NAMES
from iceye_derivatives.simulator.fault_kit.parts import PARTS
from iceye_derivatives.simulator.fault_kit.redirects import REDIRECTS
from iceye_derivatives.simulator.fault_kit.refusals import REFUSALS
from iceye_derivatives.simulator.fault_kit.scenes import SCENES
from iceye_derivatives.simulator.fault_kit.tasks import TASKS
from iceye_derivatives.simulator.fault_kit.travel import TRAVEL

if TYPE_CHECKING:
    from iceye_derivatives.simulator.fault_kit.chapter import Chapter
    from iceye_derivatives.simulator.incident import Fault

CHAPTERS: tuple[Chapter, ...] = (
    REFUSALS,
    TRAVEL,
    CONTENTS,
    PARTS,
    HREFS,
    REDIRECTS,
    LISTINGS,
    NAMES,
    TASKS,
    SCENES,
    GRANTS,
    CLOCKS,
)
"""The faults by their kind."""

REGISTER: dict[str, Fault] = {
    name: fault for chapter in CHAPTERS for name, fault in chapter.faults.items()
}
"""Everything that can be switched on, by its name."""

FAULTS: dict[str, Fault] = {name: fault for name, fault in REGISTER.items() if not fault.lies}
"""What a client can notice, and either get over or tell its caller."""

LIES: dict[str, Fault] = {name: fault for name, fault in REGISTER.items() if fault.lies}
"""What might be true: a client has to stay safe under it, and cannot be blamed for believing it."""
