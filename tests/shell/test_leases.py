"""Who gets a living link, and when is a task listed anew for it?"""

from __future__ import annotations

import anyio
import pytest
from attrs import evolve
from store_fakes import FakeStore, detections
from strategies import unreadable

from iceye_derivatives._core.download_settings import DownloadSettings
from iceye_derivatives.errors import (
    LinkUnavailableError,
    NetworkError,
    PermissionDeniedError,
    RateLimitedError,
)
from iceye_derivatives.leases import Grant, Leases
from iceye_derivatives.models import AssetRef, Derivative, Snapshot

pytestmark = pytest.mark.anyio


def leases(store: FakeStore) -> Leases:
    return Leases(store, clock=store.clock, jitter=lambda: 0.5, settings=DownloadSettings())


def hand_in(found: Leases, derivative: Derivative) -> None:
    for ref, asset in zip(derivative.asset_refs(), derivative.assets, strict=True):
        found.note(ref, asset.url)


def task(size: int) -> tuple[FakeStore, Leases, list[AssetRef]]:
    """A task of so many derivatives, all handed in."""
    store = FakeStore()
    found = leases(store)
    for n in range(size):
        hand_in(found, store.add(f"d{n}", detections()))
    return store, found, list(store.wanted())


async def test_a_living_link_costs_no_request() -> None:
    store, found, [ref] = task(1)
    grant = await found.take(ref)
    assert not grant.renewed
    assert store.listings == []


async def test_a_link_that_died_in_the_queue_is_renewed_before_it_is_used() -> None:
    """Complaint 4 (flyteorg/flyte-sdk #1363).

    URLs were minted, then waited in a queue until dead.
    """
    store, found, [ref] = task(1)
    store.clock.now += store.life - 59
    grant = await found.take(ref)
    assert grant.renewed
    assert grant.facts.fresh
    assert grant.lease.url.expires == int(store.clock.now + store.life)


async def test_a_link_that_nobody_asks_for_any_more_is_not_kept() -> None:
    """In a run of weeks that would be all of them."""
    store, found, refs = task(2)
    url = found.at_hand(refs[0]).lease.url  # type: ignore[union-attr]
    store.clock.now += 10
    younger = store.add("d0", detections()).assets[0].url
    found.forget(refs[0])
    found.update(refs[0], younger)
    found.update(refs[1], younger)
    grant = found.at_hand(refs[1])
    assert grant is not None
    assert grant.lease.url == younger != url
    found.forget(refs[1])
    found.update(refs[1], younger)
    assert not found._tasks


async def test_one_listing_serves_all_assets_of_a_task() -> None:
    """ "One renewal in flight per task.\""""
    store, found, refs = task(50)
    store.clock.now += 4000
    grants: list[Grant] = []

    async def take(ref: AssetRef) -> None:
        grants.append(await found.take(ref))

    async with anyio.create_task_group() as tasks:
        for ref in refs:
            tasks.start_soon(take, ref)
    assert len(grants) == 50
    assert store.listings == ["task-1"]


async def test_unrelated_tasks_do_not_wait_for_each_other() -> None:
    """Trap (synapse, locks): the lock for URL refresh is one object for the whole class."""
    store = FakeStore()
    found = leases(store)
    hand_in(found, store.add("d1", detections(), task_id="slow"))
    hand_in(found, store.add("d2", detections(), task_id="quick"))
    _, quick = store.wanted()
    store.clock.now += 4000
    async with found._tasks["slow"].renewing:
        with anyio.fail_after(5):
            await found.take(quick)


async def test_a_refused_link_is_never_handed_out_again() -> None:
    store, found, [ref] = task(1)
    first = await found.take(ref)
    second = await found.take(ref, refused=first.lease)
    assert second.renewed
    assert second.lease.url != first.lease.url
    assert store.listings == ["task-1"]


async def test_many_refusals_of_old_links_make_one_listing_and_no_storm() -> None:
    store, found, refs = task(20)
    first = {ref: (await found.take(ref)).lease for ref in refs}
    for ref in refs:
        assert (await found.take(ref, refused=first[ref])).facts.fresh
    assert store.listings == ["task-1"]


async def test_the_api_s_clock_decides_whether_a_link_lives() -> None:
    store, found, [ref] = task(1)
    store.clock.now += 4000
    await found.take(ref)
    store.skew = 3000.0  # the API's clock jumps ahead: learned at the next listing only
    grant = await found.take(ref, refused=(await found.take(ref)).lease)
    assert grant.facts.skew == pytest.approx(3000, abs=1)


