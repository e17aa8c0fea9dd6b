"""What is a file called, and which asset goes first?

Names come from us, never from the server, yet they are made of its ids, so every id is hostile
until it is *plain*.  What is plain stands in the name as it is; anything else becomes a readable
slug, ``~``, and 128 bits of SHA-256 over the raw text.  That makes the names injective even on
file systems that fold case, normalise Unicode or dislike a character:

* plain parts and hashed parts are told apart by the ``~``, which no plain part may hold;
* a plain id is lower case only and a plain product type upper case only, so folding case maps no
  two of them onto each other;
* ids and slugs hold no ``_`` and no ``.``: the last ``_`` ends the product type, and the dots
  separate derivative, ordinal and asset type.

Rejected: escaping each odd character (over-long names have to be cut, and then collide), and
keeping unknown ids as they are (``CON``, ``a/../b``, right-to-left overrides).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from hashlib import blake2b, sha256
from math import inf

from iceye_derivatives.models import Asset, AssetRef, Derivative

__all__ = [
    "death",
    "file_name",
    "fingerprint",
    "folder_name",
    "journal_name",
    "journals_among",
    "page_name",
    "read_file_name",
    "soonest_first",
]

JOURNAL = ".iceye-journal.json"
"""Beside a task's files; none of them begins with a dot.  Of many files it is the first page."""
ITEM = "item.json"
"""Beside them, too: no file's name is without a ``_``."""
COLLECTION = "collection.json"
"""Above them; no task's folder has a dot in its name."""
CATALOG = "catalog.json"
"""Beside the collection."""

_FURTHER = re.compile(r"\.iceye-journal-([1-9][0-9]{0,8})\.json", re.ASCII)
_PLAIN_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_PLAIN_PRODUCT = re.compile(r"[A-Z][A-Z0-9_]{0,31}")
_PLAIN_TYPE = re.compile(r"[a-z0-9]{1,16}")
_OURS = re.compile(
    r"(?P<product>[A-Z][A-Z0-9_]{0,31}|[a-z0-9-]{1,20}~[0-9a-f]{32})_"
    r"(?P<derivative>[a-z0-9-]{1,64}|[a-z0-9-]{1,20}~[0-9a-f]{32})"
    r"(?:\.(?P<ordinal>[0-9]{1,9}))?\.(?P<kind>[a-z0-9]{1,16}|[a-z0-9-]{1,20}~[0-9a-f]{32})"
)
_NOT_PLAIN = re.compile(r"[^a-z0-9]+")
_SLUG_LENGTH = 20
_HASH_LENGTH = 32

# Microsoft's page on naming files says of these: "Do not use the following reserved names".  COM0
# and LPT0 are not on it, but some versions refuse them too.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))]
)
# What stands beside the files while they are made, or describes them, must not be mistaken for one.
_RESERVED_TYPES = frozenset({"part", "tmp", "lock", "owner", "journal"})


@lru_cache(maxsize=256)  # a file's is asked for when it begins and when it is whole
def file_name(ref: AssetRef) -> str:
    """``<task id>/<product type>_<derivative id>.<asset type>``, safe on every file system.

    Guarantees: two parts joined by one ``/``, each of at most 200 bytes of printable ASCII without
    separators, no ``..``, no leading or trailing dot or space, no device name; and distinct assets
    have names that stay distinct when case is folded.  Further assets of the same type get their
    ordinal before the extension.

    Example:
        >>> file_name(AssetRef(task_id="7f-1", derivative_id="0d-2", product_type="DC_VESSELS",
        ...                    asset_type="geojson"))
        '7f-1/DC_VESSELS_0d-2.geojson'
    """
    before, kind = _common(ref.task_id, ref.product_type, ref.asset_type)
    derivative = _part(ref.derivative_id, _is_plain_id)
    ordinal = "" if ref.ordinal == 1 else f".{ref.ordinal}"
    return f"{before}{derivative}{ordinal}.{kind}"


