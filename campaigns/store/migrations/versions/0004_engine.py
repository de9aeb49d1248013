"""The engine: a line's hourly limit, and a feed whose cost does not grow."""

from alembic import op

revision = "0004"
down_revision = "0003"

SCHEMA = [
    "ALTER TABLE campaigns ADD COLUMN line_hourly_limit integer CHECK (line_hourly_limit > 0)",
    # --- a feed whose cost does not grow ------------------------------------------------------------------------
    # By the end of the opening first: a seek steps over openings that lapsed and those still to come, however many
    # calls lie in them (Postgres 18 skips from one end to the next).
    "DROP INDEX calls_due",
    "CREATE INDEX calls_due ON calls (run_id, group_id, closes_at, due_at) WHERE state = 'scheduled'",
    # An attempt that was given up is closed and may still ring: it is found along with those that are open.
    "DROP INDEX attempts_handed_over",
    "CREATE INDEX attempts_handed_over ON attempts (account) "
    "WHERE provider_due_from IS NOT NULL AND (closed_at IS NULL OR outcome = 'unknown')",
    # What of a run was handed over to its provider already; only such attempts, so it is as small as they are few.
    "CREATE INDEX attempts_handed_over_run ON attempts (run_id) WHERE provider_due_from IS NOT NULL",
    # Counted attempts of campaigns with a budget of dials, as changes to be added up; the feed folds them now and then.
    # Each is written by the transaction that changes the attempts, so the sum is what counting them would tell, and
    # no claim waits for another as it would with one row a campaign.
    """
    CREATE TABLE budget_use (
        campaign_id bigint NOT NULL REFERENCES campaigns,
        dials bigint NOT NULL
    )
    """,
    "CREATE INDEX budget_use_campaign ON budget_use (campaign_id)",
    """
    INSERT INTO budget_use (campaign_id, dials)
    SELECT t.campaign_id, count(*) FROM attempts t JOIN campaigns c ON c.id = t.campaign_id
    WHERE t.counts AND c.dial_budget IS NOT NULL GROUP BY t.campaign_id
    """,
    """
    CREATE FUNCTION note_budget_use() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO budget_use (campaign_id, dials)
        SELECT t.campaign_id, CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
        FROM changed t JOIN campaigns c ON c.id = t.campaign_id
        WHERE t.counts AND c.dial_budget IS NOT NULL GROUP BY t.campaign_id;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER attempts_budget_added AFTER INSERT ON attempts REFERENCING NEW TABLE AS changed "
    "FOR EACH STATEMENT EXECUTE FUNCTION note_budget_use()",
    "CREATE TRIGGER attempts_budget_removed AFTER DELETE ON attempts REFERENCING OLD TABLE AS changed "
    "FOR EACH STATEMENT EXECUTE FUNCTION note_budget_use()",
    # An attempt that turns out not to count, or to count after all: rare, so a row at a time.
    """
    CREATE FUNCTION note_budget_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO budget_use (campaign_id, dials)
        SELECT c.id, CASE WHEN NEW.counts THEN 1 ELSE -1 END
        FROM campaigns c WHERE c.id = NEW.campaign_id AND c.dial_budget IS NOT NULL;
        RETURN NULL;
    END $$
    """,
    "CREATE TRIGGER attempts_budget_changed AFTER UPDATE OF counts ON attempts "
    "FOR EACH ROW WHEN (OLD.counts <> NEW.counts) EXECUTE FUNCTION note_budget_change()",
]


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the record has no way back: restore a backup instead")
