"""How does an Airflow schedule wait for derivatives without holding a worker?

Apache Airflow 3; install it with ``pip install 'iceye-derivatives[airflow]'``.

============================================  ======================================================
`hook.IceyeHook`                              credentials of a connection become a client
`operators.DownloadDerivativesOperator`       waits in the triggerer, downloads in a worker
`sensors.IceyeDerivativesSensor`              waits in the triggerer, hands on what is ready
`triggers.IceyeDerivativesTrigger`            the wait itself: one poller for many tasks
============================================  ======================================================

This package imports Airflow only in those four modules, so that it can be looked at without.
"""

from __future__ import annotations

__all__: list[str] = []
