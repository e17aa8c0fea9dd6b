"""Order a task with all three derivatives; every fault of the request is told before it is sent."""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from iceye_derivatives import (
    AcquisitionWindow,
    DerivativeProductType,
    DerivativesClient,
    ImagingMode,
    InvalidTaskRequestError,
    PointOfInterest,
    TaskRequest,
)


async def main(contract_id: str) -> None:
    start = datetime.now(UTC) + timedelta(hours=25)
    request = TaskRequest(
        contract_id=contract_id,
        point_of_interest=PointOfInterest(lat=51.95, lon=4.05),
        acquisition_window=AcquisitionWindow(start=start, end=start + timedelta(days=2)),
        imaging_mode=ImagingMode.SPOTLIGHT_FINE,
        product_types=("GRD",),
        derivative_product_types=tuple(DerivativeProductType),
        reference=f"harbour-{start:%Y%m%d%H%M%S}",
    )
    async with DerivativesClient.from_env() as client:
        try:
            task = await client.create_task(request)
        except InvalidTaskRequestError as error:
            sys.exit("\n".join(f"{fault.path}: {fault.message}" for fault in error.faults))
    print(task.id)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
