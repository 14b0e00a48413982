"""The addresses of a worker's pages."""

from __future__ import annotations

from holotype.web.work import lessons, tasks, turk

routes = [*tasks.routes, *lessons.routes, *turk.routes]
