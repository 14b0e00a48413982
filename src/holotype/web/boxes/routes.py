"""The addresses of a worker's pages of boxes."""

from __future__ import annotations

from holotype.web.boxes import lessons, turk, work

routes = [*lessons.routes, *work.routes, *turk.routes]
