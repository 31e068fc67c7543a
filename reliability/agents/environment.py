"""
What a child may see of our environment.

The Claude Code CLI gets an allow-list: the credentials that people use and little else.
A command agent keeps the user's environment, since the program is the user's own, less
everything with which it could act as this job: runtime tokens, the job's token, the
action's inputs and the runner's files.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_BASICS = frozenset(
    """
    PATH LANG LANGUAGE LC_ALL LC_CTYPE TZ TERM USER LOGNAME SHELL
    HTTP_PROXY HTTPS_PROXY NO_PROXY ALL_PROXY http_proxy https_proxy no_proxy all_proxy
    SSL_CERT_FILE SSL_CERT_DIR NODE_EXTRA_CA_CERTS REQUESTS_CA_BUNDLE
    """.split()
)
_CLAUDE_PREFIXES = ("ANTHROPIC_", "CLAUDE_CODE_", "AWS_", "GOOGLE_", "CLOUDSDK_")
_CLAUDE_NAMES = frozenset(
    """
    CLOUD_ML_REGION GCLOUD_PROJECT IS_SANDBOX API_TIMEOUT_MS BASH_DEFAULT_TIMEOUT_MS
    BASH_MAX_TIMEOUT_MS MAX_THINKING_TOKENS MAX_MCP_OUTPUT_TOKENS MCP_TIMEOUT
    """.split()
)
_CLAUDE_CREDENTIALS = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "CLAUDE_CODE_OAUTH_TOKEN",
    "CLAUDE_CODE_USE_BEDROCK",
    "CLAUDE_CODE_USE_VERTEX",
    "CLAUDE_CODE_USE_FOUNDRY",
)
# Session markers of a CLI that may have started us: they would make ours its child.
_CLAUDE_NEVER = frozenset({"CLAUDE_CODE_ENTRYPOINT", "CLAUDE_CODE_SSE_PORT"})

_JOB_PREFIXES = ("ACTIONS_", "INPUT_", "RELIABILITY_", "STATE_", "RUNNER_")
_JOB_NAMES = frozenset(
    """
    GITHUB_TOKEN GH_TOKEN GITHUB_ENV GITHUB_PATH GITHUB_OUTPUT GITHUB_STATE
    GITHUB_STEP_SUMMARY GITHUB_ARTIFACTS
    """.split()
)

_QUIET_CLAUDE = {
    "DISABLE_TELEMETRY": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "DISABLE_AUTOUPDATER": "1",
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    # One owner of retries: ours, which the log shows and which all workers share.
    "CLAUDE_CODE_MAX_RETRIES": "0",
}


def command_environment(environ: Mapping[str, str], room: Path) -> dict[str, str]:
    """
    Return what a command agent sees: *environ* less this job's powers, HOME in *room*.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _JOB_NAMES and not name.startswith(_JOB_PREFIXES)
    }
    return kept | _own_folders(room)


def claude_environment(environ: Mapping[str, str], room: Path) -> dict[str, str]:
    """
    Return what the Claude Code CLI sees: credentials as people have them, own HOME.

    Cloud credentials that live in files under the real HOME are named by their
    variables, so that they are found although HOME is in *room*.
    """
    kept = {
        name: value
        for name, value in environ.items()
        if name in _BASICS
        or name in _CLAUDE_NAMES
        or (name.startswith(_CLAUDE_PREFIXES) and name not in _CLAUDE_NEVER)
    }
    home = Path(environ.get("HOME") or os.devnull)
    for name, place in (
        ("AWS_CONFIG_FILE", home / ".aws" / "config"),
        ("AWS_SHARED_CREDENTIALS_FILE", home / ".aws" / "credentials"),
        ("CLOUDSDK_CONFIG", home / ".config" / "gcloud"),
        (
            "GOOGLE_APPLICATION_CREDENTIALS",
            home / ".config" / "gcloud" / "application_default_credentials.json",
        ),
    ):
        if name not in kept and place.exists():
            kept[name] = str(place)
    folders = _own_folders(room)
    folders["CLAUDE_CONFIG_DIR"] = str(Path(folders["HOME"]) / ".claude")
    return kept | _QUIET_CLAUDE | folders


def lend_login(environ: Mapping[str, str], config_folder: Path) -> None:
    """
    Copy the login of a person at a terminal into the attempt's own *config_folder*.

    Nothing is done when a variable carries credentials, or when nobody is logged in.
    """
    home = environ.get("HOME")
    if not home or any(environ.get(name) for name in _CLAUDE_CREDENTIALS):
        return
    login = Path(home) / ".claude" / ".credentials.json"
    if login.is_file():
        config_folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        copy = config_folder / login.name
        copy.touch(mode=0o600)
        copy.write_bytes(login.read_bytes())


def _own_folders(room: Path) -> dict[str, str]:
    folders = {"HOME": room / "home", "TMPDIR": room / "tmp"}
    for folder in folders.values():
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return {name: str(folder) for name, folder in folders.items()}