async def test_a_listing_that_fails_in_passing_is_repeated_with_pauses() -> None:
    store, found, [ref] = task(1)
    store.clock.now += 4000
    limited = RateLimitedError("slow down", status=429, retry_after=42.0)
    store.listing_errors = [NetworkError("no answer"), limited, None]
    await found.take(ref)
    assert len(store.listings) == 3
    assert store.clock.slept == [1.0, 42.0]


async def test_a_listing_that_keeps_failing_is_given_up_with_its_cause() -> None:
    store, found, [ref] = task(1)
    store.clock.now += 4000
    store.listing_errors = [NetworkError(f"no answer {n}") for n in range(9)]
    with pytest.raises(LinkUnavailableError) as caught:
        await found.take(ref)
    assert str(caught.value.__cause__) == "no answer 3"
    assert caught.value.retryable


async def test_a_listing_that_is_refused_for_good_is_not_repeated_by_each_asset() -> None:
    store, found, refs = task(10)
    store.clock.now += 4000
    store.listing_errors = [PermissionDeniedError("not yours", status=403)]
    for ref in refs:
        with pytest.raises(LinkUnavailableError) as caught:
            await found.take(ref)
        assert isinstance(caught.value.__cause__, PermissionDeniedError)
    assert len(store.listings) == 1
    store.clock.now += 60
    assert (await found.take(refs[0])).renewed


async def test_a_refusal_is_not_believed_until_a_clock_that_was_set_back_comes_to_it() -> None:
    store, found, [ref] = task(1)
    store.clock.now += 4000
    store.listing_errors = [PermissionDeniedError("not yours", status=403)]
    with pytest.raises(LinkUnavailableError):
        await found.take(ref)
    store.clock.now -= 100
    assert (await found.take(ref)).renewed


async def test_an_asset_that_the_api_lists_no_more_is_given_up_after_a_few_tries() -> None:
    store, found, [gone, there] = task(2)
    store.clock.now += 4000
    store.hidden = {"d0"}
    with pytest.raises(LinkUnavailableError, match="does not list"):
        await found.take(gone)
    assert len(store.listings) == 4
    store.clock.now += 60
    assert (await found.take(there)).renewed is False


async def test_an_asset_that_is_listed_again_in_time_is_served() -> None:
    """ "206 → 404 flap"."""
    store, found, [ref] = task(1)
    store.clock.now += 4000
    store.hidden = {"d0"}

    async def come_back() -> None:
        while len(store.listings) < 2:
            await anyio.lowlevel.checkpoint()
        store.hidden = set()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(come_back)
        assert (await found.take(ref)).renewed


@pytest.mark.parametrize(
    ("whose", "told"),
    [("d0", True), (None, True), ("d1", False)],
    ids=["this one", "one without an id", "another"],
)
async def test_one_that_cannot_be_read_any_more_has_no_link_and_says_why(
    whose: str | None, told: bool
) -> None:
    """And those beside it have theirs, by the same listing."""
    store, found, [one, two] = task(2)
    store.clock.now += 4000
    store.hidden.add("d0")
    fault = unreadable(0, whose)
    ask = store.look_at_derivatives

    async def faulty(task_id: str) -> Snapshot:
        return evolve(await ask(task_id), unreadable=(fault,))

    store.look_at_derivatives = faulty  # type: ignore[method-assign]

    with pytest.raises(LinkUnavailableError) as caught:
        await found.take(one)

    assert (str(fault) in str(caught.value)) == told
    assert found.at_hand(two) is not None


async def test_a_cancelled_renewal_lets_the_next_in_line_renew() -> None:
    store, found, [one, two] = task(2)
    store.clock.now += 4000
    asked = anyio.Event()
    ask, store.look_at_derivatives = store.look_at_derivatives, None  # type: ignore[method-assign, assignment]

    async def hang(task_id: str) -> None:
        asked.set()
        await anyio.sleep_forever()

    store.look_at_derivatives = hang  # type: ignore[method-assign, assignment]
    async with anyio.create_task_group() as tasks:
        with anyio.CancelScope() as first:
            # The task only cancels the scope, which may be closed by then.
            tasks.start_soon(_cancel_when, asked, first)  # noqa: ASYNC111
            await found.take(one)
        store.look_at_derivatives = ask  # type: ignore[method-assign]
        assert (await found.take(two)).renewed


async def _cancel_when(event: anyio.Event, scope: anyio.CancelScope) -> None:
    await event.wait()
    scope.cancel()


async def test_what_is_not_wanted_any_more_is_forgotten() -> None:
    _, found, refs = task(3)
    for ref in refs:
        found.forget(ref)
    found.forget(refs[0])
    assert found._tasks == {}
