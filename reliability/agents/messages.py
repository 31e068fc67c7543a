"""
One call of the Messages API, streamed, through the lean pooled client.

The key comes from `ANTHROPIC_API_KEY` or, as a bearer token for gateways, from
`ANTHROPIC_AUTH_TOKEN`; `ANTHROPIC_BASE_URL` replaces the API's own address. There are
no retries here: one attempt is one request, and the engine owns the rest.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from reliability.agents.base import CAP_BYTES, CLASSIC_WARNING, Call
from reliability.agents.limits import read_limits
from reliability.agents.messages_judgement import judge_break, judge_message
from reliability.agents.prices import load_prices
from reliability.agents.statuses import (
    kind_of_status,
    parse_retry_after,
    service_now_utc,
)
from reliability.agents.stream import Message, read_error, read_stream, read_whole
from reliability.choices import Backend
from reliability.errors import AgentSetupError
from reliability.http import HttpClient, HttpError
from reliability.model import Reply, Setup, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from reliability.clock import Clock
    from reliability.http import Response
    from reliability.settings import Settings

API_URL = "https://api.anthropic.com"
API_VERSION = "2023-06-01"

# The event that ends the message is followed by a blank line, then by the end.
_LINES_AFTER_THE_END = 8
_WHOLE_CAP_BYTES = 16 * 1024 * 1024


class Messages:
    """
    A model behind the Messages API.
    """

    needs_room = False

    def __init__(
        self, settings: Settings, *, environ: Mapping[str, str], clock: Clock
    ) -> None:
        self._settings = settings
        self._environ = environ
        self._clock = clock
        self._prices = load_prices(settings.prices)
        self._http = HttpClient()
        self._simulated = False
        self._fixed_headers = {
            "content-type": "application/json",
            "anthropic-version": API_VERSION,
            **self._credential(),
        }
        # A run sends the few prompts that it has again and again.
        self._body = lru_cache(maxsize=16)(self._body_of)
        base_url = environ.get("ANTHROPIC_BASE_URL", "").strip() or API_URL
        self._url = f"{base_url.rstrip('/')}/v1/messages"

    def prepare(self) -> Setup:
        """
        Check that there is a key, and say when the price is not known.

        Raises:
            AgentSetupError: when neither key variable is set, or when one of the
                variables cannot be sent.
        """
        credential = self._credential()
        if not credential:
            raise AgentSetupError(
                "No key for the Messages API.",
                remedy="Set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN for a gateway).",
            )
        base_url = self._url.removesuffix("/v1/messages")
        _require_sendable(base_url, *credential.values())
        self._simulated = base_url != API_URL and is_simulator(base_url)
        return Setup(
            fingerprint={"model": self._settings.model},
            warnings=tuple(self._warnings()),
            simulated=self._simulated,
        )

    def attempt(self, call: Call) -> Reply:
        """
        Send the prompt once and read the answer.
        """
        began_s = self._clock.monotonic_s()
        try:
            response = self._http.request(
                "POST",
                self._url,
                headers=self._headers(call),
                body=self._body(call.prompt),
                timeout_s=call.timeout_s,
                repeat_stale=False,
            )
            limits = read_limits(response.headers, now_utc=self._clock.now_utc())
            with response:
                reply = self._read(response, call.timeout_s)
        except HttpError as error:
            reply = Reply(trouble=judge_break(error, timeout_s=call.timeout_s))
            limits = None
        duration_s = self._clock.monotonic_s() - began_s
        return replace(reply, duration_s=duration_s, limits=limits)

    def cancel(self) -> None:
        """
        Shut every connection; calls under way end as cancelled.
        """
        self._http.abort()

    def close(self) -> None:
        """
        Close the idle connections.
        """
        self._http.close()

    def _warnings(self) -> Iterator[str]:
        """
        Yield what the user should know before money is spent; simulated costs none.
        """
        if self._settings.backend is not Backend.MESSAGES:
            return
        if self._settings.classic:
            yield CLASSIC_WARNING
        if not self._prices.knows(self._settings.model):
            yield (
                f"The price of {self._settings.model!r} is not known: cost is not "
                "counted. Give it with prices."
            )

    def _credential(self) -> dict[str, str]:
        if key := self._environ.get("ANTHROPIC_API_KEY", "").strip():
            return {"x-api-key": key}
        if token := self._environ.get("ANTHROPIC_AUTH_TOKEN", "").strip():
            return {"authorization": f"Bearer {token}"}
        return {}

    def _headers(self, call: Call) -> dict[str, str]:
        if not self._simulated:
            return self._fixed_headers
        return {
            **self._fixed_headers,
            "x-reliability-trial": str(call.trial.number),
            "x-reliability-attempt": str(call.attempt),
        }

    def _body_of(self, prompt: str) -> bytes:
        request = {
            "model": self._settings.model,
            "max_tokens": self._settings.max_output_tokens,
            "stream": True,
            "messages": [{"role": "user", "content": prompt}],
        }
        return json.dumps(request).encode("ascii")

    def _read(self, response: Response, timeout_s: float) -> Reply:
        """
        Read an answer; one that breaks off keeps what came of it, counts included.
        """
        request_id = response.headers.get("request-id", "")
        evidence = {"request_id": request_id} if request_id else {}
        if response.status != 200:
            return self._refused(response, evidence, timeout_s)
        message = Message()
        try:
            message = _read_message(response, message)
            trouble = judge_message(message)
        except HttpError as error:
            trouble = judge_break(error, spoken=message.spoken, timeout_s=timeout_s)
        model, usage = message.model or self._settings.model, message.usage
        return Reply(
            answer=message.answer,
            trouble=trouble,
            errors=message.error_text,
            usage=usage,
            # Without any count the cost is unknown; it is not zero.
            cost_usd=self._prices.cost_usd(model, usage) if message.counts else None,
            model=model,
            session_id=message.message_id,
            turns=1,
            http_status=response.status,
            evidence={**evidence, "stop_reason": message.stop_reason},
        )

    def _refused(
        self, response: Response, evidence: dict[str, str], timeout_s: float
    ) -> Reply:
        """
        Read what the service says instead of an answer, and how long it asks to wait.

        The head says enough: a body that breaks off does not make a network trouble of
        a rate limit.
        """
        now_utc = service_now_utc(response.headers, now_utc=self._clock.now_utc())
        try:
            error_type, text = read_error(response.read(CAP_BYTES))
        except HttpError as error:
            if error.kind == "aborted":
                return Reply(trouble=judge_break(error, timeout_s=timeout_s))
            error_type, text = "", str(error)
        return Reply(
            trouble=Trouble(
                kind=kind_of_status(response.status, error_type, text),
                text=f"HTTP {response.status} {error_type}: {text}".strip(),
                retry_after_s=parse_retry_after(
                    response.headers.get("retry-after"), now_utc=now_utc
                ),
            ),
            errors=text,
            http_status=response.status,
            evidence={**evidence, "error_type": error_type},
        )


def _read_message(response: Response, message: Message) -> Message:
    """
    Read the body, streamed or whole; what comes of a stream is in *message* at once.

    Raises:
        HttpError: when the body breaks off before the message has ended.
    """
    if response.headers.get("content-type", "").startswith("application/json"):
        # Some gateways answer whole, although they were asked to stream.
        return read_whole(response.read(_WHOLE_CAP_BYTES))
    lines = response.lines()
    read_stream(lines, message)
    if message.complete:
        # Only a connection that was read to its end can be used again.
        with suppress(HttpError):
            list(islice(lines, _LINES_AFTER_THE_END))
    return message


def is_simulator(base_url: str) -> bool:
    """
    Ask *base_url*, if it is on loopback, whether it is a simulator.
    """
    # Loads a second HTTP client, which a run against the API itself has no use for.
    from reliability.simulator import probe

    return probe.is_simulator(base_url)


def _require_sendable(base_url: str, credential: str) -> None:
    """
    Refuse what no attempt could send, before the first of them.

    Raises:
        AgentSetupError: naming the variable.
    """
    if not (credential.isascii() and credential.isprintable()):
        raise AgentSetupError(
            "The key for the Messages API holds characters that no key has.",
            remedy="Set ANTHROPIC_API_KEY (or ANTHROPIC_AUTH_TOKEN) anew.",
        )
    try:
        parts = urlsplit(base_url)
        _ = parts.port
        is_usable = (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and "@" not in parts.netloc
        )
    except ValueError:
        is_usable = False
    if not is_usable:
        raise AgentSetupError(
            "ANTHROPIC_BASE_URL is not a web address that a key may be sent to.",
            remedy="Write it as https://HOST or http://HOST:PORT, without a password.",
        )
