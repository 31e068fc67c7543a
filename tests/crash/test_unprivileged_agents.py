"""
What an agent cannot do because it is not root: reach the job that runs it.

Each attack is made for real, by a child that runs as agents do; where it is made by a
child that kept our rights it works, so that the test is known to see it.
"""

from __future__ import annotations

import os
import shlex
import socket
import sys
import textwrap
import threading
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from fakes.folders import needs_root, open_folder
from fakes.runs import ENVIRON, events, outcomes, texts

from reliability.action import COMMAND_FILES
from reliability.github.files import FileGuard
from reliability.run import run
from reliability.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from reliability.run_result import RunResult

pytestmark = [pytest.mark.crash, needs_root]

RUNNER_UID = 1001
SECRET = "canary-in-our-environment"


def attack(
    folder: Path, program: str, *, environ: dict[str, str] | None = None, **given: str
) -> dict[str, Any]:
    """
    Let a Python program be the agent, once; return what the log has of it.
    """
    (folder / "attack.py").write_text(textwrap.dedent(program), encoding="utf-8")
    result = run_attack(
        folder, "/usr/bin/python3 attack.py", environ=environ, loops="1", **given
    )
    (attempt,) = [e.fields for e in events(result) if e.event == "attempt_finished"]
    return dict(attempt)


