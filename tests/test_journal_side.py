"""
What side files promise: a text too long for a line is kept whole, and provably.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakes.journals import new_journal

from reliability.errors import JournalError
from reliability.journal import Event, examine, read_events, read_side_text
from reliability.journal.line import LINE_CAP_BYTES

if TYPE_CHECKING:
    from pathlib import Path

LONG = "é\ud800\n" * LINE_CAP_BYTES


def _logged(directory: Path, fields: dict[str, Any]) -> tuple[Path, Event]:
    """
    Log one event and read it back.
    """
    with new_journal(directory) as journal:
        journal.append("attempt_finished", fields)
        return journal.path, next(read_events(journal.path))


def test_long_text_moves_to_a_side_file_and_comes_back(tmp_path: Path) -> None:
    """
    A field that would make the line too long is a reference; the text is whole.
    """
    path, event = _logged(tmp_path, {"answer": LONG, "turns": 1})
    reference = event.fields["answer"]

    assert event.side_files == (("answer",),)
    assert reference["side_file"] == f"{reference['sha256']}.txt"
    assert reference["bytes"] == len(LONG.encode("utf-8", "surrogatepass"))
    assert read_side_text(path, reference) == LONG
    assert path.stat().st_size < 1024
    assert examine(path).intact


def test_long_text_one_level_down_moves_too(tmp_path: Path) -> None:
    """
    Members of a field that is an object or a list can move; the field is kept.
    """
    fields = {"evidence": {"stdout": LONG, "code": 0}, "errors": ["short", LONG]}
    path, event = _logged(tmp_path, fields)

    assert set(event.side_files) == {("evidence", "stdout"), ("errors", 1)}
    assert event.fields["evidence"]["code"] == 0
    assert event.fields["errors"][0] == "short"
    assert read_side_text(path, event.fields["errors"][1]) == LONG
    assert fields["evidence"]["stdout"] is LONG  # type: ignore[index]


def test_only_as_much_moves_as_the_line_needs(tmp_path: Path) -> None:
    """
    The longest text goes first, and what fits stays in the line.
    """
    _, event = _logged(tmp_path, {"a": "x" * 10_000, "b": "y" * LINE_CAP_BYTES})

    assert event.side_files == (("b",),)
    assert event.fields["a"] == "x" * 10_000


def test_same_text_is_kept_once(tmp_path: Path) -> None:
    """
    Two equal texts share one file.
    """
    path, _ = _logged(tmp_path, {"a": LONG, "b": LONG})

    assert len(list(path.with_name(f"{path.name}.d").iterdir())) == 1


def test_line_that_stays_too_long_is_refused_and_the_log_goes_on(
    tmp_path: Path,
) -> None:
    """
    Over 1 MiB with nothing that can move: an error of that event, no line.
    """
    with new_journal(tmp_path) as journal:
        with pytest.raises(JournalError, match="a line may have 1048576"):
            journal.append("x", {"a": {"b": {"c": "x" * 1024 * 1024}}})
        with pytest.raises(JournalError, match="a line may have 1048576"):
            journal.append("x" * 1024 * 1024, {})

        assert journal.append("x", {"a": {"b": {"c": "x" * 600_000}}}) == 1
        assert examine(journal.path).intact


def test_answer_that_looks_like_a_reference_is_not_one(tmp_path: Path) -> None:
    """
    Only the writer says where references are; a forged one is plain data.
    """
    forged = {"side_file": "../../etc/passwd", "sha256": "0" * 64, "bytes": 1}
    path, event = _logged(tmp_path, {"answer": forged})

    assert (event.side_files, event.fields["answer"]) == ((), forged)
    assert examine(path).intact
    with pytest.raises(JournalError, match="a name it cannot have"):
        read_side_text(path, forged)


@pytest.mark.parametrize(
    "harm",
    [
        lambda side: side.unlink(),
        lambda side: (side.chmod(0o600), side.write_text("changed")),
        lambda side: (side.rename(side.with_name("x")), side.symlink_to("x")),
    ],
    ids=["missing", "changed", "link"],
)
def test_side_file_that_was_harmed_is_found(tmp_path: Path, harm: Any) -> None:
    """
    A missing, changed or redirected side file fails the examination and the reading.
    """
    path, event = _logged(tmp_path, {"answer": LONG})
    side = next(path.with_name(f"{path.name}.d").iterdir())
    harm(side)
    found = examine(path)

    assert not found.intact
    assert str(side) in " ".join(found.sentences())
    with pytest.raises(JournalError, match=side.name):
        read_side_text(path, event.fields["answer"])


@pytest.mark.parametrize("planted", ["file", "link"])
def test_planted_side_folder_ends_the_log(tmp_path: Path, planted: str) -> None:
    """
    A file or link where the side files belong is refused; nothing goes elsewhere.
    """
    (tmp_path / "elsewhere").mkdir()
    with new_journal(tmp_path) as journal:
        folder = journal.path.with_name(f"{journal.path.name}.d")
        if planted == "file":
            folder.write_text("")
        else:
            folder.symlink_to(tmp_path / "elsewhere")
        with pytest.raises(JournalError, match="is not a folder"):
            journal.append("x", {"answer": LONG})

    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_locked_log_has_readable_side_files(tmp_path: Path) -> None:
    """
    Who may read the finished log may read its side files, and change neither.
    """
    with new_journal(tmp_path) as journal:
        journal.append("x", {"answer": LONG})
        journal.lock()
    folder = journal.path.with_name(f"{journal.path.name}.d")
    side = next(folder.iterdir())

    assert (folder.stat().st_mode & 0o777, side.stat().st_mode & 0o777) == (
        0o755,
        0o444,
    )
