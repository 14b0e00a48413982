"""Every error holotype raises on purpose.

::

    HolotypeError
    ├── OntologyError
    │   ├── WordNetNotFound      no WordNet database files where we looked
    │   ├── WrongWordNet         found, but not version 3.0
    │   ├── UnknownSynset        no such wnid or lemma (also a KeyError)
    │   └── AmbiguousLemma       a lemma with several senses where one is needed
    ├── ProjectError             no project here, or one is here already
    ├── SourceError              images could not be fetched or listed
    ├── PackError                a pack is damaged or in use
    ├── ArchiveError             an archive is damaged, hostile, not what its name says, or has changed
    ├── QueryError               a query cannot be understood
    ├── CrowdError               a page or a vote that does not fit the campaign
    │   └── PlatformError        a crowd platform could not be reached, or refused
    ├── ReleaseError             a release cannot be made, read or verified
    └── PredictionError          a predictions file is not acceptable

The command line prints any of them as one line and exits with 2.
"""

from __future__ import annotations


class HolotypeError(Exception):
    """The root of every error holotype raises on purpose."""


class OntologyError(HolotypeError):
    """Something is wrong with an ontology or a question to it."""


class WordNetNotFound(OntologyError):
    """No WordNet database files where we looked."""


class WrongWordNet(OntologyError):
    """WordNet files were found, but not of version 3.0."""


class UnknownSynset(OntologyError, KeyError):
    """No synset has this wnid or lemma."""

    def __str__(self) -> str:
        return str(self.args[0])


class AmbiguousLemma(OntologyError):
    """A lemma with several senses was given where one synset is needed."""


class ProjectError(HolotypeError):
    """There is no project here, or there is one already."""


class SourceError(HolotypeError):
    """Images could not be fetched or listed."""


class PackError(HolotypeError):
    """A pack is damaged or in use."""


class ArchiveError(HolotypeError):
    """An archive, or a file that comes with one, is damaged, hostile, not what its name says, or has changed."""


class QueryError(HolotypeError):
    """A query cannot be understood, or asks for what is not recorded."""


class CrowdError(HolotypeError):
    """A page or a vote does not fit the campaign."""


class PlatformError(CrowdError):
    """A crowd platform could not be reached, or refused; `code` is its own name for why, where it has one."""

    def __init__(self, message: str, code: str = "") -> None:
        super().__init__(message)
        self.code = code


class ReleaseError(HolotypeError):
    """A release cannot be made, read or verified."""


class PredictionError(HolotypeError):
    """A predictions file is not acceptable."""
