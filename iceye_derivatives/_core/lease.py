"""Which link of an asset may be used now?

A link is a lease: it is given out when a slot is free, never earlier, and it is good only while it
lives by the *store's* clock.  That clock is not asked; it is taken to agree with the API's, whose
``Date`` comes with every listing.
"""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve, frozen

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives._core.pairing import pair
from iceye_derivatives._core.transfer_terms import LinkFacts
from iceye_derivatives.models import AssetRef, Derivative, SignedUrl, Snapshot

__all__ = ["Lease", "LeaseBook"]


@frozen(kw_only=True)
class Lease:
    """A link, and since when we have it."""

    url: SignedUrl
    listed_at: float | None = None
    """Unix seconds on our clock; None where it was handed in, so that its age is not known."""


class LeaseBook:
    """The links of one task's assets that are still wanted."""

    def __init__(self, task_id: str, settings: DownloadSettings) -> None:
        self.task_id = task_id
        self._settings = settings
        self._leases: dict[AssetRef, Lease] = {}
        # For derivatives with several assets of one type: the highest ordinal of that type, and the
        # last links of those that need none any more, which tell them from the others.
        self._several: dict[tuple[str, str], int] = {}
        self._home: dict[AssetRef, SignedUrl] = {}
        self._skew = 0.0

    def __len__(self) -> int:
        return len(self._leases)

    def note(self, ref: AssetRef, url: SignedUrl) -> None:
        """An asset was handed in: its link counts unless we know of a longer-lived one."""
        known = self._leases.get(ref)
        if known is None or _outlives(url, known.url):
            self._leases[ref] = Lease(url=url)
        if ref.ordinal > 1:
            kind = ref.derivative_id, ref.asset_type
            self._several[kind] = max(ref.ordinal, self._several.get(kind, 0))

    def learn(self, snapshot: Snapshot, now: float) -> None:
        """The API listed the task: its links replace those of all assets that are wanted here."""
        if snapshot.server_time is not None:
            self._skew = snapshot.server_time - now
        for derivative in snapshot.derivatives:
            for ref, url in self._links_of(derivative):
                if ref in self._leases:
                    self._leases[ref] = Lease(url=url, listed_at=now)
                elif ref in self._home:
                    self._home[ref] = url

    def _links_of(self, derivative: Derivative) -> Iterator[tuple[AssetRef, SignedUrl]]:
        """The links that a listing has for the assets of a derivative, as far as they are known."""
        listed: dict[str, dict[int, SignedUrl]] = {}
        first: dict[str, AssetRef] = {}
        for ref, asset in zip(derivative.asset_refs(), derivative.assets, strict=True):
            listed.setdefault(ref.asset_type, {})[ref.ordinal] = asset.url
            first.setdefault(ref.asset_type, ref)
        for kind, links in listed.items():
            last = self._several.get((derivative.id, kind), 1)
            if last == 1 and links.keys() == {1}:  # nearly always: it is known by its type
                yield first[kind], links[1]
                continue
            ours = {ordinal: evolve(first[kind], ordinal=ordinal) for ordinal in range(1, last + 1)}
            known = {ordinal: url for ordinal in ours if (url := self._link(ours[ordinal]))}
            for ordinal, listed_as in pair(known, links).items():
                yield ours[ordinal], links[listed_as]

    def _link(self, ref: AssetRef) -> SignedUrl | None:
        lease = self._leases.get(ref)
        return self._home.get(ref) if lease is None else lease.url

    def forget(self, ref: AssetRef) -> None:
        """The asset needs no link any more."""
        lease = self._leases.pop(ref, None)
        if lease is not None and (ref.derivative_id, ref.asset_type) in self._several:
            self._home[ref] = lease.url

    def get(self, ref: AssetRef) -> Lease | None:
        """The last link that we learned of, dead or alive."""
        return self._leases.get(ref)

    def usable(self, ref: AssetRef, now: float) -> Lease | None:
        """A link that is worth a request, None where a renewal must come first."""
        lease = self._leases.get(ref)
        if lease is None:
            return None
        expires = lease.url.expires
        # One that was listed a moment ago is the best there is, be it ever so short-lived (or
        # our idea of the clock ever so wrong): asking again for each asset would make a storm.
        lives = expires is None or expires - (now + self._skew) >= self._settings.margin
        return lease if lives or self._is_fresh(lease, now) else None

    def facts(self, lease: Lease, now: float) -> LinkFacts:
        """What the transfer should know of the link that it is about to use."""
        return LinkFacts(
            expires=lease.url.expires,
            skew=self._skew,
            fresh=self._is_fresh(lease, now),
        )

    def _is_fresh(self, lease: Lease, now: float) -> bool:
        # `abs`: a clock that was set back must not make a link fresh for hours.
        return lease.listed_at is not None and abs(now - lease.listed_at) <= self._settings.fresh


def _outlives(new: SignedUrl, old: SignedUrl) -> bool:
    return new.expires is None or old.expires is None or new.expires > old.expires
