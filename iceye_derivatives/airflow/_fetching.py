"""How does what a trigger has found ready become files, one fault stopping nothing else?"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from iceye_derivatives import (
    Derivative,
    DerivativesClient,
    Downloader,
    FileRecord,
    IceyeError,
    Sink,
)
from iceye_derivatives.airflow.payload import Failure, Ready

__all__ = ["fetch"]


async def fetch(
    ready: Sequence[Ready],
    client: DerivativesClient,
    sink: Sink,
    *,
    concurrency: int,
    overwrite: bool,
) -> tuple[list[dict[str, Any]], list[Failure]]:
    """List each task again, for its links, and download; closes the client.

    Returns:
        The files that are whole, as XCom keeps them, and what failed.
    """
    found: list[Derivative] = []
    failures: list[Failure] = []
    async with client:
        for task_id, wanted in _by_task(ready).items():
            try:
                snapshot = await client.get_derivatives(task_id)
            except IceyeError as error:
                failures.append(Failure.of(task_id, error))
                continue
            listed = [each for each in snapshot.derivatives if each.id in wanted]
            found += listed
            failures += [_gone(task_id, each) for each in wanted - {one.id for one in listed}]
        downloader = Downloader(client, sink, concurrency=concurrency, overwrite=overwrite)
        report = await downloader.download(found)
    for record in report.failures:
        if record.error is not None:
            failures.append(Failure.of(record.derivative.task_id, record.error))
    # In the order of the news, so that a second run tells the same in the same words.
    place = {each.id: number for number, each in enumerate(found)}
    records = sorted(report.files, key=lambda each: (place[each.derivative.id], each.asset_type))
    return [_described(record) for record in records if record.ok], failures


def _by_task(ready: Sequence[Ready]) -> dict[str, set[str]]:
    wanted: dict[str, set[str]] = {}
    for each in ready:
        wanted.setdefault(each.task_id, set()).add(each.derivative_id)
    return wanted


def _gone(task_id: str, derivative_id: str) -> Failure:
    return Failure(
        task_id=task_id,
        kind="LinkUnavailableError",
        message=(
            f"The API does not list derivative {derivative_id} any more, which it had listed as "
            "ready: try again"
        ),
        retryable=True,
    )


def _described(record: FileRecord) -> dict[str, Any]:
    return {
        "task_id": record.derivative.task_id,
        "derivative_id": record.derivative.id,
        "product_type": record.derivative.product_type,
        "asset_type": record.asset_type,
        "path": record.path,
        "size": record.size,
        "sha256": record.sha256,
    }
