"""Expansion: every row is a customer or a reject, once, however often the process is killed."""

import csv
import signal
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from campaigns.services.expand import SourceChangedError, SourceUnreadableError
from campaigns.services.launch_due import LaunchDue
from campaigns.services.rejects_export import export_rejects
from campaigns.store.expansion import only_expander
from campaigns.store.expansion_chunks import Chunk, CursorMovedError, write_chunk

HEADER = "phone,state,consent,at,form"
COLUMNS = {
    "file": "list.csv",
    "defaultRegion": "US",
    "columns": {
        "number": "phone",
        "state": "state",
        "consentLevel": "consent",
        "consentAt": "at",
        "consentSource": "form",
    },
}
WRITTEN = "pewc,2026-10-01T00:00:00Z,form"
EXPRESS = "pec,2026-10-01T00:00:00Z,form"


def numbers(count: int) -> list[str]:
    """Different 555-01XX numbers of places whose calling hours the rules know."""
    codes = ["212", "303", "312", "404", "206", "602", "713", "617", "215", "704"]
    return [f"+1{codes[n % 10]}55501{n // 10:02d}" for n in range(count)]


def books(world: Any, run_id: int) -> Any:
    """Rows read, rows rejected, customers, calls."""
    (row,) = world.query(
        """
        SELECT rows_read, (SELECT count(*) FROM rejects WHERE run_id = :id),
            (SELECT count(*) FROM customers WHERE run_id = :id), (SELECT count(*) FROM calls WHERE run_id = :id)
        FROM runs WHERE id = :id AND rows_rejected = (SELECT count(*) FROM rejects WHERE run_id = :id)
        """,
        id=run_id,
    )
    return row


def test_a_list_becomes_customers_with_one_scheduled_call_each(world: Any) -> None:
    run_id = world.launched("(212) 555-0100,,,,", "303-555-0101,,,,", header=HEADER, customers=COLUMNS)
    assert world.query("SELECT number, state, campaign_id = 1 FROM calls ORDER BY id") == [
        ("+12125550100", "scheduled", True),
        ("+13035550101", "scheduled", True),
    ]
    assert world.query("SELECT state, expanded_at IS NOT NULL FROM runs WHERE id = :id", id=run_id) == [
        ("active", True)
    ]


def test_a_call_is_due_at_its_first_legal_opening(world: Any) -> None:
    """At 07:00 in New York, on a Tuesday, before the campaign's own 08:00: Phoenix opens later than New York."""
    world.launched(
        "+12125550100",
        "+16025550100",
        at=datetime(2026, 12, 1, 12, tzinfo=UTC),
        callingHours={"mon-fri": "09:00-19:00"},
    )
    new_york, phoenix = world.query("SELECT due_at, closes_at FROM calls ORDER BY id")
    assert new_york == (datetime(2026, 12, 1, 14, tzinfo=UTC), datetime(2026, 12, 1, 23, 59, tzinfo=UTC))
    assert phoenix == (datetime(2026, 12, 1, 16, tzinfo=UTC), datetime(2026, 12, 2, 1, 59, tzinfo=UTC))


def test_a_call_whose_hours_have_begun_is_due_at_once(world: Any) -> None:
    world.launched("+12125550100")
    (due_at,) = world.query("SELECT due_at FROM calls")
    assert abs((due_at - datetime(2026, 12, 1, 17, tzinfo=UTC)).total_seconds()) < 30


def test_a_call_without_any_opening_before_the_end_is_expired_with_its_reason(world: Any) -> None:
    world.launched("+12125550100", callingHours={"sun": "12:00-12:30"}, window=tuesday_only())
    assert world.query("SELECT state, reason, final_at IS NOT NULL, due_at FROM calls") == [
        ("expired", "no_opening_before_latest_at", True, None)
    ]


def test_a_number_that_may_never_be_dialed_is_scheduled_for_the_gate_to_refuse(world: Any) -> None:
    world.launched("+18005550100")
    assert world.query("SELECT state, g.key FROM calls JOIN zone_groups g ON g.id = group_id") == [
        ("scheduled", "NUM-TOLLFREE")
    ]


def test_bad_rows_are_rejects_with_reason_and_original_text(world: Any) -> None:
    run_id = world.launched(
        "+12125550100,,,,", "12,,,,", "+12125550101", f"+12125550102,XX,{WRITTEN}", header=HEADER, customers=COLUMNS
    )
    rejects = world.query("SELECT row_number, reason, original FROM rejects ORDER BY row_number")
    assert [(row, original) for row, _, original in rejects] == [
        (2, "12,,,,"),
        (3, "+12125550101"),
        (4, f"+12125550102,XX,{WRITTEN}"),
    ]
    assert [reason for _, reason, _ in rejects[1:]] == ["short_row", "state"]
    assert books(world, run_id) == (4, 3, 1, 1)


