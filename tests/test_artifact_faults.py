"""
An upload to a service that fails, in each way that services were seen to fail.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
from fakes.artifact_faults import (
    EMPTY_500,
    HTML_404,
    LOST,
    NOT_OK,
    RESET,
    STALL,
    Fault,
    storage_error,
    twirp,
)
from fakes.artifact_service import SIG_RAW, SIG_SENT, ArtifactService
from fakes.uploader import NORMAL, Uploader

from reliability.github import results_service

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


@pytest.mark.parametrize("step", NORMAL)
@pytest.mark.parametrize(
    "fault",
    [
        RESET,
        *(Fault(status=status) for status in (429, 500, 502, 503, 504)),
        twirp(503, "busy"),
        Fault(status=403, body=b"Error from intermediary"),
        twirp(403, "Error from intermediary with HTTP status code 403"),
    ],
    ids=str,
)
def test_passing_trouble_repeats_the_same_call(
    uploader: Uploader, step: str, fault: Fault
) -> None:
    """
    Two failures of a step cost two more calls of that step and no other.
    """
    with ArtifactService() as service:
        service.fail(step, fault, fault)
        ref = uploader.run(service.environ).ref
        calls = [call for call in service.calls if call != "ListArtifacts"]
        at = NORMAL.index(step)

        assert ref is not None
        assert calls == [*NORMAL[:at], step, step, *NORMAL[at:]]
        assert 1 == service.stored["reliability"].finalized


def test_waits_grow_as_the_official_ones(uploader: Uploader) -> None:
    """
    Five attempts, with 3 s and then random growing waits between them.
    """
    with ArtifactService() as service:
        service.fail("CreateArtifact", *[twirp(503, "busy")] * 9)
        result = uploader.run(service.environ)
        lows_s = [3.0, 4.5, 6.75, 10.125]

        assert "503 (busy)" in result.failed
        assert service.calls == ["CreateArtifact"] * 5
        assert 3.0 == uploader.waits_s[0]
        assert all(
            low_s <= wait_s <= low_s * 1.5
            for low_s, wait_s in zip(lows_s, uploader.waits_s, strict=True)
        )


@pytest.mark.parametrize("fault", [STALL, LOST])
def test_finalize_whose_answer_was_lost_is_not_repeated(
    uploader: Uploader, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    """
    An artifact that the list shows is taken as finalized: no duplicate comes of it.
    """
    monkeypatch.setattr(results_service, "CALL_TIMEOUT_S", 0.2)
    with ArtifactService() as service:
        service.fail("FinalizeArtifact", fault)
        ref = uploader.run(service.environ).ref

        assert ref is not None
        assert [*NORMAL, "ListArtifacts"] == service.calls
        assert service.stored["reliability"].artifact_id == ref.id


def test_last_lost_finalize_is_still_looked_for(uploader: Uploader) -> None:
    """
    Even with one attempt only, an artifact that is there is reported as there.
    """
    with ArtifactService(camel=True) as service:
        service.fail("FinalizeArtifact", LOST)

        assert uploader.run(service.environ, attempts=1).ref is not None


def test_taken_name_gets_a_suffix(uploader: Uploader) -> None:
    """
    A name in use is tried once more with -2, and a note says so.
    """
    with ArtifactService(taken=("reliability",)) as service:
        result = uploader.run(service.environ)

        assert result.ref is not None
        assert "reliability-2" == result.ref.name
        assert "'reliability' was taken" in result.notes[0]
        assert ["CreateArtifact", *NORMAL] == service.calls


def test_both_names_taken_is_a_failure_that_names_them(uploader: Uploader) -> None:
    """
    The suffix is tried once, not for ever.
    """
    with ArtifactService(taken=("reliability", "reliability-2")) as service:
        result = uploader.run(service.environ)

        assert "'reliability' and 'reliability-2'" in result.failed
        assert service.calls == ["CreateArtifact"] * 2


@pytest.mark.parametrize("status", [400, 403, 429])
def test_quota_is_not_tried_again(uploader: Uploader, status: int) -> None:
    """
    A full account stays full: one call, and a sentence that says what to do.
    """
    with ArtifactService() as service:
        service.fail("CreateArtifact", twirp(status, "Insufficient usage to create"))
        result = uploader.run(service.environ)

        assert "storage is used up" in result.failed
        assert ["CreateArtifact"] == service.calls


@pytest.mark.parametrize("step", ["CreateArtifact", "FinalizeArtifact"])
@pytest.mark.parametrize(
    "fault",
    [NOT_OK, twirp(401, "who?"), twirp(400, "no"), Fault(status=200, body=b"{}")],
)
def test_refusal_is_final(uploader: Uploader, step: str, fault: Fault) -> None:
    """
    What the service means is not tried again; 200 with ok: false is such a no.
    """
    with ArtifactService() as service:
        service.fail(step, fault)
        result = uploader.run(service.environ)

        assert step in result.failed
        assert service.calls == NORMAL[: NORMAL.index(step) + 1]


@pytest.mark.parametrize(
    "fault",
    [HTML_404, Fault(status=404), twirp(404, "no handler for path", "bad_route")],
)
def test_server_without_the_service_is_skipped(
    uploader: Uploader, fault: Fault
) -> None:
    """
    An old or foreign server means no upload, and the way out is named.
    """
    with ArtifactService() as service:
        service.fail("CreateArtifact", fault)
        result = uploader.run(service.environ)

        assert "actions/upload-artifact" in result.skipped
        assert ["CreateArtifact"] == service.calls


@pytest.mark.parametrize("name", ["ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL"])
@pytest.mark.parametrize("value", [None, ""])
def test_upload_away_from_an_action_is_skipped(
    uploader: Uploader, name: str, value: str | None
) -> None:
    """
    Without token or URL nothing is tried, and the missing variable is named.
    """
    with ArtifactService() as service:
        environ = service.environ
        del environ[name]
        if value is not None:
            environ[name] = value
        result = uploader.run(environ)

        assert name in result.skipped
        assert [] == service.calls


def test_empty_replies_are_passing_trouble_then_a_failure(uploader: Uploader) -> None:
    """
    Empty answers, as act gives them to what it does not know, end after five.
    """
    with ArtifactService() as service:
        service.fail("CreateArtifact", *[EMPTY_500] * 9)
        result = uploader.run(service.environ)

        assert "HTTP 500 and no JSON" in result.failed
        assert 5 == len(service.calls)


def test_rejected_signature_shows_its_code_only(uploader: Uploader) -> None:
    """
    Storage's refusal is final; its code is shown, the URL is not.
    """
    with ArtifactService() as service:
        service.fail("block", storage_error(403, "AuthorizationFailure"))
        result = uploader.run(service.environ)

        assert "HTTP 403 (AuthorizationFailure)" in result.failed
        assert service.calls == NORMAL[:2]


def test_server_text_cannot_show_secrets_or_forge_commands(uploader: Uploader) -> None:
    """
    What a server says is shown as one short line, without token or signature.
    """
    with ArtifactService() as service:
        text = f"{service.token} {SIG_RAW} {SIG_SENT}\n::error::x" + "y" * 10_000
        service.fail("FinalizeArtifact", twirp(400, text))
        result = uploader.run(service.environ)

        assert "***" in result.failed
        assert "\n" not in result.failed
        assert len(result.failed) < 400
