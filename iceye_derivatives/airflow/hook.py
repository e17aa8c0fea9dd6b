"""How do the fields of an Airflow connection become a client of ICEYE's API?"""

from __future__ import annotations

from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Final

from airflow.sdk import BaseHook

from iceye_derivatives import ClientCredentials, ConfigurationError, DerivativesClient, StaticToken

if TYPE_CHECKING:
    from airflow.sdk import Connection

    from iceye_derivatives import TokenSource

__all__ = ["IceyeHook", "client_of"]

_DEFAULT_HOST: Final = "https://platform.iceye.com"
_SETTINGS: Final = {
    "rate": float,
    "burst": int,
    "connect_timeout": float,
    "answer_timeout": float,
    "read_timeout": float,
    "allow_http": bool,
    "allowed_hosts": list,
    "trust_env": bool,
}
"""What a connection's extra may set of a client, and of which type."""


class IceyeHook(BaseHook):
    """A client made of an Airflow connection of the type ``iceye``.

    ================  ==============================================================================
    field             holds
    ================  ==============================================================================
    Host              the API, e.g. ``https://platform.iceye.com`` (the default), without ``/api``
    Login             the client id
    Password          the client secret; where there is no login, a ready access token
    Extra             JSON: ``{"token_url": "https://…"}``, and settings of `DerivativesClient` such
                      as ``rate``, ``allowed_hosts``
    ================  ==============================================================================

    Connections come from wherever Airflow keeps them: its database, ``AIRFLOW_CONN_…`` variables or
    a secrets backend.  Nothing of them is stored, logged or handed to another process here.

    Args:
        iceye_conn_id: The connection's id.

    Example::

        async with IceyeHook().get_client() as client:
            task = await client.get_task(task_id)
    """

    conn_name_attr = "iceye_conn_id"
    default_conn_name = "iceye_default"
    conn_type = "iceye"
    hook_name = "ICEYE"

    def __init__(self, iceye_conn_id: str = default_conn_name, **kwargs: Any) -> None:  # noqa: ANN401 - Airflow's own
        super().__init__(**kwargs)
        self.iceye_conn_id = iceye_conn_id

    @classmethod
    def get_ui_field_behaviour(cls) -> dict[str, Any]:
        """How the form of such a connection reads."""
        return {
            "hidden_fields": ["schema", "port"],
            "relabeling": {
                "host": "API base URL",
                "login": "Client id",
                "password": "Client secret",
            },
            "placeholders": {
                "host": _DEFAULT_HOST,
                "extra": '{"token_url": "the token URL that ICEYE issued to you"}',
            },
        }

    def get_conn(self) -> DerivativesClient:
        """The same as `get_client()`: Airflow's name for it."""
        return self.get_client()

    def get_client(self) -> DerivativesClient:
        """A client to use with ``async with``; for code in a worker.

        Raises:
            ConfigurationError: names all that the connection lacks.
            AirflowNotFoundException: there is no such connection.
        """
        return client_of(self.get_connection(self.iceye_conn_id))

    async def aget_client(self) -> DerivativesClient:
        """The same from an event loop, such as the triggerer's, without blocking it."""
        return client_of(await self.aget_connection(self.iceye_conn_id))

    def test_connection(self) -> tuple[bool, str]:
        """Whether a token is to be had and the API takes it; asks for one page of tasks."""
        import asyncio  # noqa: PLC0415 - only the "Test" button of the form comes here

        try:
            asyncio.run(self._try())
        except Exception as error:  # noqa: BLE001 - the form shows whatever it was
            return False, str(error)
        return True, "ICEYE's API answers, and takes the token"

    async def _try(self) -> None:
        async with await self.aget_client() as client, aclosing(client.list_tasks()) as tasks:
            async for _ in tasks:
                break


def client_of(connection: Connection) -> DerivativesClient:
    """A client with the credentials and settings of a connection."""
    extra = connection.extra_dejson
    faults = [
        f"its extra has {name}={extra[name]!r}, which is no {wanted.__name__}"
        for name, wanted in _SETTINGS.items()
        if name in extra and not _fits(extra[name], wanted)
    ]
    auth = _token_source(connection, extra, faults)
    if faults or auth is None:
        raise ConfigurationError(
            f"The Airflow connection {connection.conn_id!r} cannot be used: {'; '.join(faults)}"
        )
    settings = {name: extra[name] for name in _SETTINGS if name in extra}
    return DerivativesClient(base_url=_base_url(connection), auth=auth, **settings)


def _fits(value: object, wanted: type) -> bool:
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, wanted)


def _token_source(
    connection: Connection, extra: dict[str, Any], faults: list[str]
) -> TokenSource | None:
    token_url = extra.get("token_url")
    if not connection.password:
        faults.append("it has no password (the client secret, or an access token without a login)")
    elif not connection.login:
        return StaticToken(connection.password)
    elif not isinstance(token_url, str) or not token_url:
        faults.append('its extra has no "token_url"')
    else:
        return ClientCredentials(token_url, connection.login, connection.password)
    return None


def _base_url(connection: Connection) -> str:
    host = connection.host or _DEFAULT_HOST
    if "://" not in host:
        host = f"{connection.schema or 'https'}://{host}"
    return f"{host}:{connection.port}" if connection.port else host
