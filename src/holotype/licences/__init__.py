"""Licences: read from what sources say, compared with a policy, and the credit that they ask for."""

from holotype.licences.credit import Work, credit_line
from holotype.licences.licence import CODES, FAMILIES, WORDS, Licence
from holotype.licences.parsing import parse
from holotype.licences.policy import LicencePolicy

__all__ = ["CODES", "FAMILIES", "WORDS", "Licence", "LicencePolicy", "Work", "credit_line", "parse"]
