"""The first schema: from campaign file to outcomes.

Plain SQL, because the queries are plain SQL too: what stands here is what the planner sees.
Instants are `timestamptz`. Two clocks meet in these tables: columns marked "campaign clock" follow the
campaign's own clock (equal to the machine's except for simulator rehearsals); all others are machine time.
"""

from alembic import op

revision = "0001"
down_revision = None

SCHEMA = [
    # --- the one row that says whether anything may dial, and which rules are in force -------------------
    """
    CREATE TABLE system (
        id boolean PRIMARY KEY DEFAULT true CHECK (id),
        stopped boolean NOT NULL DEFAULT false,
        changed_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        changed_by text NOT NULL DEFAULT 'migration',
        rules_digest text,
        tzdata_version text
    )
    """,
    "INSERT INTO system DEFAULT VALUES",
    """
    CREATE TABLE accounts (
        name text PRIMARY KEY,
        provider text NOT NULL,
        limit_group text NOT NULL,
        simulator boolean NOT NULL,
        concurrency integer NOT NULL CHECK (concurrency > 0),
        calls_per_second double precision NOT NULL CHECK (calls_per_second > 0),
        ring_timeout interval NOT NULL,
        max_duration interval NOT NULL,
        reconcile_after interval[] NOT NULL CHECK (cardinality(reconcile_after) = 2),
        webhooks boolean NOT NULL,
        paused_reason text,
        cooldown_until timestamptz,
        config_errors integer NOT NULL DEFAULT 0,
        clock_skew interval NOT NULL DEFAULT interval '0',
        released_at timestamptz
    )
    """,
    # Proof that a worker takes messages; its own table, so that workers never wait for the feed's account lock.
    """
    CREATE TABLE consumption (
        limit_group text PRIMARY KEY,
        consumed_at timestamptz NOT NULL
    )
    """,
    "CREATE INDEX accounts_limit_group ON accounts (limit_group)",
    # Dial instants. `gaps` are free stretches left behind when a slower scope made a dial wait.
    """
    CREATE TABLE pace (
        scope text PRIMARY KEY,
        next_at timestamptz NOT NULL,
        gaps jsonb NOT NULL DEFAULT '[]'
    )
    """,
    # --- campaign → version → run → customer = call → attempt --------------------------------------------
    """
    CREATE TABLE campaigns (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        name text NOT NULL UNIQUE,
        account text NOT NULL REFERENCES accounts,
        state text NOT NULL DEFAULT 'active' CHECK (state IN ('active', 'paused', 'cancelled')),
        state_reason text,
        webhook_token text NOT NULL,
        priority integer NOT NULL DEFAULT 0,
        weight integer NOT NULL DEFAULT 1 CHECK (weight > 0),
        calls_per_second double precision CHECK (calls_per_second > 0),
        concurrency integer CHECK (concurrency > 0),
        dial_budget bigint CHECK (dial_budget > 0),
        lines text[] NOT NULL CHECK (cardinality(lines) > 0),
        line_daily_limit integer CHECK (line_daily_limit > 0),
        clock_campaign_at timestamptz,
        clock_machine_at timestamptz,
        clock_speed double precision NOT NULL DEFAULT 1 CHECK (clock_speed > 0),
        next_run_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        created_by text NOT NULL,
        CHECK ((clock_campaign_at IS NULL) = (clock_machine_at IS NULL)),
        CHECK (clock_campaign_at IS NOT NULL OR clock_speed = 1)
    )
    """,
    "CREATE INDEX campaigns_account ON campaigns (account)",
    "CREATE INDEX campaigns_next_run ON campaigns (next_run_at) WHERE next_run_at IS NOT NULL",
    """
    CREATE TABLE campaign_versions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        campaign_id bigint NOT NULL REFERENCES campaigns,
        number integer NOT NULL,
        digest text NOT NULL,
        source text NOT NULL,
        definition jsonb NOT NULL,
        customers_path text,
        submitted_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        submitted_by text NOT NULL,
        UNIQUE (campaign_id, number)
    )
    """,
    """
    CREATE TABLE runs (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        campaign_id bigint NOT NULL REFERENCES campaigns,
        version_id bigint NOT NULL REFERENCES campaign_versions,
        slot_at timestamptz,
        earliest_at timestamptz NOT NULL,
        latest_at timestamptz NOT NULL,
        state text NOT NULL CHECK (state IN ('expanding', 'active', 'finished', 'skipped')),
        state_reason text,
        source_digest text,
        cursor_row bigint NOT NULL DEFAULT 0,
        rows_read bigint NOT NULL DEFAULT 0,
        rows_rejected bigint NOT NULL DEFAULT 0,
        expanded_at timestamptz,
        finished_at timestamptz,
        created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        CHECK (latest_at > earliest_at)
    )
    """,
    # A cron slot launches at most one run, and a campaign version at most one run by hand,
    # however many beats tick and however often a file is submitted.
    "CREATE UNIQUE INDEX runs_slot ON runs (campaign_id, slot_at) WHERE slot_at IS NOT NULL",
    "CREATE UNIQUE INDEX runs_by_hand ON runs (version_id) WHERE slot_at IS NULL",
    "CREATE INDEX runs_open ON runs (campaign_id) WHERE state IN ('expanding', 'active')",
    """
    CREATE TABLE zone_groups (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        run_id bigint NOT NULL REFERENCES runs,
        key text NOT NULL,
        UNIQUE (run_id, key)
    )
    """,
    """
    CREATE TABLE customers (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        run_id bigint NOT NULL REFERENCES runs,
        row_number bigint NOT NULL,
        number text NOT NULL,
        name text,
        external_id text,
        person text,
        state text,
        zip text,
        timezone text,
        line_type text NOT NULL DEFAULT 'unknown',
        consent_level text,
        consent_at timestamptz,
        consent_source text,
        consent_seller text,
        restriction smallint NOT NULL,
        variables jsonb NOT NULL DEFAULT '{}',
        UNIQUE (run_id, number)
    )
    """,
    """
    CREATE TABLE rejects (
        run_id bigint NOT NULL REFERENCES runs,
        row_number bigint NOT NULL,
        reason text NOT NULL,
        detail text NOT NULL,
        original text NOT NULL,
        PRIMARY KEY (run_id, row_number)
    )
    """,
    """
    CREATE TABLE calls (
        id bigint PRIMARY KEY REFERENCES customers,
        run_id bigint NOT NULL REFERENCES runs,
        campaign_id bigint NOT NULL REFERENCES campaigns,
        group_id bigint NOT NULL REFERENCES zone_groups,
        number text NOT NULL,
        state text NOT NULL CHECK (state IN ('scheduled', 'queued', 'dialing', 'in_progress', 'fate_unknown',
            'completed', 'exhausted', 'blocked', 'expired', 'cancelled', 'failed')),
        reason text,
        epoch integer NOT NULL DEFAULT 0,
        due_at timestamptz,
        closes_at timestamptz,
        lease_until timestamptz,
        line text,
        attempts integer NOT NULL DEFAULT 0,
        requests integer NOT NULL DEFAULT 0,
        final_at timestamptz,
        CHECK ((state IN ('completed', 'exhausted', 'blocked', 'expired', 'cancelled', 'failed'))
            = (final_at IS NOT NULL)),
        CHECK (final_at IS NULL OR reason IS NOT NULL),
        CHECK (state <> 'scheduled' OR (due_at IS NOT NULL AND closes_at IS NOT NULL)),
        CHECK (state <> 'queued' OR lease_until IS NOT NULL)
    )
    """,
    # due_at, closes_at: campaign clock. One seek per zone group and run; a paused run costs nothing.
    "CREATE INDEX calls_due ON calls (run_id, group_id, due_at) WHERE state = 'scheduled'",
    "CREATE INDEX calls_lapse ON calls (run_id, closes_at) WHERE state = 'scheduled'",
    "CREATE INDEX calls_queued ON calls (campaign_id, lease_until) WHERE state = 'queued'",
    "CREATE INDEX calls_open ON calls (run_id) WHERE state IN ('dialing', 'in_progress', 'fate_unknown')",
    "CREATE INDEX calls_number ON calls (number)",
    """
    CREATE TABLE attempts (
        id uuid PRIMARY KEY,
        call_id bigint NOT NULL REFERENCES calls,
        attempt_no integer NOT NULL,
        run_id bigint NOT NULL,
        campaign_id bigint NOT NULL REFERENCES campaigns,
        account text NOT NULL REFERENCES accounts,
        number text NOT NULL,
        line text NOT NULL,
        epoch integer NOT NULL,
        task_id text,
        state text NOT NULL CHECK (state IN
            ('dialing', 'in_progress', 'ended', 'fate_unknown', 'not_dialed', 'closed')),
        campaign_at timestamptz NOT NULL,
        claimed_at timestamptz NOT NULL,
        send_by timestamptz NOT NULL,
        requested_at timestamptz,
        provider_call_id text,
        connected boolean NOT NULL DEFAULT false,
        counts boolean NOT NULL DEFAULT true,
        outcome text,
        ended_reason text,
        detail text,
        check_at timestamptz,
        absences integer NOT NULL DEFAULT 0,
        needs_person boolean NOT NULL DEFAULT false,
        ended_at timestamptz,
        closed_at timestamptz,
        duration interval,
        cost_usd double precision,
        UNIQUE (call_id, attempt_no),
        CHECK ((state IN ('not_dialed', 'closed')) = (closed_at IS NOT NULL)),
        CHECK (state <> 'closed' OR outcome IS NOT NULL)
    )
    """,
    # check_at: when the next look is due (rescue, poll, reconcile), by state and deadline, unbounded in age.
    "CREATE INDEX attempts_check ON attempts (state, check_at) WHERE closed_at IS NULL",
    "CREATE INDEX attempts_number ON attempts (number, campaign_at) WHERE counts",
    "CREATE INDEX attempts_line ON attempts (line, campaign_at) WHERE counts",
    "CREATE INDEX attempts_provider_call ON attempts (provider_call_id) WHERE provider_call_id IS NOT NULL",
    "CREATE INDEX attempts_campaign ON attempts (campaign_id) WHERE counts",
    # One row a live attempt: at once the slot of the account and the lock on the person's number.
    """
    CREATE TABLE live (
        number text PRIMARY KEY,
        attempt_id uuid NOT NULL UNIQUE,
        call_id bigint NOT NULL,
        campaign_id bigint NOT NULL,
        limit_group text NOT NULL,
        holds_slot boolean NOT NULL DEFAULT true,
        hold_until timestamptz NOT NULL
    )
    """,
    "CREATE INDEX live_slots ON live (campaign_id) WHERE holds_slot",
    "CREATE INDEX live_hold ON live (hold_until)",
    # Lines that their provider refuses for now (free numbers have a daily limit): nobody asks again until then.
    """
    CREATE TABLE line_holds (
        line text PRIMARY KEY,
        held_until timestamptz NOT NULL
    )
    """,
    # --- what providers tell us -----------------------------------------------------------------------------
    """
    CREATE TABLE inbox (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        account text NOT NULL,
        dedupe_key text NOT NULL,
        event_type text NOT NULL,
        attempt_id uuid,
        provider_call_id text,
        report jsonb,
        state text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'unmatched', 'done', 'stored', 'foreign')),
        received_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        next_try_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        processed_at timestamptz,
        UNIQUE (account, dedupe_key)
    )
    """,
    "CREATE INDEX inbox_waiting ON inbox (next_try_at) WHERE state IN ('new', 'unmatched')",
    """
    CREATE TABLE alarms (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        raised_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        kind text NOT NULL,
        attempt_id uuid,
        detail text NOT NULL
    )
    """,
    # --- who may be called: append-only ---------------------------------------------------------------------
    """
    CREATE TABLE consents (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        number text NOT NULL,
        level text NOT NULL CHECK (level IN ('pewc', 'pec')),
        seller text NOT NULL,
        purpose text CHECK (purpose IN ('telemarketing', 'informational', 'debt_collection', 'emergency')),
        obtained_at timestamptz NOT NULL,
        source text NOT NULL CHECK (source <> ''),
        run_id bigint REFERENCES runs,
        row_number bigint,
        source_digest text,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        recorded_by text NOT NULL
    )
    """,
    "CREATE INDEX consents_number ON consents (number)",
    """
    CREATE UNIQUE INDEX consents_once
        ON consents (number, level, seller, coalesce(purpose, ''), obtained_at, source)
    """,
    """
    CREATE TABLE revocations (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        number text NOT NULL,
        scope text NOT NULL CHECK (scope IN ('all', 'seller', 'purpose', 'campaign')),
        scope_value text,
        effective_at timestamptz NOT NULL,
        channel text NOT NULL,
        recorded_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        recorded_by text NOT NULL,
        CHECK ((scope = 'all') = (scope_value IS NULL))
    )
    """,
    "CREATE INDEX revocations_number ON revocations (number)",
    """
    CREATE TABLE suppressions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        number text NOT NULL,
        list_name text NOT NULL,
        scope text NOT NULL DEFAULT 'all' CHECK (scope IN ('all', 'seller', 'campaign')),
        scope_value text,
        source text NOT NULL,
        added_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        added_by text NOT NULL,
        removed_at timestamptz,
        removed_by text,
        CHECK ((scope = 'all') = (scope_value IS NULL))
    )
    """,
    "CREATE INDEX suppressions_number ON suppressions (number) WHERE removed_at IS NULL",
    # --- the record -----------------------------------------------------------------------------------------
    """
    CREATE TABLE decisions (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        call_id bigint NOT NULL,
        attempt_id uuid,
        decided_at timestamptz NOT NULL,
        campaign_at timestamptz NOT NULL,
        verdict text NOT NULL CHECK (verdict IN ('permit', 'refusal')),
        rule_id text,
        next_allowed_at timestamptz,
        consent_id bigint,
        zones text[] NOT NULL,
        jurisdictions text[] NOT NULL,
        rules_digest text NOT NULL,
        tzdata_version text NOT NULL,
        checks jsonb NOT NULL,
        CHECK ((verdict = 'refusal') = (rule_id IS NOT NULL)),
        CHECK ((verdict = 'permit') = (attempt_id IS NOT NULL))
    )
    """,
    "CREATE INDEX decisions_call ON decisions (call_id)",
    """
    CREATE TABLE operations (
        id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        happened_at timestamptz NOT NULL DEFAULT clock_timestamp(),
        operator text NOT NULL,
        action text NOT NULL,
        subject text NOT NULL,
        detail text NOT NULL DEFAULT ''
    )
    """,
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'table % is append-only', TG_TABLE_NAME;
    END $$
    """,
    *(
        statement
        for table in ("consents", "revocations", "decisions", "operations")
        for statement in (
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            # A row trigger does not see TRUNCATE.
            f"CREATE TRIGGER {table}_never_emptied BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()",
        )
    ),
    # The campaign clock: machine time, or a rehearsal's offset and speed. Volatile on purpose: `now()` would
    # be the transaction's start, and a permit must not be older than its facts.
    """
    CREATE FUNCTION campaign_now(campaign_at timestamptz, machine_at timestamptz, speed double precision)
    RETURNS timestamptz LANGUAGE sql VOLATILE AS $$
        SELECT CASE WHEN campaign_at IS NULL THEN clock_timestamp()
               ELSE campaign_at + (clock_timestamp() - machine_at) * speed END
    $$
    """,
]


def upgrade() -> None:
    for statement in SCHEMA:
        op.execute(statement)


def downgrade() -> None:
    raise RuntimeError("the first schema has no way back: restore a backup instead")
