"""What does a listing of derivatives cost to read, measured in `json.loads` of the same bytes?

``python benchmarks/decode.py --derivatives 500 --rounds 301``; aim: at most 3.5.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time

from iceye_derivatives._core.responses import ApiResponse, read_snapshot

TYPES = ("DC_AIRCRAFT", "DC_VESSELS", "DC_VEHICLES")
NOW = 1_767_225_600.0


def a_listing(derivatives: int) -> bytes:
    """As the page shows it, with a signature as long as a real one."""
    store, signature = "https://d1234567890abc.cloudfront.net", "aB3~-_x9" * 43
    data = [
        {
            "id": f"7fb95g75-6828-5673-c4gd-{number:012d}",
            "imageReference": "c2ac555e-27ac-4c6a-bf87-717fa81539e3",
            "derivativeProductType": TYPES[number % len(TYPES)],
            "assets": [
                {
                    "type": "geojson",
                    "href": f"{store}/abc-{number}/detections.geojson?Expires=2000000000"
                    f"&Signature={signature}&Key-Pair-Id=K2JCJMDEHXQW5F",
                }
            ],
        }
        for number in range(derivatives)
    ]
    return json.dumps({"data": data}).encode()


def main() -> None:
    """Take turns, so that a machine that slows down slows both; compare the medians."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--derivatives", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=301)
    asked = parser.parse_args()
    body = a_listing(asked.derivatives)
    answer = ApiResponse(status=200, headers={}, body=body)
    plain, ours = [], []
    for _ in range(asked.rounds):
        # The thread's own time: what else runs on the machine does not count.
        begun = time.thread_time()
        json.loads(body)
        parsed = time.thread_time()
        page = read_snapshot("t", answer, NOW)
        ours.append(time.thread_time() - parsed)
        plain.append(parsed - begun)
        assert len(page.snapshot.derivatives) == asked.derivatives
    print(f"{asked.derivatives} derivatives, {len(body):,} bytes, {asked.rounds} rounds")
    print(f"json.loads     {statistics.median(plain) * 1e3:7.3f} ms")
    print(f"read_snapshot  {statistics.median(ours) * 1e3:7.3f} ms")
    print(f"ratio          {statistics.median(ours) / statistics.median(plain):7.2f}")


if __name__ == "__main__":
    main()
