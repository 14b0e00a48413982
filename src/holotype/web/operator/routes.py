"""All pages of those who run a project."""

from __future__ import annotations

from holotype.web.operator import accounts, audits, campaigns, dashboard, flags, gold, invitations, removals, workers

rooms = dashboard, campaigns, workers, accounts, invitations, gold, audits, flags, removals
routes = [route for room in rooms for route in room.routes]