@pytest.mark.parametrize("chunk_rows", [1, 2, 1000])
def test_of_one_number_twice_the_most_restrictive_row_wins(world: Any, chunk_rows: int) -> None:
    rows = (f"+12125550100,NY,{WRITTEN}", "+13035550100,,,,", f"212-555-0100,NY,{EXPRESS}", f"+12125550100,,{WRITTEN}")
    run_id = world.launched(*rows, header=HEADER, customers=COLUMNS, chunk_rows=chunk_rows)
    assert world.query("SELECT row_number, consent_level FROM customers WHERE number = '+12125550100'") == [(3, "pec")]
    assert world.query("SELECT row_number, reason, original FROM rejects ORDER BY row_number") == [
        (1, "duplicate", rows[0]),
        (4, "duplicate", rows[3]),
    ]
    assert books(world, run_id) == (4, 2, 2, 2)


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["+12125550100", "212-555-0100", "+13035550101", "+14045550102", "bad"]),
        st.sampled_from(["", "NY", "CO"]),
        st.sampled_from(["none,,", WRITTEN, EXPRESS, "pewc,2026-08-01T00:00:00Z,form", ",,"]),
    ).map(",".join),
    min_size=1,
    max_size=12,
)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_the_result_does_not_depend_on_the_chunks(world: Any, rows: list[str]) -> None:
    outcomes = []
    for chunk_rows in (1, 3, 1000):
        (campaigns,) = world.query("SELECT count(*) FROM campaigns")
        run_id = world.launched(
            *rows, header=HEADER, customers=COLUMNS, campaign=f"c{campaigns}", chunk_rows=chunk_rows
        )
        read, rejected, customers, calls = books(world, run_id)
        assert (read, rejected + customers, calls) == (len(rows), len(rows), customers)
        kept = world.query("SELECT number, row_number, state FROM customers WHERE run_id = :id ORDER BY 1", id=run_id)
        out = world.query("SELECT row_number, reason, original FROM rejects WHERE run_id = :id ORDER BY 1", id=run_id)
        outcomes.append((kept, out))
    assert outcomes[0] == outcomes[1] == outcomes[2]


def test_consents_come_from_the_rows_else_from_the_campaign(world: Any) -> None:
    world.launched(
        f"+12125550100,,{EXPRESS}", "+13035550101,,,,", "+14045550102,,none,,", header=HEADER, customers=COLUMNS
    )
    assert world.query(
        "SELECT number, level, seller, obtained_at, source, row_number FROM consents ORDER BY number"
    ) == [
        ("+12125550100", "pec", "Example Energy, Inc.", datetime(2026, 10, 1, tzinfo=UTC), "form", 1),
        ("+13035550101", "pewc", "Example Energy, Inc.", datetime(2026, 9, 1, tzinfo=UTC), "Renewal form v3", 2),
    ]


def test_a_consent_on_record_is_not_repeated_by_the_next_campaign(world: Any) -> None:
    world.launched("+12125550100")
    world.launched("+12125550100", campaign="autumn")
    assert world.query("SELECT count(*) FROM consents") == [1]


def test_inline_customers_go_the_same_way(world: Any) -> None:
    customer = {
        "number": "212-555-0100",
        "name": "Ann",
        "state": "NY",
        "consent": {"level": "pec", "obtainedAt": "2026-09-02T00:00:00Z", "source": "call"},
        "variables": {"plan": "gold"},
    }
    world.launched(customers={"list": [customer, {"number": "1"}], "defaultRegion": "US"})
    assert world.query("SELECT number, name, state, consent_level, variables FROM customers") == [
        ("+12125550100", "Ann", "NY", "pec", {"plan": "gold"})
    ]
    assert world.query("SELECT row_number, original FROM rejects") == [(2, '{"number": "1"}')]


def test_unmapped_columns_are_variables(world: Any) -> None:
    world.launched('+12125550100,"gold, ""A"" \\N"', header="phone,plan")
    assert world.query("SELECT variables FROM customers") == [{"plan": 'gold, "A" \\N'}]


def test_expanding_again_does_nothing(world: Any) -> None:
    run_id = world.launched("+12125550100")
    assert world.expand(run_id) is None
    assert books(world, run_id) == (1, 0, 1, 1)


def test_only_one_process_expands_a_run(world: Any) -> None:
    run_id = world.submit("+12125550100").run_id
    with only_expander(world.engine, run_id) as other:
        assert other is not None
        assert world.expand(run_id) is None
    assert world.expand(run_id) is not None


def test_nothing_of_a_run_may_be_dialed_before_all_of_it_is_written(world: Any) -> None:
    run_id = world.submit(*numbers(4)).run_id
    world.write_list(*numbers(3), "changed")
    with pytest.raises(SourceChangedError):
        world.expand(run_id)
    assert world.query("SELECT state FROM runs") == ["expanding"]


