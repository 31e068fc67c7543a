"""
What stays true whatever fault is injected into a run, checked from outside.

I1  no process that the run started outlives it, and no temporary file
I2  every log parses, its numbers have no gap; a locked one is what its digest says
I3  the exit code is the one of the verdict; what is not measured is 3, never 0 or 1
I4  no planted secret is in any file or on the console, in no usual spelling
I5  the runner's command files hold what was planted there and, of a step, our outputs
I6  the run ends by itself: `Running.end` gives up at a deadline that only a hang meets

The logs are read by a parser of this file's own; it shares no code with the package.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import zlib
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

import yaml
from fakes.faults import numbers_of, traced
from fakes.runs import ROOT
from fakes.scenes import COMMAND_FILES, PLANTED
from oracle.runner_parser import pairs_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from fakes.running import Ended
    from fakes.scenes import Scene

LogState = Literal["locked", "whole", "torn", "absent"]

_CODES = {"pass": 0, "fail": 1, "invalid": 3, "inconclusive": 4}
_CRC = re.compile(rb',"crc32":"([0-9a-f]{8})"\}$')


def check_invariants(
    scene: Scene,
    ended: Ended,
    *,
    log: LogState = "locked",
    has_reports: bool = True,
    is_run: bool = True,
    is_step: bool = False,
) -> list[dict[str, Any]]:
    """
    Check all invariants and return the events of the newest log.

    Args:
        log: What the newest log must be: locked; whole without an end, after trouble
            that a run survives long enough to say so; whole or torn, after a kill;
            or not there at all.
        has_reports: The results must be there, and agree with the log.
        is_run: It was a run, whose exit code is its verdict's.
        is_step: It was a step of a workflow, which writes outputs and a summary.
    """
    survivors = scene.survivors()
    assert survivors == [], f"I1: {survivors}"
    if ended.code >= 0:
        left = [str(path) for path in scene.temporary.iterdir()]
        assert left == [], f"I1: {left}"
    events = _check_logs(scene, log)
    if is_run:
        _check_code(events, ended)
    if log == "locked" and has_reports:
        results = json.loads((scene.out / "results.json").read_text())
        told = (results["verdict"], results["status"])
        assert told == (events[-1]["verdict"], events[-1]["status"])
    _check_secrets(scene, ended)
    _check_command_files(scene, is_step=is_step)
    return events


def parse_log(raw: bytes) -> tuple[list[dict[str, Any]], bytes]:
    """
    Return the events of a log and what stands after its last newline.

    Raises:
        AssertionError: at the first line that is not one of a log, or not the next one.
    """
    *lines, tail = raw.split(b"\n")
    events = []
    for number, line in enumerate(lines, 1):
        found = _CRC.search(line)
        assert found, f"I2: line {number} has no checksum: {line[-80:]!r}"
        body = line[: found.start()] + b"}"
        is_whole = int(found[1], 16) == zlib.crc32(body)
        assert is_whole, f"I2: line {number} is not what was written"
        event = json.loads(line)
        assert event["seq"] == number, f"I2: line {number} says {event['seq']}"
        assert event["run_id"] == json.loads(lines[0])["run_id"]
        events.append(event)
    return events, tail


def of_kind(events: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """
    Return the events of one kind.
    """
    return [event for event in events if event["event"] == kind]


def forms_of(secret: str) -> Iterator[bytes]:
    """
    Yield the spellings in which no secret may be found.
    """
    raw = secret.encode()
    yield from (raw, raw.hex().encode(), raw.hex().upper().encode())
    yield quote(secret, safe="").encode()
    yield json.dumps(secret)[1:-1].replace("/", "\\/").encode()
    for offset in range(3):
        encoded = base64.b64encode(b"\0" * offset + raw)
        inner = encoded[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
        yield inner
        yield inner.translate(bytes.maketrans(b"+/", b"-_"))
        if not offset:
            yield base64.b64encode(inner)[: len(inner) * 8 // 6]


def _check_logs(scene: Scene, state: LogState) -> list[dict[str, Any]]:
    """
    Check every log, and the newest one's state (I2); return that one's events.
    """
    logs = scene.logs()
    if state == "absent":
        assert logs == [], f"I2: {logs}"
        return []
    assert logs, "I2: there is no log"
    for path in logs[:-1]:
        parse_log(path.read_bytes())
    return _check_newest(logs[-1], state)


def _check_newest(path: Path, state: LogState) -> list[dict[str, Any]]:
    raw = path.read_bytes()
    events, tail = parse_log(raw)
    sidecar = path.with_name(f"{path.name}.sha256")
    assert not tail or state == "torn", f"I2: {tail[:200]!r} at the end of {path}"
    if state == "locked":
        digest = hashlib.sha256(raw).hexdigest()
        assert sidecar.read_text() == f"{digest}  {path.name}\n"
        assert events[-1]["event"] == "run_finished"
    if state == "whole":
        assert not sidecar.exists(), "I2: locked although the run had no end"
    return events


def _check_code(events: list[dict[str, Any]], ended: Ended) -> None:
    """
    Check that the exit code says what the log says (I3).
    """
    if ended.code < 0:
        return  # Killed from outside: there is nobody to say anything.
    last: dict[str, Any] = events[-1] if events else {"event": ""}
    if last["event"] != "run_finished":
        assert ended.code in {2, 3}, f"I3: {ended.code}: {ended.console}"
        assert not (events and ended.code == 2), "I3: bad usage is found before a log"
        return
    if last["status"] == "cancelled":
        expected = 128 + last["signal"]
    else:
        expected = _CODES[last["verdict"]]
    measured = last["counts"]["passed"] + last["counts"]["failed"]
    # A verdict of pass whose reports or log could not be finished is not a pass.
    allowed = {expected, 3} if expected == 0 else {expected}
    assert ended.code in allowed, f"I3: {ended.code} for {last}: {ended.console}"
    assert measured or ended.code not in {0, 1}, f"I3: nothing measured: {ended.code}"


def _check_secrets(scene: Scene, ended: Ended) -> None:
    """
    Look for every spelling of the secret in everything that the run left (I4).
    """
    # A mask is how the runner learns what to hide; it shows none.
    shown = re.sub("^::add-mask::.*$", "", ended.console, flags=re.MULTILINE)
    places = {"console": shown.encode(errors="surrogateescape")}
    for path in (*scene.out.rglob("*"), *scene.files.values()):
        if path.is_file() and not path.is_symlink():
            places[str(path)] = path.read_bytes()
        places.setdefault("names", b"")
        places["names"] += str(path.relative_to(scene.folder)).encode()
    for form in set(forms_of(scene.secret)):
        found = [name for name, content in places.items() if form in content]
        assert found == [], f"I4: {form!r} in {found}"


def _check_command_files(scene: Scene, *, is_step: bool) -> None:
    """
    Check that the runner would read nothing that is not ours (I5).
    """
    for name in COMMAND_FILES:
        text = scene.files[name].read_text()
        if not is_step or name not in {"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY"}:
            assert text == PLANTED, f"I5: {name}: {text}"
        assert text.startswith(PLANTED), f"I5: {name}: {text}"
    if is_step:
        action = yaml.safe_load((ROOT / "action.yml").read_text())
        written = {
            name for name, _ in pairs_in(scene.files["GITHUB_OUTPUT"].read_text())
        }
        assert written <= {"planted", *action["outputs"]}, f"I5: {written}"


def line_writes(scene: Scene, words: list[str]) -> list[int]:
    """
    Run *words* once and return which writes, from 1, are the lines of the log.

    Those are the numbers at which the next such run can be hit. What it wrote is gone.
    """
    trace = scene.folder / "calibration"
    check_invariants(scene, scene.run(*words, prefix=traced(trace, "write")))
    numbers = numbers_of(trace, "write", ".jsonl")
    lines = scene.log().read_bytes().count(b"\n")
    shutil.rmtree(scene.out)

    assert lines == len(numbers)
    return numbers


def text_of(scene: Scene, event: dict[str, Any], field: str) -> str:
    """
    Return a text of an event, also when it is kept beside the log.
    """
    value = event[field]
    if isinstance(value, str):
        return value
    log = scene.logs()[-1]
    return log.with_name(f"{log.name}.d").joinpath(value["side_file"]).read_text()
