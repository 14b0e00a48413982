"""Removals: requests to take images down, from people who need no account, and what is decided of them."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection

from holotype.catalog import removals as rows
from holotype.catalog.image_names import can_be_asked, meant
from holotype.catalog.images import Named, with_ids
from holotype.catalog.removals import ACCEPTED, DECLINED, Removal
from holotype.errors import CrowdError
from holotype.ontology.text import printable_text
from holotype.project.facts import check_reason, person
from holotype.project.fingerprints import fingerprint_images
from holotype.project.parts import Parts
from holotype.project.withdrawing import withdraw

MOST_IMAGES: Final = 20
"""Images that one request may hide."""
MOST_HIDDEN: Final = 1_000
"""Images that requests hide which nobody decided yet: nobody takes a whole site down by asking for all of it."""
MOST_LINES: Final = 20
NEAR: Final = "nearly the same as what request {} names"
"""What a request says that follows from another one, by the first digits of its receipt."""
LONGEST: Final = 2_000
"""Characters of each part of a request."""

_PAGE: Final = re.compile(r"/(?:image|thumb|picture)/(.+?)(?:\.jpg)?/?")
_RECEIPT: Final = re.compile(r"[0-9a-f]{32}")


class Removals:
    """The requests of a project to take images down."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def ask(self, said: str, reason: str, contact: str = "") -> Removal:
        """Ask for images to be taken down; the request with its receipt, a secret that tells its state.

        `said` names images, one a line: by the address of their page here, the address where they were found, the
        sha256 or its first 8 digits or more, or the name of a file. What it names is hidden at once, until somebody
        decides, but for images that were asked about before and that somebody decided to keep. What names no image is
        kept for a person to read, and so is all of a request where `MOST_HIDDEN` images are hidden already: it then
        names none, until it is accepted. `contact` is for those who decide alone.

        Near-duplicates of what it names are hidden as well, by a request of their own, which is decided by itself: they
        may be other pictures.

        Raises `CrowdError` for a request that is empty, too long, cannot be printed or names more than `MOST_IMAGES`
        images.
        """
        for part, what in ((said, "the pictures"), (reason, "the reason"), (contact, "the contact")):
            _check_text(part, what)
        lines = [line for line in map(str.strip, said.splitlines()) if line]
        if not lines or not reason.strip():
            raise CrowdError("a request needs to say which pictures, and why")
        if len(lines) > MOST_LINES:
            raise CrowdError(f"a request names at most {MOST_LINES} pictures, a line for each")
        images = self._digests(lines)
        with self._parts.catalog.read() as connection:
            left = MOST_HIDDEN - rows.count_hidden(connection)
            images = images if len(images) <= left else ()
            near = rows.near(connection, images)[: left - len(images)] if images else ()
        about = reason.strip(), contact.strip(), self._parts.clock()
        removal = Removal(secrets.token_hex(16), "\n".join(lines), *about, images)
        also = Removal(secrets.token_hex(16), NEAR.format(removal.receipt[:8]), *about, tuple(near))

        def work(connection: Connection) -> None:
            for one in (removal, also) if near else (removal,):
                rows.add(connection, one)

        self._parts.catalog.transact(work)
        return removal

    def status(self, receipt: str) -> Removal | None:
        """The request of a receipt; None where there is none."""
        if not _RECEIPT.fullmatch(receipt):
            return None
        with self._parts.catalog.read() as connection:
            return rows.with_receipt(connection, receipt)

    def pending(self) -> list[Removal]:
        """The requests that nobody decided yet, oldest first."""
        with self._parts.catalog.read() as connection:
            return rows.pending(connection)

    def history(self) -> list[Removal]:
        """All requests, oldest first."""
        with self._parts.catalog.read() as connection:
            return rows.history(connection)

    def accept(self, receipt: str, by: str, reason: str) -> Removal:
        """Take the images of a request down for good: they are withdrawn, see `holotype.project.images.Images`.

        Raises `CrowdError` for an unknown receipt, an empty `reason` and a name `by` that cannot be printed.
        """
        return self._decide(receipt, ACCEPTED, by, reason)

    def decline(self, receipt: str, by: str, reason: str) -> Removal:
        """Keep the images of a request: they are shown again, unless another request that was accepted names them."""
        return self._decide(receipt, DECLINED, by, reason)

    def hidden(self, digests: Sequence[str]) -> set[str]:
        """Those of these sha256 that are to be shown to nobody: asked about and not decided, or withdrawn."""
        with self._parts.catalog.read() as connection:
            return rows.hidden_among(connection, digests)

    def _decide(self, receipt: str, outcome: str, by: str, reason: str) -> Removal:
        """Withdrawn first and said afterwards: stopped between the two, the request still waits for its decision."""
        name, held = person(by, "who decides"), self.status(receipt)
        check_reason(reason)
        _check_text(reason, "the reason")
        if held is None:
            raise CrowdError("there is no request with this receipt")
        if outcome == ACCEPTED and (images := self._meant(held)):
            withdraw(self._parts, images, True, name, f"removal {receipt[:8]}: {reason}")
        now = self._parts.clock()
        self._parts.catalog.transact(lambda one: rows.decide(one, receipt, outcome, name, reason.strip(), now))
        if outcome == DECLINED and held.state == ACCEPTED:
            self._restore(held, name, reason)
        with self._parts.catalog.read() as connection:
            return rows.with_receipt(connection, receipt) or held

    def _meant(self, held: Removal) -> Sequence[str]:
        """The images of a request, of one that was to hide nothing those that its lines name now."""
        return held.images or self._digests(held.said.splitlines())

    def _restore(self, held: Removal, name: str, reason: str) -> None:
        images = self._meant(held)
        with self._parts.catalog.read() as connection:
            others = rows.accepted_for(connection, images)
        free = [sha256 for sha256 in images if sha256 not in others]
        if free:
            withdraw(self._parts, free, False, name, f"removal {held.receipt[:8]}: {reason}")

    def _digests(self, lines: Sequence[str]) -> tuple[str, ...]:
        """The sha256 of the images that lines name; those that were not read yet are.

        Raises `CrowdError` for more than one request may hide.
        """
        parts = self._parts
        with parts.catalog.read() as connection:
            found = {image.id: image for line in lines for image in _named(connection, line)}
        if len(found) > MOST_IMAGES:
            raise CrowdError(f"this names {len(found):,} pictures, and a request at most {MOST_IMAGES}: say it closer")
        if unread := [number for number, image in found.items() if not image.sha256]:
            fingerprint_images(parts.catalog, parts.store, unread)
            with parts.catalog.read() as connection:
                found |= with_ids(connection, unread)
        return tuple(sorted({image.sha256 for image in found.values() if image.sha256}))


def name_in(line: str) -> str:
    """What a line calls an image: the end of the address of its page, or the line as it is.

    >>> name_in("https://museum.example/image/00ff00ff?release=v1"), name_in("birds/wren 1.jpg")
    ('00ff00ff', 'birds/wren 1.jpg')
    """
    try:
        path = urlsplit(line).path
    except ValueError:
        return line
    page = _PAGE.fullmatch(path)
    return unquote(page[1]) if page else line


def _named(connection: Connection, line: str) -> list[Named]:
    """The images that a line means."""
    name = name_in(line)
    if not can_be_asked(name):
        return []
    if found := meant(connection, [name]).get(name):
        return found
    if "://" not in line:
        return []
    return list(with_ids(connection, rows.said_addresses(connection, line)).values())


def _check_text(text: str, what: str) -> None:
    if len(text) > LONGEST:
        raise CrowdError(f"{what} may have {LONGEST:,} characters, not {len(text):,}")
    if not printable_text("".join(text.split())):
        raise CrowdError(f"{what} has a character that cannot be printed")
