"""Keeps our account from following what it writes on: who follows a task is told of everything that happens to it.

It keeps the promise that a task which our account followed before stays followed: somebody wanted that.

Asana documents no such thing for custom fields, and people tell of it for comments. So for fields the first tasks of a
push are looked at before and after; where writing did not make us a follower, no other task is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pmosync.errors import Refused

from ..api import Api, Asked, one

Json = dict[str, Any]
FOLLOWERS = "followers.gid"


def among(task: Mapping[str, Any], me: str) -> bool:
    """Whether our account is among the followers that an answer tells."""
    return me in [follower["gid"] for follower in task.get("followers") or ()]


def follows(api: Api, me: str, gids: Sequence[str]) -> dict[str, bool]:
    """Whether our account follows these tasks, as far as they tell; ten at most."""
    bodies = api.batch([Asked(f"/tasks/{gid}", FOLLOWERS) for gid in gids]) if gids else []
    return {gid: among(one(body), me) for gid, body in zip(gids, bodies, strict=True) if not isinstance(body, Refused)}


def leave(gid: str, me: str) -> Json:
    """An action of a batch that stops following."""
    return {"relative_path": f"/tasks/{gid}/removeFollowers", "method": "post", "data": {"followers": [me]}}


def unfollow(api: Api, me: str, gids: Sequence[str]) -> None:
    """Stop following; where that is refused nothing is wrong but that we are told of the task."""
    if len(gids) > 1:
        api.act([leave(gid, me) for gid in gids])
        return
    for gid in gids:
        data = {"followers": [me]}
        api.session.call("POST", f"/tasks/{gid}/removeFollowers", json={"data": data}, expect=(403, 404))


class Watch:
    """What writing fields does to the followers of tasks, in one push."""

    def __init__(self, api: Api, me: str) -> None:
        self._api, self._me = api, me
        self._harmless = False
        """Whether writing was seen to make no follower of us."""
        self._before: dict[str, bool] = {}
        self._after: dict[str, bool] = {}

    def before(self, gids: Sequence[str]) -> None:
        """Some tasks are about to be written."""
        self._after = {}
        self._before = {} if self._harmless else follows(self._api, self._me, gids)

    def wrote(self, task: Mapping[str, Any]) -> None:
        """Asana answered with a task that was written."""
        self._after[task["gid"]] = among(task, self._me)

    def after(self) -> None:
        """They were written: stop following those that we did not follow before."""
        new = [gid for gid, follows in self._after.items() if follows and self._before.get(gid) is False]
        if self._after.keys() & self._before.keys():
            self._harmless = not new
        unfollow(self._api, self._me, new)
