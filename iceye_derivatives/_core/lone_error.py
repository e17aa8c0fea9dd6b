"""Which single error says all that a group of errors says?"""

from __future__ import annotations

__all__ = ["lone_error"]


def lone_error(
    group: BaseExceptionGroup[BaseException], *, alike: type[BaseException] | None = None
) -> BaseException | None:
    """The error to raise in place of a task group's group; None where only the group says it all.

    Raise it after the ``except`` block: inside of it, the error would drag the group along as its
    context.

    Args:
        group: What a task group raised.
        alike: Several errors of this class say no more than the first of them.
    """
    first, *others = group.exceptions
    if not others:
        return first
    same = alike is not None and all(isinstance(error, alike) for error in group.exceptions)
    return first if same else None
