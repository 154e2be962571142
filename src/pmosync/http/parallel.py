"""Runs a function over many items in a few threads, without running ahead of who takes the results.

It keeps the promise that results come in order, that the first error stops the rest, and that memory stays flat.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(fn: Callable[[Item], Result], items: Iterable[Item], width: int) -> Iterator[Result]:
    """`fn` of every item, in order, at most `width` at a time and at most `width` results waiting."""
    pool = ThreadPoolExecutor(width, thread_name_prefix="pmosync-http")
    pending: deque[Future[Result]] = deque()
    try:
        for item in items:
            pending.append(pool.submit(fn, item))
            if len(pending) >= width:
                yield pending.popleft().result()
        while pending:
            yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
