"""The sealer: one at a time, nothing skipped, cheap, soon; and its heads outside the database."""

import json
import threading
import time
import tracemalloc
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import event, text

from campaigns.files.ledger_heads import HeadsFile, HeadsFileError, read_heads
from campaigns.services import seal as sealing
from campaigns.services.seal import Seal

WRITERS = 4


def test_an_empty_record_is_intact_and_says_so(ledger):
    assert ledger.seal.run() == 0
    found = ledger.verify()

    assert (found.intact, found.sealed, found.as_dict()["head"]) == (True, 0, None)
    assert ledger.audit.head() is None


def test_what_waits_for_its_seal_is_counted_with_its_age(ledger):
    ledger.decide(3)
    found = ledger.verify()

    assert (found.intact, found.sealed, found.unsealed) == (True, 0, 3)
    assert timedelta() < found.oldest_unsealed < timedelta(minutes=1)


def test_a_decision_committed_late_is_sealed_after_those_that_overtook_it(ledger, write_decisions):
    with ledger.database.begin() as slow:
        (late,) = write_decisions(slow, 1)
        overtaking = ledger.decide(2)
        assert ledger.seal.run() == 2, "an open transaction holds no seal back"
    assert ledger.seal.run() == 1

    sealed = [row.decision_id for row in ledger.all("SELECT decision_id FROM ledger ORDER BY seq")]
    assert sealed == [*overtaking, late]
    assert late < min(overtaking)
    assert ledger.verify().intact


def test_a_decision_that_was_rolled_back_leaves_no_gap_in_the_chain(ledger, write_decisions):
    with ledger.database.connect() as connection:
        write_decisions(connection, 3)
        connection.rollback()
    ledger.decide(2)
    ledger.seal.run()

    assert (ledger.verify().intact, ledger.verify().head.seq) == (True, 2)


def test_more_than_one_chunk_waits_and_all_is_sealed_in_one_tick(ledger, monkeypatch):
    monkeypatch.setattr(sealing, "CHUNK", 10)
    ledger.decide(35)

    assert ledger.seal.run() == 35
    assert ledger.verify().intact


def test_two_sealers_never_fork_the_chain(ledger):
    ledger.decide(500)
    with ThreadPoolExecutor(4) as pool:
        sealed = list(pool.map(lambda _: Seal(ledger.database).run(), range(8)))

    assert sum(sealed) == 500
    assert ledger.verify().intact


def test_a_sealer_that_comes_second_leaves_at_once(ledger):
    ledger.decide()
    with ledger.database.begin() as first:
        from campaigns.store.ledger import become_sealer

        assert become_sealer(first)
        assert ledger.seal.run() == 0
    assert ledger.seal.run() == 1


def test_none_is_lost_and_each_is_sealed_within_two_seconds_while_four_writers_commit_out_of_order(
    ledger, write_decisions
):
    writing = threading.Event()
    writing.set()

    def write(writer):
        for turn in range(40):
            with ledger.database.begin() as connection:
                write_decisions(connection, 5 + writer)
                # Hold the transaction open for as long as a slow statement takes, differently each time.
                connection.execute(text("SELECT pg_sleep(:s)"), {"s": (turn * 7 + writer * 3) % 5 / 100})

    def seal():
        while writing.is_set():
            ledger.seal.run()
            threading.Event().wait(0.25)

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        sealer = pool.submit(seal)
        for done in [pool.submit(write, writer) for writer in range(WRITERS)]:
            done.result()
        writing.clear()
        sealer.result()
    ledger.seal.run()

    expected = 40 * sum(5 + writer for writer in range(WRITERS))
    found = ledger.verify()
    assert (found.intact, found.sealed, found.unsealed) == (True, expected, 0)
    assert ledger.one("SELECT count(DISTINCT decision_id) FROM ledger") == expected
    # `decided_at` is read before the commit, so this is more than the sealer's own share.
    slowest = ledger.one(
        "SELECT max(l.sealed_at - d.decided_at) FROM ledger l JOIN decisions d ON d.id = l.decision_id"
    )
    assert slowest < timedelta(seconds=2)
    assert ledger.one(
        "SELECT bool_or(a.decision_id > b.decision_id) FROM ledger a JOIN ledger b ON b.seq = a.seq + 1"
    ), "some did commit out of order"


@pytest.mark.timeout(180)
def test_a_hundred_thousand_decisions_are_verified_in_bounded_memory(ledger):
    for _ in range(4):
        ledger.decide(25_000)
    while ledger.seal.run():
        pass
    tracemalloc.start()
    started = time.monotonic()
    found = ledger.verify()
    elapsed = time.monotonic() - started
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (found.intact, found.sealed) == (True, 100_000)
    assert peak < 32 * 1024 * 1024
    assert elapsed < 120


def test_a_tick_looks_up_what_waits_and_walks_nothing_that_is_sealed(ledger):
    ledger.decide(20_000)
    ledger.sql("ANALYZE")  # the planner believes from here on that the queue is as long as the record
    while ledger.seal.run():
        pass
    ledger.decide(10)
    asked = []
    event.listen(ledger.database, "before_cursor_execute", lambda *told: asked.append((told[2], told[3])))
    ledger.seal.run()
    queries = [
        (statement, values) for statement, values in asked if statement.lstrip().startswith(("SELECT", "DELETE"))
    ]

    assert len(queries) >= 4
    for statement, values in queries:
        with ledger.database.begin() as connection:
            plan = json.dumps(connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", values).scalar_one())
        for walked in ("decisions", "ledger"):
            assert (
                f'"Seq Scan", "Parallel Aware": false, "Async Capable": false, "Relation Name": "{walked}"' not in plan
            )
        assert "Merge Join" not in plan
        assert "Hash" not in plan


# --- heads outside the database -----------------------------------------------------------------------------------


@pytest.fixture
def heads(tmp_path):
    return HeadsFile(tmp_path / "home" / "ledger-heads.jsonl")


def test_the_sealer_leaves_a_head_outside_at_most_once_a_minute(ledger, heads):
    sealer = Seal(ledger.database, heads)
    ledger.decide()
    sealer.run()
    ledger.decide()
    sealer.run()

    (exported,) = read_heads(heads.path)
    assert exported.head.seq == 1
    assert ledger.audit.verify([exported]).intact


def test_an_unchanged_head_is_not_written_again(ledger, heads):
    ledger.decide()
    ledger.seal.run()
    head = ledger.audit.head()

    assert heads.append(head)
    assert not heads.append(head)
    assert len(read_heads(heads.path)) == 1


def test_sealing_goes_on_when_the_heads_cannot_be_written(ledger, tmp_path, caplog):
    (tmp_path / "in-the-way").write_text("")
    ledger.decide()

    assert Seal(ledger.database, HeadsFile(tmp_path / "in-the-way" / "heads.jsonl")).run() == 1
    assert "ledger_head_not_exported" in caplog.text


@pytest.mark.parametrize(
    ("content", "line"),
    [
        ("not json\n", 1),
        ('{"seq": 0, "link": "00", "sealed_at": "2026-12-01T00:00:00+00:00"}\n', 1),
        ('{"seq": 5}\n', 1),
        ("", None),
    ],
)
def test_a_file_that_holds_no_heads_is_refused_with_its_line(tmp_path, content, line):
    path = tmp_path / "heads.jsonl"
    path.write_text(content)
    with pytest.raises(HeadsFileError) as caught:
        read_heads(path)

    assert caught.value.line == line


def test_a_file_of_heads_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(HeadsFileError, match="there is no file"):
        read_heads(tmp_path / "none.jsonl")
