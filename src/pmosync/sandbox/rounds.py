"""Does in a thread of its own what becomes due by the sandbox's clock: the deliveries of webhooks.

It keeps the promise that no call of an API waits for it, and that it ends when the sandbox does, whatever is under way.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

LOOK_S = 0.005
PAUSE_S = 1.0
"""How long the thread sleeps at most: the sandbox's clock may be moved by others."""


class Rounds:
    """The thread; it begins with the first `wake`.

    `work` does the one thing that has been due for longest and tells whether there was one; `is_due` only looks;
    `cut` ends what `work` waits for.
    """

    def __init__(
        self, name: str, work: Callable[[], bool], is_due: Callable[[], bool], cut: Callable[[], None]
    ) -> None:
        self._name, self._work, self._is_due, self._cut = name, work, is_due, cut
        self._news = threading.Event()
        self._ended = False
        self._thread: threading.Thread | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing is to be written any more."""
        return self._ended

    def wake(self) -> None:
        """Say that something may be due."""
        if self._thread is None and not self._ended:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()
        self._news.set()

    def stop(self) -> None:
        """End, whatever is under way."""
        self._ended = True
        self._news.set()
        if self._thread is not None:
            while self._thread.is_alive():
                self._cut()
                self._thread.join(0.01)

    def wait(self, seconds: float) -> bool:
        """Return when nothing is due any longer, or when the time is over; says whether nothing is."""
        end = time.monotonic() + seconds
        while self._is_due():
            if time.monotonic() >= end:
                return False
            time.sleep(LOOK_S)
        return True

    def _run(self) -> None:
        while not self._ended:
            self._news.clear()
            if not self._work():
                self._news.wait(PAUSE_S)
