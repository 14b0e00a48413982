"""A project: the only place where catalog and stages meet."""

from holotype.project.creation import init, open_project
from holotype.project.project import Project

__all__ = ["Project", "init", "open_project"]