@lru_cache(maxsize=32)
def _common(task_id: str, product_type: str, asset_type: str) -> tuple[str, str]:
    """What the names of a task's files have in common, before and behind what tells them apart."""
    folder = _part(task_id, _is_plain_id)
    product = _part(product_type, _is_plain_product)
    return f"{folder}/{product}_", _part(asset_type, _is_plain_type)


def fingerprint(ref: AssetRef) -> bytes:
    """Sixteen bytes that stand for an asset where millions have to be told apart.

    Of `repr`, since no two tuples of texts share one, and lone surrogates are escaped in it.
    """
    key = (ref.task_id, ref.derivative_id, ref.product_type, ref.asset_type, ref.ordinal)
    return blake2b(repr(key).encode(), digest_size=16).digest()


def read_file_name(folder: str, name: str) -> AssetRef | None:
    """Whose file it is, by its name in its folder; None where `file_name` gave no such name.

    What was not plain cannot be had back: the part of the name then stands for it.

    Example:
        >>> read_file_name("7f-1", "DC_VESSELS_0d-2.geojson").product_type
        'DC_VESSELS'
    """
    found = _OURS.fullmatch(name)
    if found is None:
        return None
    return AssetRef(
        task_id=folder,
        derivative_id=found["derivative"],
        product_type=found["product"],
        asset_type=found["kind"],
        ordinal=int(found["ordinal"] or 1),
    )


def journal_name(task_id: str, page: int = 1) -> str:
    """The name of a page of a task's journal."""
    return f"{folder_name(task_id)}/{page_name(page)}"


def page_name(page: int) -> str:
    """What a page of a journal is called in its task's folder.

    Example:
        >>> page_name(1), page_name(2)
        ('.iceye-journal.json', '.iceye-journal-2.json')
    """
    return JOURNAL if page == 1 else f".iceye-journal-{page}.json"


def journals_among(names: Iterable[str]) -> list[str]:
    """Those names that `page_name` gives, in the order of their pages."""
    pages = {number: name for name in names if (number := _page_of(name)) is not None}
    return [pages[number] for number in sorted(pages)]


def _page_of(name: str) -> int | None:
    if name == JOURNAL:
        return 1
    found = _FURTHER.fullmatch(name)
    number = None if found is None else int(found[1])
    return None if number == 1 else number


def folder_name(task_id: str) -> str:
    """Where a task's files are."""
    return _part(task_id, _is_plain_id)


def _part(raw: str, is_plain: Callable[[str], bool]) -> str:
    if is_plain(raw):
        return raw
    slug = _NOT_PLAIN.sub("-", raw[:_SLUG_LENGTH].lower()).strip("-")
    # JSON can spell lone surrogates, which plain UTF-8 cannot: let them pass, they hash as well.
    digest = sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()[:_HASH_LENGTH]
    # Never a leading "~": a shell would take it for somebody's home.
    return f"{slug or 'x'}~{digest}"


def _is_plain_id(raw: str) -> bool:
    return _PLAIN_ID.fullmatch(raw) is not None and raw not in _DEVICES


def _is_plain_product(raw: str) -> bool:
    return _PLAIN_PRODUCT.fullmatch(raw) is not None


def _is_plain_type(raw: str) -> bool:
    return _PLAIN_TYPE.fullmatch(raw) is not None and raw not in _RESERVED_TYPES


def death(asset: Asset) -> float:
    """Unix seconds at which the asset's link dies; one that does not tell comes last."""
    expires = asset.url.expires
    return inf if expires is None else expires


def soonest_first(derivatives: Iterable[Derivative]) -> list[tuple[AssetRef, Asset, Derivative]]:
    """All assets, those whose links die soonest first; else in the order given."""
    assets = [
        (ref, asset, derivative)
        for derivative in derivatives
        for ref, asset in zip(derivative.asset_refs(), derivative.assets, strict=True)
    ]
    return sorted(assets, key=lambda entry: death(entry[1]))
