"""Which shape and which colour has each product and class, on the map and in the picture?

The product gives the shape, so that it can be told without colours.  The colours are eight that
people with any common kind of colour blindness tell apart (after Okabe and Ito, and Paul Tol); they
go round through all classes, so that one repeats within a product only after eight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from attrs import frozen

if TYPE_CHECKING:
    from iceye_derivatives.geo.detections import Detections

__all__ = ["Group", "default_title", "groups_of", "label_of"]

# On a light ground, and on a dark one.
_COLOURS: Final = (
    ("#0072b2", "#4ea3e4"),
    ("#d9660a", "#f08a3c"),
    ("#009073", "#2bc79a"),
    ("#b4478f", "#e58fc4"),
    ("#c29200", "#f0c244"),
    ("#3fa3d6", "#9bd6f7"),
    ("#862a5c", "#c487c9"),
    ("#7c7f25", "#bfc45c"),
)
_OTHER: Final = ("#7b8790", "#9aa7b0")
_SHAPES: Final = ("circle", "triangle", "square", "diamond", "cross", "pentagon")
_KNOWN: Final = {"DC_VESSELS": "circle", "DC_AIRCRAFT": "triangle", "DC_VEHICLES": "square"}


@frozen(kw_only=True)
class Group:
    """The detections of one class of one product."""

    product: str
    name: str
    """The class; "" where none is known."""
    count: int
    shape: str
    colours: tuple[str, str]
    """On a light ground, and on a dark one."""

    @property
    def label(self) -> str:
        """What the product is called in a heading."""
        return label_of(self.product)


def groups_of(detections: Detections) -> list[Group]:
    """The legend's entries, the products in the order of their names."""
    groups: list[Group] = []
    spare = [shape for shape in _SHAPES if shape not in _KNOWN.values()]
    unknown = 0
    named = 0
    for product, classes in detections.counts().items():
        shape = _KNOWN.get(product)
        if shape is None:
            shape, unknown = spare[unknown % len(spare)], unknown + 1
        for name, count in classes.items():
            colours = _COLOURS[named % len(_COLOURS)] if name else _OTHER
            named += bool(name)
            groups.append(
                Group(product=product, name=name, count=count, shape=shape, colours=colours)
            )
    return groups


def label_of(product: str) -> str:
    """``DC_VESSELS`` is said as Vessels; what is of no product as Detections."""
    return product.removeprefix("DC_").replace("_", " ").capitalize() or "Detections"


def default_title(detections: Detections) -> str:
    """Vessels, vehicles and aircraft: the products that there are."""
    names = [label_of(product) for product in sorted(detections.counts()) if product]
    if not names:
        return "Detections"
    *others, last = [names[0], *(name.lower() for name in names[1:])]
    return f"{', '.join(others)} and {last}" if others else last
