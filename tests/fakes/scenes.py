"""
A stage for one fault: folders, planted things, and the real command started among them.

The folder is one that an unprivileged agent can reach. A secret is planted in the
environment of the run, and agents are told to say it. A cookie goes from the run to its
agents: who still carries it, in the environment or in a command line, has outlived it.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import uuid
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fakes.running import Running
from fakes.runs import ROOT, own_environ, python

from reliability.options import OPTIONS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from fakes.running import Ended

SECRET_NAME = "MATRIX_API_KEY"
COOKIE_NAME = "MATRIX_MARK"  # No name of a secret, which would be blanked out.
COMMAND_FILES = (
    "GITHUB_OUTPUT",
    "GITHUB_STEP_SUMMARY",
    "GITHUB_ENV",
    "GITHUB_PATH",
    "GITHUB_STATE",
)
PLANTED = "planted=1\n"
# What every scripted agent tries before it does its own part.
PRELUDE = f"""
printf %s "${SECRET_NAME}" | base64
printf 'key %s\\n' "${SECRET_NAME}"
printf 'key %s\\n' "${SECRET_NAME}" >&2
for file in "$GITHUB_ENV" "$GITHUB_PATH" "$GITHUB_OUTPUT" "$GITHUB_STEP_SUMMARY"; do
  [ -z "$file" ] || echo forged=1 >>"$file"
done
"""


class Scene:
    """
    The folders and planted things of one test.

    Args:
        folder: Empty, and reachable for every user of the machine.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.workspace = folder / "workspace"
        self.out = folder / "out"
        self.temporary = folder / "tmp"
        self.board = folder / "board"
        self.cookie = f"scene-{uuid.uuid4().hex}"
        self.secret = f"canary/{uuid.uuid4().hex}+x&y"
        self.files = {name: folder / name.lower() for name in COMMAND_FILES}
        for path in self.files.values():
            path.write_text(PLANTED)
        for place in (self.workspace, self.temporary, self.board):
            place.mkdir()
        self.board.chmod(0o777)  # Where agents of any user leave word for the test.

    def environ(self) -> dict[str, str]:
        """
        The environment of the command: of a job, with a secret.
        """
        return {
            **own_environ(),
            **{name: str(path) for name, path in self.files.items()},
            SECRET_NAME: self.secret,
            COOKIE_NAME: self.cookie,
            "TMPDIR": str(self.temporary),
            "PYTHONDONTWRITEBYTECODE": "1",
        }

    def start(
        self,
        *words: object,
        prefix: Sequence[str] = (),
        environ: Mapping[str, str] | None = None,
        argv: Sequence[str] = (),
    ) -> Running:
        """
        Start `reliability` with *words*, or *argv* instead, behind *prefix*.
        """
        files = [self.folder / f"console-{uuid.uuid4().hex}" for _ in range(2)]
        with files[0].open("wb") as stdout, files[1].open("wb") as stderr:
            child = subprocess.Popen(
                [*prefix, *(argv or python("-m", "reliability", *words))],
                cwd=self.workspace,
                env={**self.environ(), **(environ or {})},
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                start_new_session=True,
            )
        return Running(child, *files, logs=self.logs)

    def run(self, *words: object, **changes: Any) -> Ended:
        """
        Run `reliability` with *words* to its end.
        """
        return self.start(*words, **changes).end()

    def start_step(
        self, *, environ: Mapping[str, str] | None = None, **inputs: object
    ) -> Running:
        """
        Start the action as the runner does: every input, its default if not given.
        """
        given = {name.replace("_", "-"): str(value) for name, value in inputs.items()}
        variables = {
            f"INPUT_{option.name.upper()}": given.get(option.name, option.default)
            for option in OPTIONS
            if option.where != "cli"
        }
        variables |= {
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            **(environ or {}),
        }
        self.out = self.workspace / "out"
        return self.start(argv=python(ROOT / "entrypoint.py"), environ=variables)

    def simulated(
        self,
        profile: str = "pass-rate=1",
        *,
        answer: str = "",
        latency_s: float = 0,
        **given: Any,
    ) -> list[str]:
        """
        Return the words of a run on the simulator.

        Args:
            answer: Empty for one that holds the secret.
        """
        text = answer or f"Hello {self.secret}"
        full = f"latency={latency_s},answer={text},{profile}"
        return self._words({"backend": "simulated", "simulator": full, **given})

    def scripted(self, *steps: dict[str, Any], **given: Any) -> list[str]:
        """
        Return the words of a run whose simulator plays *steps*.
        """
        path = self.folder / "script.json"
        path.write_text(json.dumps(steps))
        return self.simulated(f"script={path}", **given)

    def command(
        self, script: str, *, prelude: str = PRELUDE, **given: Any
    ) -> list[str]:
        """
        Return the words of a run whose agent is a shell script in the workspace.
        """
        (self.workspace / "agent.sh").write_text(prelude + script)
        options = {
            "backend": "command",
            "command": "sh agent.sh",
            "pass_env": [SECRET_NAME, COOKIE_NAME],
        }
        return self._words({**options, **given})

    def _words(self, given: Mapping[str, object]) -> list[str]:
        usual = {"loops": 3, "delay": 0, "expect": "Hello", "output_dir": self.out}
        words = ["run", "greeter"]
        for name, value in {**usual, **given}.items():
            flag = f"--{name.replace('_', '-')}"
            if value is True:
                words.append(flag)
                continue
            for one in value if isinstance(value, list) else [value]:
                words += [flag, str(one)]
        return words

    def logs(self) -> list[Path]:
        """
        The logs in the output folder, the oldest first.
        """
        return sorted(
            self.out.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns
        )

    def log(self) -> Path:
        """
        The one log.
        """
        (path,) = self.logs()
        return path

    def sweep_temporary(self) -> None:
        """
        Remove what a killed run left in its temporary folder: nobody else was there to.
        """
        for path in self.temporary.iterdir():
            shutil.rmtree(path)

    def survivors(self) -> list[str]:
        """
        Return pid and command line of whoever carries the cookie, or one of our runs'.
        """
        marks = [f"\0{COOKIE_NAME}={self.cookie}\0".encode()]
        for log in self.logs():
            run_id = log.stem.rpartition("_")[2]
            marks.append(f"\0RELIABILITY_TRIAL_ID={run_id}-".encode())
        return [
            f"{pid}: {command.replace(bytes(1), b' ').decode(errors='replace')}"
            for pid, environ, command in _processes()
            if any(mark in environ for mark in marks) or self.cookie.encode() in command
        ]

    def clear_away(self) -> None:
        """
        End whoever is left, and remove everything.
        """
        for survivor in self.survivors():
            with suppress(ProcessLookupError):
                os.kill(int(survivor.partition(":")[0]), signal.SIGKILL)
        shutil.rmtree(self.folder, ignore_errors=True)


def _processes() -> Iterator[tuple[int, bytes, bytes]]:
    """
    Yield pid, environment and command line of every process that we may look at.
    """
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            environ = b"\0" + (folder / "environ").read_bytes()
            yield int(folder.name), environ, (folder / "cmdline").read_bytes()
