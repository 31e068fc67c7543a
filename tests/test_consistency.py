"""
Consistency: exact identities, order independence, and a log told by the command.
"""

from __future__ import annotations

import json
import math
import random
import subprocess
from collections import Counter
from itertools import combinations, permutations
from statistics import fmean
from typing import TYPE_CHECKING

import hypothesis.strategies as st
import pytest
from fakes.runs import own_environ, python, run_simulated
from hypothesis import given, settings
from scipy.spatial import distance as oracle

from reliability.analysis import analyse
from reliability.consistency.agreement import agreement
from reliability.consistency.modes import modes_of
from reliability.consistency.spread import (
    distance,
    divergence,
    evenness,
    paths,
    resource,
)
from reliability.consistency.texts import (
    normalised,
    similarity,
    unit_vector,
    words,
)

if TYPE_CHECKING:
    from pathlib import Path

ANSWERS = st.lists(st.sampled_from(["a", "b", "c", "a b", "B  a"]), min_size=2)
TOOLS = st.lists(st.sampled_from(["Read", "Edit", "Bash"]), max_size=6).map(tuple)


@given(answers=ANSWERS)
def test_agreement_is_the_share_of_equal_pairs(answers: list[str]) -> None:
    """
    By looking at every pair.
    """
    pairs = list(combinations(answers, 2))
    found = agreement(Counter(answers).values())

    assert pytest.approx(fmean(a == b for a, b in pairs), abs=1e-9) == found.rate
    assert len(set(answers)) == found.distinct


@given(answers=st.lists(st.sampled_from("abc"), min_size=3, max_size=30))
def test_the_error_is_the_jackknifes(answers: list[str]) -> None:
    """
    By leaving out one trial after the other.
    """
    left = [
        agreement(Counter(answers[:at] + answers[at + 1 :]).values()).rate
        for at in range(len(answers))
    ]
    mean = fmean(left)
    expected = math.sqrt(
        (len(left) - 1) / len(left) * sum((rate - mean) ** 2 for rate in left)
    )
    found = agreement(Counter(answers).values())

    assert pytest.approx(expected, abs=1e-9) == found.error


@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=30), min_size=2, max_size=12))
def test_mean_similarity_is_that_of_all_pairs(texts: list[str]) -> None:
    """
    The identity of the sum vector, against cosines pair by pair.
    """
    vectors = [unit_vector(words(normalised(text))) for text in texts]

    def cosine(one: dict[str, float], other: dict[str, float]) -> float:
        """
        Multiply two unit vectors.
        """
        return sum(weight * other.get(word, 0.0) for word, weight in one.items())

    found = similarity(vectors)
    pairs = [cosine(a, b) for a, b in combinations(vectors, 2)]
    assert pytest.approx(fmean(pairs), abs=1e-9) == found.mean
    for at, value in enumerate(found.to_others):
        others = [cosine(vectors[at], one) for one in vectors[:at] + vectors[at + 1 :]]
        assert pytest.approx(fmean(others), abs=1e-9) == value


@settings(deadline=None)
@given(texts=st.lists(st.text(max_size=20), min_size=1, max_size=20))
def test_modes_have_every_trial_once_whatever_the_order(texts: list[str]) -> None:
    """
    Groups are the same for shuffled trials, and lose nobody.
    """
    shuffled = random.Random(1).sample(texts, len(texts))
    modes = modes_of(Counter(texts))

    assert modes == modes_of(Counter(shuffled))
    assert len(texts) == sum(mode.size for mode in modes)
    assert sorted(set(texts)) == sorted(text for mode in modes for text in mode.texts)


def test_answers_that_differ_in_a_word_are_one_mode() -> None:
    """
    And others are another.
    """
    same = "the bug is in line 42 of login.c since the assignment is no comparison"
    other = "I could not find anything wrong with this file at all, sorry about that"
    counts = Counter({same: 5, same.replace("since", "as"): 2, other: 3})

    assert [7, 3] == [mode.size for mode in modes_of(counts)]


