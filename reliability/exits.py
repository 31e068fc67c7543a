"""
How a process of ours ends.
"""

from __future__ import annotations

import os
import sys
from typing import NoReturn

_NOT_MEASURED = 3


def leave(code: int) -> NoReturn:
    """
    End at once with *code*, after flushing both streams.

    When what was printed cannot be written, 0 becomes 3.
    The interpreter would first wait for its worker threads, and one of them may hang
    in a call that was abandoned. Everything of worth is on disk by now.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except BrokenPipeError:
            pass  # Whoever read it has gone, and has what they wanted.
        except OSError:
            code = code or _NOT_MEASURED
    os._exit(code)
