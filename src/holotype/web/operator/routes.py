"""All pages of those who run a project."""

from __future__ import annotations

from holotype.web.operator import dashboard

routes = [*dashboard.routes]
