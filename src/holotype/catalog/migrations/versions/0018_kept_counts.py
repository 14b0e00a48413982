"""How much there is of what labels follow from, kept on PostgreSQL, where counting reads all there is.

Triggers append to `kept_count` what comes and goes, a row for each statement, so that nobody who writes waits for
another; what there is in all is the sum. SQLite counts a table by its pages, and nothing is kept there.
"""

from alembic import op

revision = "0018"
down_revision = "0017"

_TABLES = ("candidate", "vote", "gold", "prior", "standing", "overruling", "sighting")
_ASKED = " WHERE asked = 1"

_CHANGED = """
    CREATE FUNCTION count_{name}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        INSERT INTO kept_count SELECT TG_TABLE_NAME, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
        FROM changed{where} HAVING count(*) > 0;
        RETURN NULL;
    END $$
"""
_MOVED = """
    CREATE FUNCTION count_asked_again() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
    BEGIN
        INSERT INTO kept_count VALUES (TG_TABLE_NAME, (NEW.asked = 1)::int - (OLD.asked = 1)::int);
        RETURN NULL;
    END $$
"""


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    op.execute("CREATE TABLE kept_count (name varchar(16) NOT NULL, number bigint NOT NULL)")
    op.execute(_CHANGED.format(name="rows", where=""))
    op.execute(_CHANGED.format(name="asked", where=_ASKED))
    op.execute(_MOVED)
    op.execute(f"LOCK TABLE {', '.join(_TABLES)} IN SHARE ROW EXCLUSIVE MODE")
    for table in _TABLES:
        function, where = ("count_asked", _ASKED) if table == "candidate" else ("count_rows", "")
        for event, rows in (("INSERT", "NEW"), ("DELETE", "OLD")):
            op.execute(
                f"CREATE TRIGGER kept_count_{event.lower()} AFTER {event} ON {table} "
                f"REFERENCING {rows} TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
            )
        op.execute(f"INSERT INTO kept_count SELECT '{table}', count(*) FROM {table}{where}")  # noqa: S608 - names above
    op.execute(
        "CREATE TRIGGER kept_count_update AFTER UPDATE OF asked ON candidate FOR EACH ROW "
        "WHEN (OLD.asked IS DISTINCT FROM NEW.asked) EXECUTE FUNCTION count_asked_again()"
    )


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        for function in ("count_rows", "count_asked", "count_asked_again"):
            op.execute(f"DROP FUNCTION {function} CASCADE")
        op.drop_table("kept_count")
