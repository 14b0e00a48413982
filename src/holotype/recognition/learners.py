"""Scikit-learn, or an error that says how to get it."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from holotype.errors import NotInstalled


def scikit_learn(module: str) -> Any:
    """A module of scikit-learn, ``cluster`` or another. Raises `NotInstalled`."""
    try:
        return import_module(f"sklearn.{module}")
    except ImportError as error:
        raise NotInstalled("scikit-learn", "recognition", str(error)) from error
