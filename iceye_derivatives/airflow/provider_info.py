"""What does Airflow learn of this package by its entry point, without importing the rest of it?"""

from __future__ import annotations

from typing import Any

__all__ = ["get_provider_info"]

_HERE = "iceye_derivatives.airflow"
_NAME = "ICEYE derivatives"


def get_provider_info() -> dict[str, Any]:
    """The provider's description, as Airflow's ``provider_info.schema.json`` wants it."""
    return {
        "package-name": "iceye-derivatives",
        "name": _NAME,
        "description": "Waits for the derivatives of ICEYE tasks, and downloads them when ready.",
        "integrations": [
            {
                "integration-name": _NAME,
                "external-doc-url": "https://docs.iceye.com/constellation/api/",
                "tags": ["service"],
            }
        ],
        "hooks": [{"integration-name": _NAME, "python-modules": [f"{_HERE}.hook"]}],
        "operators": [{"integration-name": _NAME, "python-modules": [f"{_HERE}.operators"]}],
        "sensors": [{"integration-name": _NAME, "python-modules": [f"{_HERE}.sensors"]}],
        "triggers": [{"integration-name": _NAME, "python-modules": [f"{_HERE}.triggers"]}],
        "connection-types": [
            {
                "connection-type": "iceye",
                "hook-class-name": f"{_HERE}.hook.IceyeHook",
                "hook-name": "ICEYE",
            }
        ],
    }
