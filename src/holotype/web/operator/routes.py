"""All pages of those who run a project."""

from __future__ import annotations

from holotype.web.operator import accounts, audits, dashboard, invitations, workers

routes = [*dashboard.routes, *workers.routes, *accounts.routes, *invitations.routes, *audits.routes]
