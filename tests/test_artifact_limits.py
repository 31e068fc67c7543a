"""
Uploads that are cut short, cannot begin, or find no server at all.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from fakes.artifact_faults import STALL, twirp
from fakes.artifact_service import ArtifactService, runtime_token
from fakes.uploader import NORMAL, Uploader

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def uploader(tmp_path: Path) -> Iterator[Uploader]:
    """
    Give an uploader of one log.
    """
    uploader = Uploader(tmp_path)
    with contextlib.closing(uploader.http):
        yield uploader


def test_cancelled_run_still_gets_one_try(uploader: Uploader) -> None:
    """
    With *cancel* set from the start each call is made once.
    """
    uploader.cancel.set()
    with ArtifactService() as service:
        result = uploader.run(service.environ, attempts=1, budget_s=2.0)

        assert result.ref is not None
        assert NORMAL == service.calls


def test_cancel_ends_a_wait_and_what_follows(uploader: Uploader) -> None:
    """
    A cancel while waiting means no further attempt.
    """

    def cancel_instead(wait_s: float) -> None:
        """
        Cancel in the middle of the wait.
        """
        uploader.waits_s.append(wait_s)
        uploader.cancel.set()

    uploader.wait = cancel_instead  # type: ignore[method-assign]
    with ArtifactService() as service:
        service.fail("CreateArtifact", *[twirp(503, "busy")] * 9)
        result = uploader.run(service.environ)

        assert "cancelled" in result.failed
        assert ["CreateArtifact"] == service.calls


def test_aborted_client_ends_the_upload(uploader: Uploader) -> None:
    """
    Aborting the client is the way to end a call that is under way.
    """
    uploader.http.abort()
    with ArtifactService() as service:
        assert "cancelled" in uploader.run(service.environ).failed
        assert [] == uploader.waits_s


def test_budget_bounds_a_call_that_stalls(uploader: Uploader) -> None:
    """
    A server that says nothing costs what the budget allows, and nothing is repeated.
    """
    with ArtifactService() as service:
        service.fail("CreateArtifact", STALL)
        result = uploader.run(service.environ, budget_s=0.1)

        assert "no whole answer within 0.1 s" in result.failed
        assert [] == uploader.waits_s


def test_wait_that_outlasts_the_budget_is_not_begun(uploader: Uploader) -> None:
    """
    Without time for another attempt the failure is told at once.
    """
    with ArtifactService() as service:
        service.fail("CreateArtifact", twirp(503, "busy"))
        result = uploader.run(service.environ, budget_s=2.9)

        assert "503" in result.failed
        assert [] == uploader.waits_s


def test_spent_budget_says_so(uploader: Uploader) -> None:
    """
    Time that runs out between calls is named with its length.
    """
    uploader.clock.step_s = 3.0
    with ArtifactService() as service:
        result = uploader.run(service.environ, budget_s=2.0)

        assert "did not end within 2 s" in result.failed
        assert [] == service.calls


@pytest.mark.parametrize("host", ["127.0.0.1:1", f"{'a' * 64}.invalid"])
def test_unreachable_service_is_tried_and_named(uploader: Uploader, host: str) -> None:
    """
    Refused connections and unknown names are tried five times, then named.
    """
    result = uploader.run(
        {
            "ACTIONS_RUNTIME_TOKEN": runtime_token(),
            "ACTIONS_RESULTS_URL": f"http://{host}/",
        }
    )

    assert host in result.failed
    assert 4 == len(uploader.waits_s)


@pytest.mark.parametrize("url", ["results.invalid", "file:///x", "http://[", "/"])
def test_unusable_service_url_is_a_failure(uploader: Uploader, url: str) -> None:
    """
    A URL that is none is named by its variable.
    """
    environ = {"ACTIONS_RUNTIME_TOKEN": runtime_token(), "ACTIONS_RESULTS_URL": url}

    assert "ACTIONS_RESULTS_URL" in uploader.run(environ).failed


def test_unusable_token_is_a_failure(uploader: Uploader) -> None:
    """
    A token without our scope is explained, not shown.
    """
    with ArtifactService() as service:
        environ = {**service.environ, "ACTIONS_RUNTIME_TOKEN": runtime_token("a:b:c")}
        result = uploader.run(environ)

        assert "no scope Actions.Results" in result.failed
        assert [] == service.calls


@pytest.mark.parametrize("name", ["", " ", "a/b", "a\\b", 'a"b', "a\nb", "a:b", "a*"])
def test_impossible_artifact_name_is_refused_before_any_call(
    uploader: Uploader, name: str
) -> None:
    """
    A name that the service would refuse is refused here, and shown.
    """
    with ArtifactService() as service:
        result = uploader.run(service.environ, name=name)

        assert repr(name) in result.failed
        assert [] == service.calls


def test_missing_file_is_found_before_a_name_is_reserved(
    uploader: Uploader, tmp_path: Path
) -> None:
    """
    The zip comes first: a Create without an upload would block the name.
    """
    uploader.path = tmp_path / "missing"
    with ArtifactService() as service:
        result = uploader.run(service.environ)

        assert "'logs/chat.jsonl' cannot be read: No such file" in result.failed
        assert [] == service.calls


def test_endless_retention_is_a_failure_in_words(uploader: Uploader) -> None:
    """
    A retention past the end of the calendar does not raise.
    """
    with ArtifactService() as service:
        result = uploader.run(service.environ, retention_days=10**8)

        assert "year 9999" in result.failed