def run_attack(
    folder: Path, command: str, *, environ: dict[str, str] | None = None, **given: str
) -> RunResult:
    """
    Run a command as the agent, isolated as by default.
    """
    options = {"backend": "command", "command": command, "simulator": "", "expect": ""}
    return run(
        Settings.from_text(texts(folder, **(options | given))),
        environ={**ENVIRON, **(environ or {})},
        workspace=folder,
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    """
    A workspace of the runner's user, as an action finds it.
    """
    with open_folder() as workspace:
        os.chown(workspace, RUNNER_UID, RUNNER_UID)
        yield workspace


@pytest.fixture
def commands() -> Iterator[dict[str, Path]]:
    """
    The runner's command files, as it makes them: its own, and readable by all.
    """
    with open_folder() as place:
        os.chown(place, RUNNER_UID, RUNNER_UID)
        files = {name: place / name for name in COMMAND_FILES}
        for file in files.values():
            file.write_text("planted=1\n", encoding="utf-8")
            os.chown(file, RUNNER_UID, RUNNER_UID)
        yield files


FORGE = """
    import os
    names = [name for name in os.environ if name.startswith("GITHUB_")]
    print("names", names)
    place = {place!r}
    for name in os.listdir(place):
        try:
            open(os.path.join(place, name), "a").write("EVIL=1\\n")
            print("written", name)
        except OSError as error:
            print("refused", name)
"""


def test_the_runners_files_cannot_be_written(
    folder: Path, commands: dict[str, Path]
) -> None:
    """
    Their names are in no variable, and found by listing they are closed.
    """
    place = str(next(iter(commands.values())).parent)
    environ = {name: str(path) for name, path in commands.items()}
    guard = FileGuard(commands)
    attempt = attack(
        folder, FORGE.format(place=place), environ=environ, pass_env="GITHUB_*"
    )

    assert "names []" in attempt["answer"]
    assert len(commands) == attempt["answer"].count("refused")
    assert "written" not in attempt["answer"]
    assert [] == list(guard.tampered())


def test_with_our_rights_they_can_be_and_that_is_noticed(
    folder: Path, commands: dict[str, Path]
) -> None:
    """
    `run-as: root` lifts the fence; the guard behind it cuts the lines away.
    """
    place = str(next(iter(commands.values())).parent)
    guard = FileGuard(commands)
    attempt = attack(folder, FORGE.format(place=place), run_as="root")

    assert len(commands) == attempt["answer"].count("written")
    assert set(commands) == {item.name for item in guard.tampered()}


SPY = """
    import os
    ours, found = {ours}, []
    pids = [str(ours), *filter(str.isdecimal, os.listdir("/proc"))]
    for pid in pids:
        for name in ("environ", "mem", "maps", "fd", "cwd", "root"):
            place = f"/proc/{{pid}}/{{name}}"
            try:
                if name == "fd":
                    content = b" ".join(map(os.fsencode, os.listdir(place)))
                elif name in ("cwd", "root"):
                    content = os.fsencode(os.readlink(place))
                else:
                    content = open(place, "rb").read(100_000)
            except OSError as error:
                continue
            if pid == str(ours) or {secret!r}.encode() in content:
                found.append(f"{{pid}}/{{name}}")
    print("found", found)
"""


@contextmanager
def spied(secret: str) -> Iterator[None]:
    """
    Have a secret in the environment that the kernel shows of this process.

    A process's environ file shows what it was started with: so the run is started as
    a process of its own.
    """
    os.environ["RELIABILITY_TEST_SECRET"] = secret
    try:
        yield
    finally:
        del os.environ["RELIABILITY_TEST_SECRET"]


RUNNER = """
    import os, sys
    sys.path[:0] = {path!r}
    from pathlib import Path
    sys.argv = ["x"]
    import importlib.util
    spec = importlib.util.spec_from_file_location("attacks", {module!r})
    attacks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(attacks)
    program = attacks.SPY.format(ours=os.getpid(), secret={secret!r})
    print(attacks.attack(Path({folder!r}), program, run_as={run_as!r})["answer"])
"""


@pytest.mark.parametrize("run_as", ["", "root"])
def test_our_environment_memory_and_files_cannot_be_read(
    run_as: str, folder: Path
) -> None:
    """
    Neither of this process, nor of any other that holds our secrets.
    """
    import subprocess

    program = textwrap.dedent(RUNNER).format(
        path=sys.path, module=__file__, secret=SECRET, folder=str(folder), run_as=run_as
    )
    with spied(SECRET):
        environ = dict(os.environ)
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    answer = done.stdout.strip()

    assert 0 == done.returncode, done.stderr
    if run_as == "root":
        assert "/environ'" in answer
    else:
        assert "found []" == answer


CONNECT = """
    import socket
    try:
        socket.socket(socket.AF_UNIX).connect({place!r})
        print("connected")
    except OSError as error:
        print("refused", error.strerror)
"""


@pytest.mark.parametrize(
    ("run_as", "answer"), [("", "refused Permission denied"), ("root", "connected")]
)
def test_the_engines_socket_is_closed(run_as: str, answer: str, folder: Path) -> None:
    """
    GitHub mounts it into the action's container, for root and a group, with mode 0660.
    """
    with open_folder() as place, socket.socket(socket.AF_UNIX) as engine:
        path = place / "docker.sock"
        engine.bind(str(path))
        engine.listen(8)
        os.chown(path, 0, 999)
        path.chmod(0o660)

        assert (
            answer
            == attack(folder, CONNECT.format(place=str(path)), run_as=run_as)["answer"]
        )


def test_the_workspace_cannot_be_written(folder: Path) -> None:
    """
    It belongs to the runner's user; the agent knows its path and may not.
    """
    (folder / "file").write_text("as it was", encoding="utf-8")
    os.chown(folder / "file", RUNNER_UID, RUNNER_UID)
    script = f"""
    import os
    for act in (
        lambda: open({str(folder / "file")!r}, "a"),
        lambda: open({str(folder / "new")!r}, "w"),
        lambda: os.unlink({str(folder / "file")!r}),
        lambda: os.setuid(0),
        lambda: os.kill(os.getppid(), 15),
    ):
        try:
            act()
            print("done")
        except OSError as error:
            print("refused")
    """

    assert ["refused"] * 5 == attack(folder, script)["answer"].split()
    assert "as it was" == (folder / "file").read_text(encoding="utf-8")


def test_another_rooms_outside_is_closed(folder: Path) -> None:
    """
    Neither the origin of all copies nor the list of rooms can be seen.
    """
    script = """
    import os
    base = os.path.abspath("../../..")
    for place in (base, base + "/origin", base + "/origin/tree", base + "/1"):
        try:
            print("seen", os.listdir(place))
        except OSError as error:
            print("refused")
    """

    assert ["refused"] * 4 == attack(folder, script)["answer"].split()


def test_odd_and_many_things_left_behind_are_counted_and_removed(folder: Path) -> None:
    """
    Links, FIFOs, sockets, a hundred thousand files and a sparse TiB cost no more time.
    """
    script = """
    import os, socket
    os.symlink("/etc/shadow", "shadow")
    os.symlink(".", "loop")
    os.mkfifo("pipe")
    socket.socket(socket.AF_UNIX).bind("socket")
    with open("sparse", "wb") as file:
        file.truncate(2**40)
    for outer in range(100):
        os.mkdir(f"many{outer:02}")
        for inner in range(1000):
            os.close(os.open(f"many{outer:02}/{inner}", os.O_CREAT))
    deep = "deep"
    for _ in range(500):
        os.mkdir(deep)
        os.chdir(deep)
    print("Hello")
    """
    attempt = attack(folder, script)
    found = attempt["evidence"]["workspace"]

    assert "Hello" == attempt["answer"], attempt
    assert 200 == len(found["added"])
    assert found["left_out"] > 100_000 - 200
    assert "folders below 64 others" == found["incomplete"]
    assert "root:" not in found["diff"]


def test_a_device_is_no_way_out(folder: Path) -> None:
    """
    Who is not root makes none.
    """
    script = """
    import os, stat
    try:
        os.mknod("disk", 0o666 | stat.S_IFBLK, os.makedev(8, 0))
        print("made")
    except OSError:
        print("refused")
    """

    assert "refused" == attack(folder, script)["answer"]


def test_many_attempts_at_once_leave_nothing_and_touch_nothing(folder: Path) -> None:
    """
    Daemons, deaf ones, floods and scribblers, fifty at once.
    """
    script = f"""
    trap '' TERM
    setsid sh -c 'trap "" TERM; sleep 300' >/dev/null 2>&1 &
    (sleep 300 &)
    yes | head -c 3000000 >&2
    echo x > {shlex.quote(str(folder / "scribble"))}
    echo x > ../scribble; rm -rf ./*; echo Hello
    """
    (folder / "agent.sh").write_text(textwrap.dedent(script), encoding="utf-8")
    before = set(folder.iterdir()), threading.active_count()
    result = run_attack(
        folder,
        "sh agent.sh",
        loops="50",
        parallel="true",
        max_workers="50",
        timeout="60",
    )
    left = [
        pid
        for pid in Path("/proc").iterdir()
        if pid.name.isdecimal() and is_of(result.run_id, pid)
    ]

    assert ["pass"] * 50 == outcomes(result)
    assert [] == left
    assert before[0] | {folder / "out"} == set(folder.iterdir())


def is_of(run_id: str, process: Path) -> bool:
    """
    Tell whether a process belongs to an attempt of a run.
    """
    try:
        return (
            f"RELIABILITY_TRIAL_ID={run_id}".encode()
            in (process / "environ").read_bytes()
        )
    except OSError:
        return False
