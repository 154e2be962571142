"""Calls the work of each site when its schedules come, on a thread of its own, so that no site waits for another.

What was missed while the daemon was down or the machine slept is asked for once when it is back. The work itself
decides whether anything is due, so a job that comes twice does nothing the second time.
"""

from __future__ import annotations

import datetime as dt
import threading
import time
from typing import Any
from zoneinfo import ZoneInfo

from apscheduler.events import EVENT_JOB_ERROR, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler

from pmosync.config.unattended import Schedule, cron
from pmosync.daemon.telling import log
from pmosync.daemon.work import Work

BEAT_S = 5
"""How often the daemon looks whether it is alive, and whether files changed."""
LATE_S = 60.0
"""A heartbeat older than this means that the scheduler hangs."""
MIDNIGHT = cron("0 0 * * *")
OFTEN_ENOUGH = {"max_instances": 1, "coalesce": True, "misfire_grace_time": None}
"""However late a job comes, it comes once."""

Plan = tuple[ZoneInfo, Schedule]


class Scheduler:
    """The jobs of all sites."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._lock = threading.Lock()
        self._plans: dict[str, Plan] = {}
        self._beat_s = time.monotonic()
        # In one zone alone times of day are compared without regard to the hour that comes twice.
        self._jobs = BackgroundScheduler(timezone=dt.UTC, job_defaults=OFTEN_ENOUGH)
        self._jobs.add_executor(ThreadPoolExecutor(1), "beat")
        self._jobs.add_listener(self._failed, EVENT_JOB_ERROR)

    def start(self) -> None:
        """Begin; what is due is done at once."""
        self._arrange()
        self._jobs.add_job(self.beat, "interval", seconds=BEAT_S, id="beat", executor="beat")
        self._jobs.start()

    def stop(self) -> None:
        """Begin no more jobs. Those that run are asked to end by `Stop`."""
        self._jobs.shutdown(wait=False)

    def not_alive(self) -> str:
        """Why the daemon is not alive; empty: it is."""
        silent_s = time.monotonic() - self._beat_s
        return f"the scheduler has been silent for {silent_s:.0f} s" if silent_s > LATE_S else ""

    def beat(self) -> None:
        """Look whether files changed, and show that the scheduler lives."""
        self._work.look(again=False)
        self._arrange()
        self._beat_s = time.monotonic()

    def _arrange(self) -> None:
        """Make the jobs those of the files."""
        sites = self._work.desks.edition.config.sites
        wanted: dict[str, Plan] = {name: (one.zone, one.schedule) for name, one in sites.items()}
        with self._lock:
            for name in [name for name in self._plans if name not in wanted]:
                self._remove(name)
            for name, plan in wanted.items():
                if self._plans.get(name) != plan:
                    self._add(name, plan)

    def _add(self, name: str, plan: Plan) -> None:
        zone, schedule = plan
        if name not in self._plans:
            self._jobs.add_executor(ThreadPoolExecutor(1), _thread(name))
        crons = {"sync": schedule.sync, "reconcile": schedule.reconcile, "new day": MIDNIGHT}
        for job, one in crons.items():
            self._put(f"{job} {name}", name, trigger=one.trigger(zone))
        self._put(f"catch up {name}", name)
        self._plans[name] = plan
        log.info("scheduled", site=name, sync=schedule.sync.text, reconcile=schedule.reconcile.text, zone=zone.key)

    def _put(self, job: str, name: str, **options: Any) -> None:
        self._jobs.add_job(
            self._work.run_due, args=[name], id=job, executor=_thread(name), replace_existing=True, **options
        )

    def _remove(self, name: str) -> None:
        del self._plans[name]
        for job in self._jobs.get_jobs():
            if job.executor == _thread(name):
                job.remove()
        self._jobs.remove_executor(_thread(name), shutdown=False)
        log.info("no longer scheduled", site=name)

    def _failed(self, event: JobExecutionEvent) -> None:
        """A job ended with an error that nobody expected: it is told, and the next one comes as planned."""
        job = str(event.job_id)
        if job == "beat":
            log.error("the files could not be looked at", why=f"{type(event.exception).__name__}: {event.exception}")
        else:
            self._work.failed(job.rpartition(" ")[2], event.exception)


def _thread(name: str) -> str:
    return f"site {name}"
