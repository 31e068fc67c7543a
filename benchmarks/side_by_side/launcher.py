"""
Start one command, wait for it, and print what it took as JSON.

    python -I -S launcher.py OUTPUT TIMEOUT_S COMMAND [ARGUMENT...]

A program of its own, with next to no imports: the kernel counts what the starting
process held as the least that the started one holds, and that is 9 MiB here. Nothing
polls: the wall time lies around one blocking `wait4`, and CPU and memory are what the
kernel counted for the command and every descendant that was waited for.
"""

import json
import os
import signal
import sys
import time


def main() -> None:
    """
    Measure the command of the command line.
    """
    output, timeout_s, *argv = sys.argv[1:]
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    actions = [
        (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_OPEN, 1, output, flags, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    timed_out = []
    began_s = time.perf_counter()
    try:
        pid = os.posix_spawn(
            argv[0], argv, os.environ, file_actions=actions, setsid=True
        )
    except OSError as error:
        sys.exit(f"{argv[0]} cannot be started: {error}")

    def kill(_number: int, _frame: object) -> None:
        timed_out.append(1)
        os.killpg(pid, signal.SIGKILL)

    signal.signal(signal.SIGALRM, kill)
    signal.setitimer(signal.ITIMER_REAL, float(timeout_s))
    _, status, used = os.wait4(pid, 0)
    wall_s = time.perf_counter() - began_s
    cost = {
        "wall_s": wall_s,
        "cpu_s": used.ru_utime + used.ru_stime,
        "peak_rss_mib": used.ru_maxrss / 1024,
        "exit_code": os.waitstatus_to_exitcode(status),
        "timed_out": bool(timed_out),
    }
    print(json.dumps(cost))


if __name__ == "__main__":
    main()
