"""parfive, as solar physicists fetch their files: a queue and a number of connections."""

from __future__ import annotations

from job import Job, run
from parfive import Downloader, SessionConfig


async def main(job: Job) -> None:
    """Fill its queue, and wait for it; files are not split, since the store is on this machine."""
    downloader = Downloader(
        max_conn=job.connections,
        max_splits=1,
        progress=False,
        config=SessionConfig(file_progress=False),
    )
    for name, link in job.links.items():
        downloader.enqueue_file(link, path=job.folder, filename=name)
    results = await downloader.run_download()
    if results.errors:
        raise SystemExit(f"{len(results.errors)} files failed, the first: {results.errors[0]}")


if __name__ == "__main__":
    run(main)
