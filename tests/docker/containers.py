"""
A Docker engine, as far as these tests need it: build, run, signal, look inside.

Everything goes through the `docker` command, because that is what GitHub's runner
calls: its handling of signals is part of what is tested. A container that a test
started is removed when the test ends, whatever happened to it.
"""

from __future__ import annotations

import shutil
import subprocess
import time
import uuid
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

BASE_IMAGE = "python:3.13-slim-trixie"
IMAGE = "reliability-action:test"

# A build downloads the Claude Code CLI; on a slow line that takes minutes.
BUILD_TIMEOUT_S = 900
POLL_S = 0.05


def docker(*arguments: str, timeout_s: float = 120) -> str:
    """
    Run a docker command and return what it prints.

    Raises:
        AssertionError: with all that it said, when it fails.
    """
    done = subprocess.run(
        ["docker", *arguments],
        capture_output=True,
        text=True,
        timeout=timeout_s,
        check=False,
    )
    if done.returncode != 0:
        raise AssertionError(
            f"{done.args}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        )
    return done.stdout


def succeeds(*command: str, timeout_s: float) -> bool:
    """
    Tell whether a command exists and ends well.
    """
    if shutil.which(command[0]) is None:
        return False
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=timeout_s, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def skip_without_engine() -> None:
    """
    Skip what needs an engine and the base image, and say which of them is missing.
    """
    if not succeeds("docker", "info", timeout_s=20):
        pytest.skip("no Docker engine answers: `docker info` fails")
    if succeeds("docker", "image", "inspect", BASE_IMAGE, timeout_s=20):
        return
    if not succeeds("docker", "pull", "--quiet", BASE_IMAGE, timeout_s=120):
        pytest.skip(f"the base image {BASE_IMAGE} is not here and cannot be pulled")


def build(context: Path, tag: str, **arguments: str) -> None:
    """
    Build an image as GitHub's runner does: a plain `docker build`.

    Args:
        arguments: Values for the Dockerfile's `ARG`s.
    """
    flags = [f"--build-arg={name}={value}" for name, value in arguments.items()]
    docker("build", "--tag", tag, *flags, str(context), timeout_s=BUILD_TIMEOUT_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Container:
    """
    A container and the `docker run` in the foreground that a runner would wait for.
    """

    name: str
    client: subprocess.Popen[str]

    def output(self, *, timeout_s: float = 90) -> tuple[int, str]:
        """
        Wait for the end; return the exit code and what came on stdout and stderr.
        """
        printed, _ = self.client.communicate(timeout=timeout_s)
        return self.client.returncode, printed

    def signal(self, name: str) -> None:
        """
        Send a signal to the container's process 1, past the client.
        """
        docker("kill", "--signal", name, self.name)

    def wait_until(
        self, holds: Callable[[], bool], *, what: str, deadline_s: float = 60
    ) -> None:
        """
        Poll until *holds*: the only way to learn that a container has got there.

        Raises:
            AssertionError: when the deadline passes, or the container ends before.
        """
        until_mono_s = time.monotonic() + deadline_s
        while not holds():
            if self.client.poll() is not None:
                code, printed = self.output()
                raise AssertionError(f"ended with {code} before {what}:\n{printed}")
            if time.monotonic() > until_mono_s:
                raise AssertionError(f"waited {deadline_s:g} s in vain until {what}")
            time.sleep(POLL_S)

    def inside(self, *command: str) -> str:
        """
        Run a command in the container while it runs.
        """
        return docker("exec", self.name, *command)


@contextmanager
def started(
    *arguments: str,
    image: str = IMAGE,
    flags: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> Iterator[Container]:
    """
    Start a container in the foreground, without a terminal, as the runner does.

    Args:
        flags: For `docker run`, before the image.
        environ: Variables of the container.
    """
    name = f"reliability-test-{uuid.uuid4().hex[:12]}"
    variables = [f"--env={key}={value}" for key, value in (environ or {}).items()]
    client = subprocess.Popen(
        [
            "docker",
            "run",
            "--rm",
            "--name",
            name,
            *flags,
            *variables,
            image,
            *arguments,
        ],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        yield Container(name=name, client=client)
    finally:
        subprocess.run(
            ["docker", "rm", "--force", name], capture_output=True, check=False
        )
        client.communicate(timeout=30)


def run(
    *arguments: str,
    image: str = IMAGE,
    flags: Sequence[str] = (),
    environ: Mapping[str, str] | None = None,
) -> tuple[int, str]:
    """
    Run a container to its end; return the exit code and all that it printed.
    """
    with started(*arguments, image=image, flags=flags, environ=environ) as container:
        return container.output()