@given(one=TOOLS, other=TOOLS)
def test_divergence_is_scipys(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    """
    To 1e-9, in bits; an empty sequence is as far from others as can be.
    """
    names = ["Read", "Edit", "Bash"]
    found = divergence(one, other)
    if one and other:
        p, q = ([seq.count(name) for name in names] for seq in (one, other))
        expected = float(oracle.jensenshannon(p, q, base=2)) ** 2
        assert pytest.approx(expected, abs=1e-7) == found
    else:
        assert found == float(bool(one) != bool(other))


@given(one=TOOLS, other=TOOLS)
def test_distance_is_symmetric_and_bounded(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    """
    0 for equal sequences alone, and never above 1.
    """
    found = distance(one, other)

    assert found == distance(other, one)
    assert 0 <= found <= 1
    assert (found == 0) is (one == other)


def test_paths_do_not_depend_on_the_order_of_trials() -> None:
    """
    Of few trials all pairs count; of many, the sample is one of their values.
    """
    few = [("Read", "Edit"), ("Read",), ("Bash", "Read")]
    assert {paths(list(order)) for order in permutations(few)} == {paths(few)}
    many = few * 60
    shuffled = random.Random(2).sample(many, len(many))
    assert paths(many).sampled
    assert paths(many) == paths(shuffled)


def test_what_all_took_alike_is_even() -> None:
    """
    1 for no variation, less for more, nothing for nothing.
    """
    assert 1.0 == evenness({"time": resource([2.0, 2.0, 2.0])})
    assert evenness({"time": resource([1.0, 3.0])}) == pytest.approx(
        math.exp(-math.sqrt(2) / 2)
    )
    assert evenness({"cost": resource([0.0, 0.0])}) is None


@pytest.mark.parametrize(
    ("one", "other"),
    [("Hello  World", "hello world"), ("ﬁne", "fine"), ("STRASSE", "strasse\n")],
)
def test_what_people_do_not_see_is_no_difference(one: str, other: str) -> None:
    """
    White space, letter case and compatible characters.
    """
    assert normalised(one) == normalised(other)


def test_a_log_is_told_by_the_command(tmp_path: Path) -> None:
    """
    Modes crossed with outcome, for people and as JSON, and the simulation is named.
    """
    profile = "latency=0,seed=4,pass-rate=0.6"
    result = run_simulated(tmp_path, loops="30", simulator=profile)
    argv = [*python("-m", "reliability", "analyze"), result.log]
    text, data = (
        subprocess.run(
            [*argv, *more],
            env=own_environ(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for more in ([], ["--json"])
    )
    (case,) = json.loads(data)["cases"]

    assert text.startswith("Simulated:")
    assert "two trials give the same answer with" in text
    assert "all pass" in text
    assert "all fail" in text
    assert 30 == case["trials"] == sum(mode["trials"] for mode in case["modes"])
    assert result.tally.passed == sum(mode["passed"] for mode in case["modes"])


def test_the_analysis_is_the_same_in_parallel(tmp_path: Path) -> None:
    """
    Trials that end in another order say the same.
    """
    given = {"loops": "24", "simulator": "latency=0.002,seed=4,pass-rate=0.6"}
    logs = []
    for name, more in (("one", {}), ("many", {"parallel": "true"})):
        (tmp_path / name).mkdir()
        result = run_simulated(tmp_path / name, **given, **more)
        logs.append(analyse(tmp_path / name / result.log).cases[0])

    assert logs[0].modes == logs[1].modes
    assert logs[0].agreement == logs[1].agreement
    assert logs[0].outliers == logs[1].outliers


def test_no_answer_becomes_a_command_of_the_runner_in_json(tmp_path: Path) -> None:
    """
    It is escaped in a way that JSON reads back as the same; `run --json` does so too.
    """
    hostile = "##[add-mask]x ::set-output name=a::b"
    profile = f"latency=0,pass-rate=1,answer={hostile}"
    result = run_simulated(tmp_path, expect="x", simulator=profile)
    run_words = ["run", "a", "--backend", "simulated", "--simulator", profile]
    run_words += ["--loops", "1", "--expect", "x", "--output-dir", str(tmp_path / "o")]
    analysis, document = (
        subprocess.run(
            [*python("-m", "reliability"), *words, "--json"],
            env=own_environ(),
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for words in (["analyze", result.log], run_words)
    )

    for told in (analysis, document):
        assert "##[" not in told
        assert "::" not in told
    (mode,) = json.loads(analysis)["cases"][0]["modes"]
    assert hostile == mode["sample"]
    assert hostile == json.loads(document)["trials"][0]["answer"]
