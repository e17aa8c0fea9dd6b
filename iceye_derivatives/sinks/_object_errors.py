"""What does an object store's refusal mean, in words that hold no credential?

obstore's own texts quote the whole request, and with Azure's shared access signatures, or a store
behind a signed query, that is a secret.  So nothing of them is handed on but the HTTP status and
the store's code, and the error that they came in is not chained.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Coroutine
from errno import EACCES, EEXIST, EIO, ENOENT, ENOSPC
from functools import wraps
from http import HTTPStatus
from typing import Any, ParamSpec, TypeVar

__all__ = [
    "another_there",
    "is_conflict",
    "knows_no_conditions",
    "lacks_bucket",
    "os_error",
    "telling",
    "words",
]

P = ParamSpec("P")
T = TypeVar("T")

_STATUS = re.compile(r"status code: (\d{3})")
_CODE = re.compile(r"<Code>([A-Za-z]{1,64})</Code>")
_NO_BUCKET = frozenset({"NoSuchBucket", "ContainerNotFound"})
_FULL_CODES = frozenset(
    {
        "InsufficientCapacity",
        "InsufficientStorage",
        "QuotaExceeded",
        "ServiceQuotaExceeded",
        "XMinioStorageFull",
        "XMinioAdminBucketQuotaExceeded",
    }
)


def words(error: BaseException) -> tuple[int | None, str | None]:
    """The HTTP status and the store's code, where an error of obstore's quotes them."""
    text = str(error)
    status, code = _STATUS.search(text), _CODE.search(text)
    return int(status[1]) if status else None, code[1] if code else None


def is_conflict(error: Exception) -> bool:
    """Whether a put that wanted to be the first was not: answered 412, or 409 by S3 in a race."""
    return type(error).__name__ in {"AlreadyExistsError", "PreconditionError"}


def knows_no_conditions(error: Exception) -> bool:
    """Whether the store cannot put under a condition at all."""
    return (
        type(error).__name__ == "NotSupportedError" or words(error)[0] == HTTPStatus.NOT_IMPLEMENTED
    )


def lacks_bucket(error: FileNotFoundError) -> bool:
    """Whether it is the bucket that is not there, and no object in it."""
    return words(error)[1] in _NO_BUCKET


def os_error(error: Exception, place: str) -> OSError:
    """The same as an `OSError` with an errno, as sinks raise them.

    Args:
        error: What obstore raised.
        place: Which store, for people; never a query.
    """
    status, code = words(error)
    told = " ".join(str(word) for word in (status, code) if word is not None)
    told = f" ({told})" if told else ""
    name = type(error).__name__
    if status == HTTPStatus.INSUFFICIENT_STORAGE or code in _FULL_CODES:
        return OSError(ENOSPC, f"{place} has no room left, or its quota is used up{told}")
    if isinstance(error, FileNotFoundError) or status == HTTPStatus.NOT_FOUND:
        return OSError(
            ENOENT, f"there is no such bucket{told}: create it, or correct the URL {place}"
        )
    if name == "UnauthenticatedError" or status == HTTPStatus.UNAUTHORIZED:
        return OSError(
            EACCES, f"{place} does not know the credentials{told}: check where they come from"
        )
    if name == "PermissionDeniedError" or status == HTTPStatus.FORBIDDEN:
        return OSError(
            EACCES,
            f"{place} denies access{told}: let these credentials put, get, list and abort uploads",
        )
    if "BadScheme" in str(error):
        return OSError(
            EIO, f"{place} is at an http:// address: allow that (AWS_ALLOW_HTTP=true), or use https"
        )
    return OSError(EIO, f"{place} failed or could not be reached{told}: see whether it is up")


def another_there(place: str) -> OSError:
    """Somebody else's bytes stand where ours were to go."""
    return OSError(EEXIST, f"meanwhile something else was stored as {place}: it was left there")


def telling(
    method: Callable[P, Awaitable[T]],
) -> Callable[P, Coroutine[Any, Any, T]]:
    """Let a sink's method raise `os_error()` for what obstore raises; `self` has a `url`."""

    @wraps(method)
    async def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return await method(*args, **kwargs)
        except Exception as error:
            if not _is_obstore(error):
                raise
            fault = os_error(error, args[0].url)  # type: ignore[attr-defined]  # a sink or a part
        # Not inside of the `except`: it would drag the other's text along as its context.
        raise fault

    return told


def _is_obstore(error: Exception) -> bool:
    """Its own classes, and the builtin ones that it raises with a text instead of an errno."""
    if isinstance(error, OSError):
        return error.errno is None
    return type(error).__module__.partition(".")[0] == "obstore"
