"""
A dry run tells the plan and touches nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from fakes.runs import command_line, run_simulated, scripted, texts
from hypothesis import given, strategies as st

from reliability.cli.dry_run import plan_rows
from reliability.engine.estimate import estimate
from reliability.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path


def settings_of(folder: Path, **given: str) -> Settings:
    """
    Return settings of the usual run with changes.
    """
    return Settings.from_text(texts(folder, **given))


def rows(settings: Settings, *, workers: int = 1) -> dict[str, str]:
    """
    Return the plan's rows by their labels.
    """
    return dict(plan_rows(settings, estimate(settings, workers=workers)))


def test_a_dry_run_prints_the_plan_and_writes_and_calls_nothing(tmp_path: Path) -> None:
    """
    Not even a program that is missing is noticed, since none is looked for.
    """
    words = ["--backend", "command", "--command", "no-such-program", "--prompt", "x"]
    done = command_line("run", *words, "--dry-run", "--loops", "7", folder=tmp_path)

    assert 0 == done.returncode
    assert "nothing is called and nothing is written" in done.stdout
    assert "7 trials, one after another" in done.stdout
    assert "does not tell what it costs" in done.stdout
    assert [] == list(tmp_path.iterdir())


def test_wrong_options_are_refused_in_a_dry_run_too(tmp_path: Path) -> None:
    """
    Exit code 2 and every problem named.
    """
    done = command_line("run", "a", "--dry-run", "--loops", "0", folder=tmp_path)

    assert 2 == done.returncode
    assert "--loops" in done.stderr


def test_an_earlier_run_of_the_same_agent_is_the_basis(tmp_path: Path) -> None:
    """
    Its means, times the trials; a run of another prompt says nothing.
    """
    steps = [{"text": "Hello", "delay_s": 0.05}]
    earlier = run_simulated(tmp_path, loops="4", simulator=scripted(tmp_path, *steps))
    plan = estimate(settings_of(tmp_path, loops="80"), workers=8)
    other = estimate(settings_of(tmp_path, prompt="Something else."), workers=1)

    assert earlier.log.rpartition("/")[2] in plan.basis
    assert plan.time_s is not None
    assert pytest.approx(10 * earlier.worked_s / 4) == plan.time_s
    assert other.time_s is None
    assert "no earlier run" in other.basis


def test_a_log_that_cannot_be_read_is_no_basis_and_no_error(tmp_path: Path) -> None:
    """
    What lies in the output folder may be anything.
    """
    (tmp_path / "out").mkdir()
    (tmp_path / "out/chat_20261123T174059Z_aaaa.jsonl").write_bytes(b"{}\n\xff\n")
    (tmp_path / "out/x.jsonl").write_bytes(b"")

    assert estimate(settings_of(tmp_path), workers=1).time_s is None


def test_a_call_of_a_known_price_has_an_upper_bound(tmp_path: Path) -> None:
    """
    Input by the length of the prompt, output by its limit.
    """
    (tmp_path / "prices.json").write_text('{"m": {"input": 1, "output": 10}}')
    settings = settings_of(
        tmp_path,
        backend="messages",
        model="m",
        simulator="",
        prompt="x" * 400,
        loops="10",
        prices=str(tmp_path / "prices.json"),
        max_output_tokens="1000",
        max_cost_usd="0.05",
    )
    plan = estimate(settings, workers=1)

    assert plan.is_upper_bound
    assert pytest.approx(10 * (100 * 1 + 1000 * 10) / 1e6) == plan.cost_usd
    assert 4 == plan.trials_in_caps
    assert "at most $0.1010" in rows(settings)["Cost"]
    assert "stop the run after about 4 trials" in rows(settings)["Caps"]


def test_large_numbers_are_shown_with_all_their_digits(tmp_path: Path) -> None:
    """
    A cap is told as it was given, never as a power of ten.
    """
    settings = settings_of(
        tmp_path,
        max_cost_usd="0.05",
        max_tokens="123456789",
        max_minutes="100000",
        timeout="86400",
    )
    shown = rows(settings)

    assert (
        "max-cost-usd 0.05, max-tokens 123,456,789, max-minutes 100,000"
        == shown["Caps"]
    )
    assert "86,400 s an attempt at most" in shown["Plan"]


@given(
    loops=st.integers(1, 1000),
    workers=st.integers(1, 50),
    rate=st.none() | st.integers(1, 6000),
)
def test_a_bound_on_starts_bounds_the_time_from_below(
    tmp_path_factory: pytest.TempPathFactory, loops: int, workers: int, rate: int | None
) -> None:
    """
    More workers never make the plan slower, and none is faster than the rate allows.
    """
    folder = tmp_path_factory.getbasetemp()
    given = {"loops": str(loops), "parallel": "true"}
    if rate is not None:
        given["requests_per_minute"] = str(rate)
    settings = settings_of(folder, **given)
    few, many = (estimate(settings, workers=n) for n in (workers, workers + 1))

    assert many.most_time_s <= few.most_time_s
    if rate is not None:
        assert few.most_time_s >= (loops - 1) * 60 / rate
