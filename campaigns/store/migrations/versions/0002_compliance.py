"""What the whole gate needs: evidence of consent, lists, answers, rulings, approvals, and the sealed ledger."""

from alembic import op

revision = "0002"
down_revision = "0001"

SCHEMA = [
    # --- consent: the fields that a court asks for (47 CFR 64.1200(f)(9), 16 CFR 310.5(a)(8)) -----------------
    """
    ALTER TABLE consents
        ADD COLUMN expires_at timestamptz,
        ADD COLUMN artificial_voice boolean,
        ADD COLUMN channel text,
        ADD COLUMN person text,
        ADD COLUMN evidence jsonb NOT NULL DEFAULT '{}',
        ADD COLUMN evidence_digest text
    """,
    """
    ALTER TABLE revocations
        ADD COLUMN received_at timestamptz,
        ADD COLUMN attempt_id uuid,
        ADD COLUMN words text
    """,
    # The second instant of a revocation: from `returned_at` on, no request to the number can leave. A row of its own,
    # because the first one is committed a permit's lifetime earlier and is never changed.
    """
    CREATE TABLE revocation_returns (
        revocation_id bigint PRIMARY KEY REFERENCES revocations,
        returned_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        calls_blocked bigint NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX revocations_attempt ON revocations (attempt_id) WHERE attempt_id IS NOT NULL",
    # --- people who call us back, and calls that a provider still holds back ------------------------------------
    # Why a call that is being dialed or talks makes no further attempt once it is over.
    "ALTER TABLE calls ADD COLUMN stop_reason text",
    # Who called us; erased once it was acted upon.
    "ALTER TABLE inbox ADD COLUMN caller text",
    # A call that was created at a provider and waits there, to be cancelled because its person revoked.
    """
    CREATE TABLE provider_cancels (
        attempt_id uuid PRIMARY KEY REFERENCES attempts,
        revocation_id bigint NOT NULL REFERENCES revocations,
        asked_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        next_try_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        tries integer NOT NULL DEFAULT 0,
        last_error text,
        settled_at timestamptz,
        settled_as text CHECK (settled_as IN ('cancelled', 'over', 'live')),
        CHECK ((settled_at IS NULL) = (settled_as IS NULL))
    )
    """,
    "CREATE INDEX provider_cancels_open ON provider_cancels (next_try_at) WHERE settled_at IS NULL",
    # --- suppression: internal, seller, campaign, state and litigator lists ------------------------------------
    """
    ALTER TABLE suppressions
        ADD COLUMN expires_at timestamptz,
        ADD COLUMN note text NOT NULL DEFAULT ''
    """,
    # One row a list version: which file, how old, what it covers. A list that does not cover an area code
    # says nothing about it.
    """
    CREATE TABLE list_versions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        list_name text NOT NULL,
        kind text NOT NULL CHECK (kind IN ('bits', 'rows')),
        folder text,
        obtained_at timestamptz NOT NULL,
        source text NOT NULL,
        subscription text,
        area_codes text[] NOT NULL,
        numbers bigint NOT NULL,
        rejects bigint NOT NULL,
        sha256 text NOT NULL,
        imported_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        imported_by text NOT NULL,
        replaced_at timestamptz
    )
    """,
    "CREATE UNIQUE INDEX list_versions_active ON list_versions (list_name) WHERE replaced_at IS NULL",
    # Which import brought an entry: the next whole list ends those that it lacks, and leaves what a hand added.
    "ALTER TABLE suppressions ADD COLUMN version_id bigint REFERENCES list_versions",
    """
    UPDATE suppressions s SET removed_at = clock_timestamp(), removed_by = 'migration'
    WHERE s.removed_at IS NULL AND EXISTS (
        SELECT FROM suppressions o WHERE o.number = s.number AND o.list_name = s.list_name AND o.scope = s.scope
            AND o.scope_value IS NOT DISTINCT FROM s.scope_value AND o.removed_at IS NULL AND o.id < s.id)
    """,
    """
    CREATE UNIQUE INDEX suppressions_once ON suppressions (number, list_name, scope, coalesce(scope_value, ''))
    WHERE removed_at IS NULL
    """,
    "DROP INDEX suppressions_number",
    """
    CREATE TABLE reassigned_answers (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        number text NOT NULL,
        asked_since date NOT NULL,
        answer text NOT NULL CHECK (answer IN ('yes', 'no', 'no_data')),
        answered_at timestamptz NOT NULL,
        source text NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        recorded_by text NOT NULL
    )
    """,
    "CREATE INDEX reassigned_answers_number ON reassigned_answers (number)",
    "CREATE UNIQUE INDEX reassigned_answers_once ON reassigned_answers (number, asked_since, answer, answered_at)",
    # --- what people decided -----------------------------------------------------------------------------------
    """
    CREATE TABLE rulings (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        jurisdiction text NOT NULL,
        subject text NOT NULL CHECK (subject IN ('ai_voice', 'emergency')),
        decision text NOT NULL CHECK (decision IN ('allow', 'deny', 'declared', 'lifted')),
        reason text NOT NULL CHECK (reason <> ''),
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        recorded_by text NOT NULL
    )
    """,
    "CREATE INDEX rulings_newest ON rulings (subject, jurisdiction, id DESC)",
    """
    CREATE TABLE approvals (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        version_id bigint NOT NULL REFERENCES campaign_versions,
        subject text NOT NULL CHECK (subject IN ('emergency', 'identification')),
        reason text NOT NULL CHECK (reason <> ''),
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        recorded_by text NOT NULL,
        UNIQUE (version_id, subject, recorded_by)
    )
    """,
    # --- customers: what caps by person, exemptions and relationships need --------------------------------------
    """
    ALTER TABLE customers
        ADD COLUMN debt text,
        ADD COLUMN exemption text,
        ADD COLUMN ebr_transaction_at timestamptz,
        ADD COLUMN ebr_inquiry_at timestamptz
    """,
    """
    ALTER TABLE attempts
        ADD COLUMN person text,
        ADD COLUMN debt text,
        ADD COLUMN disposition text,
        ADD COLUMN hung_up boolean NOT NULL DEFAULT false
    """,
    "CREATE INDEX attempts_hung_up ON attempts (number) WHERE hung_up",
    "CREATE INDEX attempts_person ON attempts (person, campaign_at) WHERE counts AND person IS NOT NULL",
    # --- the ledger: decisions, sealed in order ------------------------------------------------------------------
    "ALTER TABLE decisions ADD COLUMN salt bytea NOT NULL DEFAULT sha256(gen_random_uuid()::text::bytea)",
    "ALTER TABLE decisions ADD COLUMN facts jsonb NOT NULL DEFAULT '{}'",
    """
    CREATE TABLE ledger (
        seq bigint PRIMARY KEY CHECK (seq > 0),
        decision_id bigint NOT NULL UNIQUE,
        digest bytea NOT NULL,
        link bytea NOT NULL,
        sealed_at timestamptz NOT NULL DEFAULT clock_timestamp()
    )
    """,
    # The sealer's queue: every decision enters it by trigger, whoever writes it, and leaves it with its ledger row.
    # So a decision that commits late is found like any other, and a tick costs what is new, not what is old.
    # Rows live for a second: it is vacuumed whenever autovacuum comes by, and without pauses.
    """
    CREATE TABLE unsealed (decision_id bigint PRIMARY KEY) WITH (
        autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_cost_delay = 0)
    """,
    "INSERT INTO unsealed SELECT id FROM decisions",
    """
    CREATE FUNCTION await_sealing() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO unsealed VALUES (NEW.id);
        RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER decisions_await_sealing AFTER INSERT ON decisions
        FOR EACH ROW EXECUTE FUNCTION await_sealing()
    """,
    # A call that waits may be refused for the same reason again and again: the first is a decision, the rest a count.
    """
    CREATE TABLE repeated_refusals (
        call_id bigint NOT NULL,
        rule_id text NOT NULL,
        next_allowed_at timestamptz,
        times bigint NOT NULL DEFAULT 1,
        last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (call_id, rule_id)
    )
    """,
    *(
        statement
        for table in ("revocation_returns", "reassigned_answers", "rulings", "approvals", "ledger")
        for statement in (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            # A row trigger does not see TRUNCATE.
            f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        )
    ),
]


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the record has no way back: restore a backup instead")
