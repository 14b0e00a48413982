"""Migrations: the way from each version of the catalog to the next, run by Alembic when a project is opened."""
