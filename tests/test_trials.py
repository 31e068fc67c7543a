"""
Trials out of memory: they come back as they were, in order, from a file nobody sees.
"""

from __future__ import annotations

import copy
import gc
import os
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any

import hypothesis.strategies as st
import pytest
from fakes.trials import a_trial, stored
from hypothesis import given

from reliability import trials as module
from reliability.model import CheckResult, Outcome
from reliability.run_result import TrialResult
from reliability.trials import Trials, TrialStore

if TYPE_CHECKING:
    from collections.abc import Iterator

NUMBERS = st.floats(min_value=0, allow_nan=False, allow_infinity=False)
TEXTS = st.text(st.characters())  # Lone surrogates too, which a log may hold.
TRIALS = st.builds(
    TrialResult,
    number=st.integers(0, 2**64 - 1),
    case=TEXTS,
    loop=st.integers(1, 10**6),
    outcome=st.sampled_from(Outcome),
    reason=TEXTS,
    kind=TEXTS,
    attempts=st.integers(0, 99),
    duration_s=NUMBERS,
    waited_s=NUMBERS,
    cost_usd=st.none() | NUMBERS,
    turns=st.none() | st.integers(0, 99),
    started_utc=TEXTS,
    answer=TEXTS,
    answer_cut=st.booleans(),
    checks=st.lists(
        st.builds(CheckResult, check=TEXTS, passed=st.booleans(), reason=TEXTS),
        max_size=3,
    ).map(tuple),
    reused_from=TEXTS,
    changed=st.booleans(),
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let the file be used after some trials.
    """
    monkeypatch.setattr(module, "SPILL_BYTES", 1_000)


@given(st.lists(TRIALS, unique_by=lambda trial: trial.number, max_size=6))
def test_trials_come_back_as_they_were_by_number(given_trials: list[Any]) -> None:
    """
    Whatever they hold, and in whatever order they ended.
    """
    expected = sorted(given_trials, key=lambda trial: trial.number)

    assert expected == list(stored(*given_trials))


@given(st.lists(st.integers(0, 5), max_size=12))
def test_of_two_trials_with_one_number_the_later_counts(numbers: list[int]) -> None:
    """
    A number stands for one trial, whatever the log says.
    """
    put_down = [a_trial(number, loop=n) for n, number in enumerate(numbers)]
    expected = {trial.number: trial for trial in put_down}

    assert [expected[n] for n in sorted(expected)] == list(stored(*put_down))


@pytest.mark.usefixtures("small")
@given(st.integers(-12, 12), st.slices(10))
def test_they_are_a_sequence_as_a_tuple_is(index: int, part: slice) -> None:
    """
    Every index and slice finds what it finds in a tuple.
    """
    expected = tuple(a_trial(n) for n in range(10))
    found = stored(*expected)

    assert expected[part] == found[part] == found[part]
    assert len(expected[part]) == len(found[part])
    if -10 <= index < 10:
        assert expected[index] == found[index]
    else:
        with pytest.raises(IndexError):
            found[index]


@pytest.mark.parametrize("count", [0, 1, 40])
@pytest.mark.usefixtures("small")
def test_they_equal_any_sequence_of_equal_trials(count: int) -> None:
    """
    From either side, and only when every trial is equal.
    """
    expected = tuple(a_trial(n) for n in range(count))
    found = stored(*expected)

    assert found == expected
    assert expected == found
    assert found == stored(*reversed(expected))
    assert found != (*expected, a_trial(99))
    assert found != (a_trial(99, reason="Another."), *expected[1:])
    assert found != "no trials"


@pytest.mark.usefixtures("small")
def test_iterations_do_not_disturb_each_other() -> None:
    """
    Two at once in one thread, and many in several.
    """
    expected = [a_trial(n) for n in range(60)]
    found = stored(*expected)
    pairs = list(zip(found, found, strict=True))
    with ThreadPoolExecutor(8) as pool:
        lists = list(pool.map(lambda _: list(found), range(16)))

    assert list(zip(expected, expected, strict=True)) == pairs
    assert [expected] * 16 == lists


@pytest.mark.usefixtures("small")
def test_trials_are_picked_by_outcome_without_being_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    Counting and picking cost no pass over the file; what is picked can be sliced.
    """
    given_trials = [a_trial(n, outcome=list(Outcome)[n % 4]) for n in range(40)]
    found = stored(*given_trials)
    with monkeypatch.context() as blind:
        blind.delattr(module, "_from_line")
        failed = found.of({Outcome.FAIL, Outcome.INVALID})
        counts = [found.count_of(outcome) for outcome in Outcome]

    assert [10] * 4 == counts
    assert 20 == len(failed)
    assert [given_trials[n] for n in (1, 2, 5)] == list(failed[:3])


def descriptors() -> set[str]:
    """
    Return what the open descriptors of this process lead to, files without a name.
    """
    found = set()
    for link in Path("/proc/self/fd").iterdir():
        try:
            target = link.readlink()
        except FileNotFoundError:
            continue
        if "deleted" in str(target):
            found.add(str(target))
    return found


@pytest.mark.usefixtures("small")
def test_file_has_no_name_and_ends_with_the_last_that_needs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Nothing is left behind, and a part of the trials keeps the file alive.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    before = descriptors()
    found: Trials | None = stored(*(a_trial(n) for n in range(60)))
    assert found is not None
    part = found[50:]
    opened = descriptors() - before
    found = None
    gc.collect()

    assert 1 == len(opened)
    assert [] == list(tmp_path.iterdir())
    assert [50, 51] == [trial.number for trial in part[:2]]
    del part
    gc.collect()
    assert set() == opened & descriptors()


def test_few_trials_make_no_file() -> None:
    """
    What fits into a MiB stays in memory.
    """
    before = descriptors()
    found = stored(*(a_trial(n) for n in range(100)))

    assert before == descriptors()
    assert 100 == len(found)


@pytest.mark.usefixtures("small")
def test_where_no_file_can_be_made_trials_stay_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A container with a read-only root still reports what was measured.
    """
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not-there"))
    expected = [a_trial(n) for n in range(60)]

    assert expected == list(stored(*expected))


@pytest.fixture
def narrow() -> Iterator[None]:
    """
    Let no file of this process grow beyond some bytes, as a full disk would.
    """
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_500, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small", "narrow")
def test_on_a_full_disk_trials_stay_in_memory() -> None:
    """
    Those before are in the file, the rest is not, and all come back.
    """
    expected = [a_trial(n) for n in range(60)]
    before = descriptors()
    found = stored(*expected)

    assert 1 == len(descriptors() - before)
    assert expected == list(found)


@pytest.mark.usefixtures("small")
def test_write_that_takes_only_a_part_is_gone_on_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """
    The kernel may write less than it was given.
    """
    whole = os.pwrite
    monkeypatch.setattr(
        os, "pwrite", lambda fd, piece, offset: whole(fd, piece[:7], offset)
    )
    expected = [a_trial(n) for n in range(20)]

    assert expected == list(stored(*expected))


@pytest.mark.parametrize(
    ("number", "error"), [(-1, ValueError), (2**64, ValueError), ("1", TypeError)]
)
def test_number_that_is_none_is_refused(number: Any, error: type[Exception]) -> None:
    """
    A crafted log is told from a failure of ours, and what was there stays.
    """
    store = TrialStore()
    store.add(a_trial(1))

    with pytest.raises(error):
        store.add(a_trial(number))
    assert [a_trial(1)] == list(store.trials())


def test_copies_share_the_file() -> None:
    """
    They never change, so a deep copy is the same; a message shows no trial.
    """
    found = stored(a_trial(1), a_trial(2))

    assert copy.deepcopy(found) is found
    assert "<Trials: 2>" == repr(found)
    with pytest.raises(TypeError, match="unhashable"):
        hash(found)
