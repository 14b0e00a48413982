"""Flags: what people may say is wrong with a question, or with one picture of it. They are facts, and no votes."""

from __future__ import annotations

from typing import Final

NOBODY_CAN_TELL: Final = "nobody-can-tell"
WRONG_DEFINITION: Final = "wrong-definition"
OFFENSIVE: Final = "offensive"
BROKEN: Final = "broken"

KINDS: Final = (NOBODY_CAN_TELL, WRONG_DEFINITION, OFFENSIVE, BROKEN)
OF_PICTURES: Final = (NOBODY_CAN_TELL, OFFENSIVE, BROKEN)
"""The kinds that one picture may have; a definition is the whole question's."""

OUTCOMES: Final = ("upheld", "dismissed")
LONGEST: Final = 2_000
"""Characters of what may be said beside a flag."""
