"""A sink under a prefix of the S3 that these tests serve, and the key of its one file there."""

from __future__ import annotations

from object_stores import NAME
from s3_server import S3Server

from iceye_derivatives.sinks import ObjectStoreSink

KEY = f"pre/fix/{NAME}"


def s3_sink(s3: S3Server) -> ObjectStoreSink:
    return ObjectStoreSink.from_url("s3://detections/pre/fix", **s3.options())