def test_a_list_that_changed_is_refused_on_resume_until_it_is_put_back(world: Any) -> None:
    run_id = world.submit(*numbers(4)).run_id
    world.write_list(*numbers(5))
    with pytest.raises(SourceChangedError, match="Put the old content back"):
        world.expand(run_id)
    (reason,) = world.query("SELECT state_reason FROM runs")
    assert "list.csv changed" in reason
    world.write_list(*numbers(4))
    world.expand(run_id)
    assert books(world, run_id) == (4, 0, 4, 4)
    assert world.query("SELECT state, state_reason FROM runs") == [("active", None)]


def test_a_list_that_is_gone_waits_for_a_person(world: Any) -> None:
    run_id = world.submit("+12125550100").run_id
    (world.folder / "list.csv").unlink()
    with pytest.raises(SourceUnreadableError, match="put the file back"):
        world.expand(run_id)
    assert world.query("SELECT state FROM runs") == ["expanding"]


def test_a_campaign_cancelled_before_its_expansion_calls_nobody(world: Any) -> None:
    run_id = world.submit("+12125550100").run_id
    world.execute("UPDATE campaigns SET state = 'cancelled'")
    assert world.expand(run_id) is None
    LaunchDue(world.engine).run()  # the tick that closes what is done
    assert world.query("SELECT state, state_reason FROM runs") == [("finished", "campaign_cancelled")]


CANCEL_WHILE_READING = """
    CREATE FUNCTION cancel_now() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN UPDATE campaigns SET state = 'cancelled'; RETURN NULL; END $$;
    CREATE TRIGGER cancel_now AFTER INSERT ON customers EXECUTE FUNCTION cancel_now();
"""


def test_a_campaign_cancelled_during_its_expansion_calls_nobody(world: Any) -> None:
    world.execute(CANCEL_WHILE_READING)
    world.launched(*numbers(6), chunk_rows=2)
    assert world.query("SELECT DISTINCT state, reason FROM calls") == [("cancelled", "campaign_cancelled")]
    assert world.query("SELECT count(*) FROM calls") == [6]


def test_a_chunk_that_does_not_continue_the_last_one_is_not_written(world: Any) -> None:
    run = world.submit("+12125550100")
    chunk = Chunk(first_row_after=7, last_row=8, rows_read=1, added=[], replaced={}, rejects=[])
    with pytest.raises(CursorMovedError), world.engine.begin() as connection:
        write_chunk(connection, chunk, run_id=run.run_id, campaign_id=run.campaign_id)
    assert world.query("SELECT cursor_row, rows_read FROM runs") == [(0, 0)]


KILLED = """
import sys
from pathlib import Path
from campaigns.runtime.law import gatekeeper
from campaigns.services.expand import Expand
from campaigns.store.engine import open_engine
print("ready", flush=True)
Expand(open_engine(sys.argv[1]), gatekeeper(), chunk_rows=20).run(int(sys.argv[2]))
"""


@pytest.mark.parametrize("kill_after", [0, 1, 60, 200, 390])
def test_an_expansion_killed_anywhere_loses_and_doubles_nobody(world: Any, database_url: str, kill_after: int) -> None:
    """`kill -9` once so many rows are committed, then go on."""
    rows = [*numbers(380), *numbers(10), *["bad"] * 10]
    run_id = world.submit(*rows).run_id
    process = subprocess.Popen([sys.executable, "-c", KILLED, database_url, str(run_id)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    while process.poll() is None:
        if world.query("SELECT rows_read FROM runs")[0] >= kill_after:
            process.send_signal(signal.SIGKILL)
            break
    process.stdout.close()
    process.wait()
    while world.expand(run_id, chunk_rows=20) is None and world.query("SELECT state FROM runs") == ["expanding"]:
        """The server has not yet noticed that the killed process is gone."""
    assert books(world, run_id) == (400, 20, 380, 380)
    assert world.query("SELECT state FROM runs") == ["active"]
    assert world.query("SELECT count(*), count(DISTINCT number) FROM calls") == [(380, 380)]
    assert world.query("SELECT count(*) FROM consents") == [380]
    assert world.query("SELECT count(*) FROM rejects WHERE original = ''") == [0]


def test_rejects_are_exported_with_their_original_rows(world: Any, tmp_path: Path) -> None:
    world.launched("+12125550100,,,,", "=cmd(),,,,", "12,NY,,,", header=HEADER, customers=COLUMNS)
    path = tmp_path / "rejects.csv"
    assert export_rejects(world.engine, "spring", path) == 2
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["row"], row["original"]) for row in rows] == [("2", "'=cmd(),,,,"), ("3", "12,NY,,,")]
    assert path.stat().st_mode & 0o077 == 0


def tuesday_only() -> dict[str, str]:
    return {"earliestAt": "2026-12-01T08:00:00-05:00", "latestAt": "2026-12-01T20:00:00-05:00"}
