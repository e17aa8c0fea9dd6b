"""What has the customer bought: the contract that tasks are checked against."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import Factory, frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

# "Derivatives are only available for following imaging modes".
DERIVATIVE_MODES = frozenset(
    {
        "SPOTLIGHT_EXTENDED_DWELL",
        "SPOTLIGHT_EXTENDED_DWELL_FINE",
        "SPOTLIGHT_FINE_1L",
        "SPOTLIGHT",
        "SPOTLIGHT_FINE",
    }
)

DERIVATIVE_TYPES = ("DC_AIRCRAFT", "DC_VESSELS", "DC_VEHICLES")

_HOUR = 3600.0
_ALL_PRODUCTS = ("GRD", "GRD-COG", "SLC", "SLC-COG", "QLK", "SICD", "SIDD", "CSI", "VID")
_WIDE_PRODUCTS = ("GRD", "GRD-COG", "SLC", "SLC-COG", "QLK")


def _modes() -> dict[str, tuple[str, ...]]:
    wide = dict.fromkeys(("STRIPMAP", "SCAN", "SCAN_WIDE"), _WIDE_PRODUCTS)
    # A mode that is in the contract and makes no derivatives although it is a spotlight.
    return {**wide, "SPOTLIGHT_HIGH_1L": _ALL_PRODUCTS} | dict.fromkeys(
        sorted(DERIVATIVE_MODES), _ALL_PRODUCTS
    )


@frozen(kw_only=True)
class Contract:
    """One contract: what it allows, what it takes when nothing is said, what it may spend.

    Attributes:
        id: The contract's UUID.
        name: The contract's name.
        modes: The product types that each allowed imaging mode may make.
        notice: Seconds that a window must start ahead, for each allowed priority.
        slas: The allowed delivery promises.
        default_slas: The promise that each priority takes when nothing is said.
        exclusivities: The allowed values; the first is the default.
        eulas: The allowed licences; the first is the default.
        currency: ISO 4217.
        spend_limit: What tasks may cost together, in minor units of the currency.
        price: What one task costs, in the same units.
    """

    id: str = "5a1c9e0e-3b0f-4c55-9d0a-8f2f6f1d7c42"
    name: str = "Simulated contract"
    modes: Mapping[str, tuple[str, ...]] = Factory(_modes)
    notice: Mapping[str, float] = Factory(
        lambda: {"COMMERCIAL": 12 * _HOUR, "BACKGROUND": 24 * _HOUR}
    )
    slas: tuple[str, ...] = ("SLA_3H", "SLA_8H", "SLA_24H")
    default_slas: Mapping[str, str] = Factory(
        lambda: {"COMMERCIAL": "SLA_8H", "BACKGROUND": "SLA_24H"}
    )
    exclusivities: tuple[str, ...] = ("PRIVATE", "PUBLIC")
    eulas: tuple[str, ...] = ("STANDARD", "GOVERNMENT", "MULTI")
    currency: str = "EUR"
    spend_limit: int = 100_000_000_00
    price: int = 2_500_00

    def describe(self) -> dict[str, object]:
        """Render the contract as the company API does."""
        return {
            "id": self.id,
            "name": self.name,
            "imagingModes": {"allowed": list(self.modes)},
            "priority": {"allowed": list(self.notice), "default": next(iter(self.notice))},
            "exclusivity": {"allowed": list(self.exclusivities), "default": self.exclusivities[0]},
            "sla": {"allowed": list(self.slas), "default": "SLA_8H"},
            "eula": {"allowed": list(self.eulas), "default": self.eulas[0]},
        }
