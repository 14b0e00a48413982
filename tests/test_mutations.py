"""Changed pictures break nothing: a few thousand of them; `bench/mutations.py` makes as many as one likes."""

from __future__ import annotations

import os
from collections import Counter

import mutations


def test_changed_pictures_are_kept_or_rejected_for_a_known_reason_within_little_memory() -> None:
    found = mutations.run_apart(range(3000))
    assert not found.wrong, found.wrong
    assert found.outcomes.total() == 3000
    assert set(found.outcomes) == set(mutations.REASONS)
    assert found.memory < mutations.MEMORY


def end_at_three(numbers: range, at: mutations.At, answer: mutations.Answer) -> None:
    """What reading is like where the fourth picture ends the process."""
    for number in numbers:
        at.value = number
        if number == 3:
            os._exit(7)
    answer.put(mutations.Found(Counter(kept=len(numbers))))


def test_a_picture_that_ends_the_process_is_told_and_those_behind_it_are_read() -> None:
    found = mutations.run_apart(range(10), end_at_three)
    assert found.wrong == {3: "ended with 7"}
    assert found.outcomes == {"kept": 6}


def test_a_number_always_makes_the_same_picture() -> None:
    assert mutations.changed(5) == mutations.changed(5)
    assert mutations.changed(5) != mutations.changed(6)
