"""What should a fuzzer not have to find by chance?"""

from __future__ import annotations

import base64
from typing import Any

__all__ = ["SEEDS", "TEXTS"]

SEEDS: list[Any] = [
    {"data": [], "cursor": ""},
    {
        "data": [
            {
                "id": "a",
                "imageReference": None,
                "derivativeProductType": "DC_VESSELS",
                "assets": [{"type": "geojson", "href": "https://c.example/a?Expires=1&Policy=e30"}],
            }
        ]
    },
    {"id": "t", "status": "ACTIVE", "acquisitionWindow": {"start": "2030-01-31T12:00:00Z"}},
    {"access_token": "t", "token_type": "bearer", "expires_in": "3600"},
    {"error": {"code": 1e999, "message": "x"}, "details": "Signature=s"},
    {
        "version": 1,
        "task_id": "t",
        "requested": ["DC_VESSELS"],
        "sure": True,
        "status": None,
        "window": ["2030-01-31T12:00:00+00:00", "2030-02-28T12:00:00+00:00"],
        "listed": {"a": "DC_VESSELS"},
        "handed": {"a": [["geojson", 1]]},
    },
    {"version": "x" * 5000},
    {
        "format": 1,
        "part": "f.geojson.0123456789abcdef0-1.part",
        "asset": {
            "task_id": "t",
            "derivative_id": "d",
            "product_type": "DC_VESSELS",
            "asset_type": "geojson",
            "ordinal": 1,
        },
        "size": 5,
        "total": None,
        "etag": '"v1"',
        "sha256": "0" * 64,
    },
    {
        "format": 1,
        "task_id": "t",
        "files": {
            "DC_VESSELS_d.geojson": {
                "asset": {
                    "task_id": "t",
                    "derivative_id": "d",
                    "product_type": "DC_VESSELS",
                    "asset_type": "geojson",
                    "ordinal": 1,
                },
                "size": 5,
                "sha256": "0" * 64,
                "stamp": "7-9",
                "etag": '"v1"',
                "begun": 1.5,
                "finished": 2,
            }
        },
        "watch": {
            "version": 1,
            "task_id": "t",
            "requested": ["DC_VESSELS"],
            "sure": True,
            "status": None,
            "window": None,
            "listed": {},
            "handed": {},
        },
    },
    {"format": 1, "token": "0" * 32, "host": "h", "machine": "m", "pid": 7, "started": "1"},
    {"imagingTime": {"start": "2030-01-31T12:00:00Z", "end": "2030-01-31T12:00:09Z"}},
    {
        "version": 1,
        "fields": ["_failure", "_failures", "_looked_at", "_todo", "status"],
        "tasks": [
            ["t", 1.5, 1, []],
            ["u", 2.0, 0, [0, "ServerError", 1, 1, 2, 5.0, 3, None, 4, "ACTIVE"]],
        ],
    },
    {"event": {"task": "/tasks/t", "ids": ["t", ["u"]]}},
    {"type": "FeatureCollection", "features": [{"type": "Feature", "geometry": None}]},
]
TEXTS = [
    b"Sun, 06 Nov 1994 08:49:37 GMT",
    b"Sunday, 06-Nov-94 08:49:37 GMT",
    b"Sun Nov  6 08:49:37 1994",
    b"120.5",
    b"sha-256=:" + base64.b64encode(bytes(32)) + b":",
    b"md5=" + base64.b64encode(bytes(16)) + b",crc32=AAAAAA==",
    b"bytes 5-9/10",
    b"https://c.example/a?Policy=" + base64.b64encode(b'{"Statement":[{"Condition":{}}]}'),
    b"https://s3.example/a?X-Amz-Date=20300131T120000Z&X-Amz-Expires=3600",
    b"//user@[::1%25x]:99999/..;/\\?#",
    b"<html><title>Bad Gateway</title>Signature=s&Policy=p Bearer t",
]
