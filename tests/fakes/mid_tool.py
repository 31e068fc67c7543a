"""
Runs of the real Claude Code CLI that are in the middle of a tool, to be ended there.

Each trial's model calls Bash once. The tool starts one process in its own group, one
deaf to signals in a session of its own, one there without an environment, and then
waits itself, ten minutes each. It leaves word when all are started and again if it
ever ends: who left the first and not the second was ended in mid-tool. All carry the
scene's cookie in their command lines, so whoever is left is found.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from fakes.claude_bench import MODEL, SYSTEM_PATH

from reliability.simulator.embedded import Simulator
from reliability.simulator.profile import Profile
from reliability.simulator.script import Step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fakes.running import Running
    from fakes.scenes import Scene

_TOOL = """
wait_long() {{ exec -a {cookie} sleep 600; }}
export -f wait_long
(wait_long) &
(trap '' TERM HUP INT; setsid bash -c wait_long >/dev/null 2>&1 &)
(env -i setsid bash -c 'exec -a {cookie} sleep 600' >/dev/null 2>&1 &)
touch "{board}/$RELIABILITY_TRIAL_ID.began"
(wait_long)
touch "{board}/$RELIABILITY_TRIAL_ID.ended"
"""
_ANSWER = Step(text="Hello")


class MidTool:
    """
    A scene whose runs are of the real CLI and come to a stand in a tool.

    A trial that is run again, by a resumed run, answers at once.

    Args:
        cli: The real program.
        trials: How many a run has.
        workers: How many of them at once.
    """

    def __init__(self, scene: Scene, cli: Path, *, trials: int, workers: int) -> None:
        self.scene = scene
        self.trials = trials
        self._workers = workers
        tool = _TOOL.format(cookie=scene.cookie, board=scene.board)
        (scene.workspace / "tool.sh").write_text(tool)
        programs = scene.folder / "bin"
        programs.mkdir()
        (programs / "claude").symlink_to(cli)
        self._environ = {
            "PATH": f"{programs}:{SYSTEM_PATH}",
            "ANTHROPIC_API_KEY": "sk-ant-of-the-test",
        }
        call = Step(tool="Bash", input={"command": "bash tool.sh"})
        self.simulator = Simulator(Profile(latency_s=0, script=(call, _ANSWER)))

    def start(self, *, timeout_s: float, prefix: Sequence[str] = ()) -> Running:
        """
        Start a run, isolated as by default.
        """
        words = ["run", "--prompt", "Say hello.", "--model", MODEL, "--expect", "Hello"]
        words += ["--loops", str(self.trials), "--timeout", str(timeout_s)]
        words += ["--parallel", "--max-workers", str(self._workers)]
        words += ["--max-attempts", "1", "--claude-args", "--allowedTools Bash"]
        return self._start(*words, "--output-dir", str(self.scene.out), prefix=prefix)

    def resume(self) -> Running:
        """
        Start what goes on from the newest log.
        """
        log = self.scene.logs()[-1]
        return self._start("resume", str(log), "--output-dir", str(self.scene.out))

    def _start(self, *words: str, prefix: Sequence[str] = ()) -> Running:
        environ = {**self._environ, "ANTHROPIC_BASE_URL": self.simulator.base_url}
        return self.scene.start(*words, environ=environ, prefix=prefix)

    def in_mid_tool(self) -> int:
        """
        Return how many trials have been in the tool and never came to its end.
        """
        began, ended = (
            {path.stem for path in self.scene.board.glob(f"*.{when}")}
            for when in ("began", "ended")
        )
        return len(began - ended)

    def wait_for_all(self, running: Running) -> None:
        """
        Wait until every trial is in mid-tool, with all four of the tool's processes.
        """
        running.wait_until(lambda: self.in_mid_tool() == self.trials)
        running.wait_until(lambda: len(self._sleepers()) == 4 * self.trials)

    def kill_clis(self) -> None:
        """
        Kill each CLI, as the kernel does when memory runs out.
        """
        cli = self._environ["PATH"].partition(":")[0] + "/claude"
        for pid, words in self._processes():
            if words[:1] == [cli]:
                os.kill(pid, signal.SIGKILL)

    def _sleepers(self) -> list[int]:
        return [
            pid
            for pid, words in self._processes()
            if words[:2] == [self.scene.cookie, "600"]
        ]

    def _processes(self) -> list[tuple[int, list[str]]]:
        """
        Return pid and command line of every process.
        """
        found = []
        for place in Path("/proc").glob("[0-9]*"):
            try:
                words = (place / "cmdline").read_bytes()
            except OSError:
                continue
            found.append((int(place.name), words.decode(errors="replace").split("\0")))
        return found
