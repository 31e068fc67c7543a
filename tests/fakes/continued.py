"""
Logs of interrupted runs, made without a kill: what a kill at that place leaves.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.runs import ENVIRON, texts

from reliability.earlier import read_earlier
from reliability.journal import read_events
from reliability.options.texts import texts_of
from reliability.run import run
from reliability.settings import Settings

if TYPE_CHECKING:
    from reliability.earlier import Earlier
    from reliability.journal import Event
    from reliability.run_result import RunResult


def cut_log(log: Path, *, after: str = "", count: int = 1, torn_bytes: int = 0) -> Path:
    """
    Turn a finished log into one of a run that was killed, and return its path.

    Args:
        after: The log ends after the *count*-th event of this name; empty for the last
            one before the end of the run.
        torn_bytes: So much of the next line is left behind it.
    """
    content = log.read_bytes()
    lines = content.splitlines(keepends=True)
    place = len(lines) - 1
    if after:
        names = [event.event for event in read_events(log)]
        found = [at for at, name in enumerate(names, start=1) if name == after]
        place = found[count - 1]
    whole = b"".join(lines[:place])
    log.chmod(0o600)
    log.write_bytes(content[: len(whole) + torn_bytes])
    log.with_name(f"{log.name}.sha256").unlink(missing_ok=True)
    return log


def killed_run(folder: Path, *, ended: int, torn_bytes: int = 0, **given: str) -> Path:
    """
    Return the log of a simulated run that was killed when *ended* trials had ended.
    """
    settings = Settings.from_text(texts(folder, **given))
    log = Path(run(settings, environ=ENVIRON, workspace=folder).log)
    after = "trial_finished" if ended else "run_started"
    return cut_log(log, after=after, count=max(1, ended), torn_bytes=torn_bytes)


def resumed(log: Path, *, allow_changed: bool = False, **given: str) -> RunResult:
    """
    Go on with a log as the command does; *given* replace its options.
    """
    earlier = read_earlier(log, allow_changed=allow_changed)
    return resumed_from(earlier, **given)


def resumed_from(earlier: Earlier, **given: str) -> RunResult:
    """
    Go on with a log that was read already.
    """
    options = {name.replace("_", "-"): text for name, text in given.items()}
    settings = Settings.from_text(texts_of(earlier.start["options"]) | options)
    workspace = earlier.path.parents[1]
    return run(settings, environ=ENVIRON, workspace=workspace, earlier=earlier)


def named(log: str | Path, name: str) -> list[Event]:
    """
    Return the events of one name.
    """
    return [event for event in read_events(Path(log)) if event.event == name]


def moved(log: str | Path, folder: Path) -> Path:
    """
    Move a log and its sidecar to a folder of their own, and return the log's path.
    """
    folder.mkdir(parents=True)
    for path in (Path(log), Path(f"{log}.sha256")):
        if path.exists():
            shutil.move(path, folder / path.name)
    return folder / Path(log).name
