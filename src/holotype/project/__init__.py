"""A project: the one place where catalog and stages meet, with a room for each noun of the API."""

from holotype.project.creation import init, open_project
from holotype.project.project import Project

__all__ = ["Project", "init", "open_project"]
