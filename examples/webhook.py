"""Wait for callbacks instead of asking often, and take the files home.

The task was ordered with the id of a webhook (`TaskRequest(webhook_id=...)`), which is what ICEYE
gave when the URL of this server was registered once.
"""

import asyncio
import os
import sys

from aiohttp import web

from iceye_derivatives import DerivativesClient
from iceye_derivatives.webhook import webhook_application


async def main(task_id: str) -> None:
    async with DerivativesClient.from_env() as client:
        application = web.Application()
        credentials = (os.environ["WEBHOOK_USER"], os.environ["WEBHOOK_PASSWORD"])
        application.add_subapp("/iceye", webhook_application(client, basic=credentials))
        runner = web.AppRunner(application)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", int(os.environ.get("PORT", "8443"))).start()
            report = await client.download_task(task_id, "detections", push=True)
        finally:
            await runner.cleanup()
        for record in report.files:
            print(record.path or record.error)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
