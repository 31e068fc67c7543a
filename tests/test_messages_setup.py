"""
Before and around the calls of the messages backend: set-up, prices, the simulator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.backends import KEY, kind, messages
from fakes.raw_server import RawServer, answer, saying
from fakes.runs import a_call

from reliability.agents.simulated import Simulated
from reliability.clock import SystemClock
from reliability.errors import AgentSetupError, UsageError
from reliability.kinds import ErrorKind
from reliability.settings import Settings
from reliability.simulator.embedded import Simulator
from reliability.simulator.profile import Profile

if TYPE_CHECKING:
    from pathlib import Path


EVENTS = [
    {"type": "message_start", "message": {"model": "m-2", "id": "msg_9"}},
    {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "Hello"}},
    {"type": "message_delta", "delta": {"stop_reason": "end_turn"}},
    {"type": "message_stop"},
]


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"ANTHROPIC_API_KEY": " "},
        {"ANTHROPIC_API_KEY": "k\N{SNOWMAN}"},
        {"ANTHROPIC_API_KEY": "one\ntwo"},
        {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "api.example"},
        {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "ftp://api.example"},
        {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "https://"},
        {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "https://u:SECRET@host"},
        {"ANTHROPIC_API_KEY": KEY, "ANTHROPIC_BASE_URL": "https://host:port"},
    ],
)
def test_a_set_up_that_cannot_work_is_refused_before_any_call(
    environ: dict[str, str],
) -> None:
    """
    One error with a remedy, instead of trials that each fail five times.
    """
    with (
        messages(None, environ=environ) as backend,
        pytest.raises(AgentSetupError) as caught,
    ):
        backend.prepare()

    assert "ANTHROPIC_" in str(caught.value)
    for value in ("SECRET", KEY, "\N{SNOWMAN}", "two"):
        assert value not in str(caught.value)


def test_a_model_without_a_price_is_a_warning_and_no_cost(tmp_path: Path) -> None:
    """
    The cost of a model that is not in the table is unknown, never guessed.
    """
    with Simulator(Profile(latency_s=0, pass_rate=1)) as simulator:
        with messages(simulator.base_url, model="house-model") as backend:
            setup = backend.prepare()
            reply = backend.attempt(a_call())
        path = tmp_path / "prices.json"
        path.write_text('{"house-model": {"input": 1, "output": 1}}', encoding="utf-8")
        with messages(
            simulator.base_url, model="house-model", prices=str(path)
        ) as backend:
            priced = backend.prepare()

    unknown = "The price of 'house-model' is not known"

    assert any(one.startswith(unknown) for one in setup.warnings)
    assert reply.cost_usd is None
    assert not any(one.startswith(unknown) for one in priced.warnings)


def test_answers_of_a_simulator_are_called_simulated() -> None:
    """
    Also when it is reached through ANTHROPIC_BASE_URL, as if it were the real thing.
    """
    with (
        Simulator(Profile(latency_s=0)) as simulator,
        messages(simulator.base_url) as backend,
    ):
        assert backend.prepare().simulated
    with RawServer(saying(answer())) as server, messages(server.url) as backend:
        assert not backend.prepare().simulated


def test_the_simulated_backend_needs_no_key_and_names_its_seed() -> None:
    """
    Nothing of the environment is looked at, and everything says simulated.
    """
    settings = Settings.from_text(
        {"agent": "a", "backend": "simulated", "simulator": "seed=9,latency=0"}
    )
    backend = Simulated(settings, clock=SystemClock())
    try:
        setup = backend.prepare()
        reply = backend.attempt(a_call())
        backend.cancel()
        cancelled = backend.attempt(a_call(2))
    finally:
        backend.close()

    assert setup.simulated
    assert "9" == setup.fingerprint["seed"]
    assert reply.answer
    assert ErrorKind.CANCELLED is kind(cancelled)


def test_a_simulator_profile_with_mistakes_is_refused_with_all_of_them() -> None:
    """
    Before anything is started.
    """
    settings = Settings.from_text(
        {"agent": "a", "backend": "simulated", "simulator": "sed=9,latency=-1"}
    )

    with pytest.raises(UsageError) as caught:
        Simulated(settings, clock=SystemClock())
    assert 2 == len(caught.value.problems)
