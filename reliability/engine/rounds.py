"""
The order of a run's trials: shuffled rounds.

Each round runs every case once, in an order of its own, so that a stop or a drift of
the service finds every case measured alike. The order follows from the seed alone. A
run of one case is in the order of its loops.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from reliability.model import Trial

if TYPE_CHECKING:
    from collections.abc import Container, Iterator

    from reliability.suite import Suite


def shuffled_rounds(
    suite: Suite, *, seed: int, done: Container[int] = ()
) -> Iterator[Trial]:
    """
    Yield the trials of a run, lazily.

    Args:
        seed: The same seed and cases give the same order.
        done: Numbers of trials that need not be run.
    """
    # Another purpose of the same seed must not meet the same numbers.
    chance = random.Random(f"rounds {seed}")  # noqa: S311 - an order, not a secret
    loops = {case.name: case.settings.loops for case in suite.cases}
    number = 0
    for loop in range(1, max(loops.values(), default=0) + 1):
        names = [name for name, count in loops.items() if count >= loop]
        chance.shuffle(names)
        for name in names:
            number += 1
            if number not in done:
                yield Trial(number=number, case=name, loop=loop)
