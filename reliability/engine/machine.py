"""
Puts the engine together and lets it run: workers, gate, caps, retries, scheduler.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from reliability.choices import OnStop
from reliability.engine.attempts import Attempts
from reliability.engine.budget import Budget
from reliability.engine.certainty import Certainty
from reliability.engine.executor import Scheduler
from reliability.engine.governor import Governor
from reliability.engine.launcher import open_pool
from reliability.engine.retry import RetryPolicy
from reliability.engine.rounds import shuffled_rounds
from reliability.engine.workers import (
    available_cores,
    available_memory_bytes,
    choose_workers,
)
from reliability.process import stop_everything

if TYPE_CHECKING:
    from collections.abc import Container

    from reliability.engine.cancellation import Cancellation
    from reliability.engine.recorder import Recorder
    from reliability.engine.scene import Scene
    from reliability.engine.targets import Targets
    from reliability.model import RunStatus
    from reliability.settings import Settings
    from reliability.suite import Suite


def run_trials(
    settings: Settings,
    suite: Suite,
    targets: Targets,
    scene: Scene,
    *,
    run_id: str,
    done: Container[int],
    recorder: Recorder,
    cancellation: Cancellation,
) -> tuple[RunStatus, str]:
    """
    Run the trials of *suite*; return how that ended, and what stopped it, if anything.

    Args:
        done: Numbers of trials that need not be run.

    Raises:
        JournalError: when the log can no longer be written.
    """
    workers = choose_workers(
        settings,
        suite,
        cores=available_cores(),
        memory_bytes=available_memory_bytes(),
    )
    pool = open_pool(workers)
    try:
        with Attempts(suite, targets, run_id, scene) as attempts:
            scheduler = Scheduler(
                trials=shuffled_rounds(suite, seed=settings.seed, done=done),
                ask=attempts.ask,
                judge=attempts.judge,
                stop=attempts.stop,
                kill=stop_everything,
                pool=pool,
                governor=Governor(
                    ceiling=workers,
                    gap_s=0.0 if settings.parallel else settings.delay,
                    per_minute=settings.requests_per_minute,
                ),
                budget=Budget.of(settings, began_mono_s=recorder.began_mono_s),
                retry=RetryPolicy(settings.max_attempts),
                observer=recorder,
                clock=scene.clock,
                cancellation=cancellation,
                certainty=Certainty(
                    recorder.referee, drains=settings.on_stop is OnStop.DRAIN
                ),
            )
            return scheduler.run(), scheduler.stopped_by
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
