"""stac-asset as its manual shows it: an item with all files as its assets, and its own defaults.

Those are 500 downloads at a time over aiohttp's hundred connections, more than anybody else gets.
"""

from __future__ import annotations

from datetime import UTC, datetime

import stac_asset
from job import Job, run
from pystac import Asset, Item


async def main(job: Job) -> None:
    """Download one item."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    item = Item("item", geometry=None, bbox=None, datetime=moment, properties={})
    for name, link in job.links.items():
        item.add_asset(name, Asset(href=link))
    # The files' own names are unique below one folder of the store; keys are where they are not.
    config = stac_asset.Config(
        file_name_strategy=stac_asset.FileNameStrategy.KEY, http_client_timeout=None
    )
    await stac_asset.download_item(item, job.folder, infer_file_name=False, config=config)


if __name__ == "__main__":
    run(main)
