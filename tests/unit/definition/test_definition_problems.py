"""Every kind of mistake: told once, in one sentence, at its line and column."""

from collections.abc import Callable

import pytest

from campaigns.definition import DefinitionError, Problem, dump_definition, load_definition, parse_definition

Problems = Callable[[str | bytes], tuple[Problem, ...]]
Spoil = Callable[[str, str], str]

SPOILT = [
    # (piece of the good file, what stands there instead, line, column, path, a part of the message)
    ("campaign: spring-renewal", "campaign: Spring Renewal", 1, 11, "campaign", "small letters"),
    ("campaign: spring-renewal", "campaign:", 1, 10, "campaign", "found nothing"),
    ("purpose: telemarketing", "purpose: telemarketting", 2, 10, "purpose", "did you mean telemarketing?"),
    ("purpose: telemarketing\n", "", 1, 1, "purpose", "the key purpose is missing"),
    ("seller: Example Energy, Inc.", "seller: " + "x" * 1001, 3, 9, "seller", "longer than 1,000 characters"),
    ("seller: Example Energy, Inc.", 'seller: " "', 3, 9, "seller", "may not be empty"),
    ("id: 6f1c2a90", "id: [a, b]", 5, 17, "assistant.id", "found a list"),
    ("id: 6f1c2a90, ", "", 5, 1, "assistant", "exactly one of id, inline"),
    ("id: 6f1c2a90", "id: x, squadId: y", 5, 20, "assistant.squadId", "cannot stand beside id"),
    ("variables: {firstName", "variabels: {firstName", 5, 27, "assistant.variabels", "did you mean variables?"),
    ('"{plan}"', "{plan}", 5, 66, "assistant.variables.plan", "must be quoted"),
    ('"{plan}"', '"{{plan}}"', 5, 66, "assistant.variables.plan", "single braces"),
    ('"{plan}"', '"{plan"', 5, 66, "assistant.variables.plan", "no partner"),
    ('"{plan}"', '"{ }"', 5, 66, "assistant.variables.plan", "braces are empty"),
    ("[pn-1, pn-2]", "[]", 6, 15, "lines.pool", "at least one"),
    ("[pn-1, pn-2]", "pn-1", 6, 15, "lines.pool", "allowed: a list"),
    ("[pn-1, pn-2]", "[pn-1, pn-1]", 6, 15, "lines.pool", "pn-1 stands twice"),
    ("choose: nearest", "choose: random", 6, 37, "lines.choose", "rotate, nearest"),
    ("perLineDailyLimit: 200", "perLineDailyLimit: 0", 6, 65, "lines.perLineDailyLimit", "at least 1"),
    ("perLineDailyLimit: 200", "perLineDailyLimit: many", 6, 65, "lines.perLineDailyLimit", "whole number"),
    ("perLineDailyLimit: 200", "perLineDailyLimit: 2.5", 6, 65, "lines.perLineDailyLimit", "whole number"),
    ("perLineDailyLimit: 200", "perLinDailyLimit: 200", 6, 46, "lines.perLinDailyLimit", "perLineDailyLimit?"),
    ("  file: customers.csv\n", "", 7, 1, "customers", "exactly one of file, list"),
    ("file: customers.csv", "file: customers.xlsx", 8, 9, "customers.file", ".csv or .jsonl"),
    ("file: customers.csv", "file: [a.csv]", 8, 9, "customers.file", "name of a file"),
    ("defaultRegion: US", "defaultRegion: UK", 9, 18, "customers.defaultRegion", "did you mean GB?"),
    ("defaultRegion: US", "defaultRegion: America", 9, 18, "customers.defaultRegion", "two-letter code"),
    ("state: st", "sate: st", 10, 55, "customers.columns.sate", "did you mean state?"),
    ("level: pewc", "level: written", 11, 18, "consent.level", "pewc, pec"),
    ("obtainedAt: 2026-09-01T00:00:00Z", "obtainedAt: 2026-09-01", 11, 36, "consent.obtainedAt", "date without a time"),
    (', source: "Renewal form v3"', "", 11, 1, "consent.source", "the key source is missing"),
    ("earliestAt: 2026-12-01T08:00:00-05:00", "earliestAt: 2026-12-01T08:00", 12, 22, "window.earliestAt", "-05:00"),
    ("earliestAt: 2026-12-01T08", "earliestAt: 2026-13-01T08", 12, 22, "window.earliestAt", "no date and time"),
    ("earliestAt: 2026-12-01T08", "earliestAt: 1026-12-01T08", 12, 22, "window.earliestAt", "2000 to 2199"),
    ("latestAt: 2026-12-12", "latestAt: 2026-11-12", 12, 59, "window.latestAt", "not after earliestAt"),
    ("2026-12-12T20:00:00-05:00", "2026-12-01T08:00:30-05:00", 12, 59, "window.latestAt", "over before it begins"),
    ("mon-fri: 09", "mon-fry: 09", 13, 16, "callingHours.mon-fry", "did you mean mon-fri?"),
    ("mon-fri: 09", "Monday: 09", 13, 16, "callingHours.Monday", "did you mean mon?"),
    ("mon-fri: 09", "mon-wed-fri: 09", 13, 16, "callingHours.mon-wed-fri", "no weekday"),
    ("sat: 10:00-16:00", "fri: 10:00-16:00", 13, 15, "callingHours", "fri is given twice"),
    ("sat: 10:00-16:00", "sat: 16:00-10:00", 13, 43, "callingHours.sat", "end is not after the start"),
    ("sat: 10:00-16:00", "sat: 24:00-24:00", 13, 43, "callingHours.sat", "24:00 is no time of day"),
    ("sat: 10:00-16:00", "sat: 10-16", 13, 43, "callingHours.sat", "these are no hours"),
    ("{mon-fri: 09:00-19:00, sat: 10:00-16:00}", "{}", 13, 15, "callingHours", "nobody could ever be called"),
    ('cron: "0 9 * * 1-5"', 'cron: "@daily"', 14, 18, "schedule.cron", "this has 1 field;"),
    ('cron: "0 9 * * 1-5"', 'cron: "0 0 9 * * 1-5"', 14, 18, "schedule.cron", "this has 6 fields"),
    ('cron: "0 9 * * 1-5"', "cron: [0, 9]", 14, 18, "schedule.cron", "one text"),
    ('cron: "0 9 * * 1-5"', f'cron: "{"1," * 200}1 9 * * 1"', 14, 18, "schedule.cron", "longer than 250"),
    ('cron: "0 9 * * 1-5"', 'cron: "0 9 * * 5#2"', 14, 18, "schedule.cron", "characters that no cron has"),
    ("America/New_York", "America/New_Yrok", 14, 43, "schedule.timezone", "did you mean America/New_York?"),
    ("runFor: 10h", "runFor: 10", 14, 69, "schedule.runFor", "no duration"),
    ("runFor: 10h", "runFor: 0s", 14, 69, "schedule.runFor", "too short"),
    ("runFor: 10h", "runFor: 400d", 14, 69, "schedule.runFor", "up to a year"),
    ("overlap: skip", "overlap: never", 14, 83, "schedule.overlap", "skip, queue, allow"),
    ("callsPerSecond: 2", "callsPerSecond: 0", 15, 26, "pacing.callsPerSecond", "greater than 0"),
    ("callsPerSecond: 2", "callsPerSecond: fast", 15, 26, "pacing.callsPerSecond", "allowed: a number"),
    ("callsPerSecond: 2", "callsPerSecond: .nan", 15, 26, "pacing.callsPerSecond", "allowed: a number"),
    ("maxAttempts: 4", "maxAttempts: 400", 16, 24, "retries.maxAttempts", "at most 100"),
    ("maxAttempts: 4", "maxAttempts: 1", 16, 38, "retries.ladder", "with one attempt the ladder has no effect"),
    ("busy: [", "answered: [", 16, 69, "retries.ladder.answered", "the person was reached"),
    ("busy: [", "bussy: [", 16, 69, "retries.ladder.bussy", "did you mean busy?"),
    ("[10m, 1h]", "[10m, soon]", 16, 81, "retries.ladder.busy[1]", "no duration"),
    ("voicemail: {action: hangUp}", "voicemail: {action: leaveMessage}", 17, 1, "voicemail.message", "needs a message"),
    ("action: hangUp", "action: hangUp, message: Hi", 17, 29, "voicemail.message", "leaves no message"),
    ("cost: 500.00", "cost: $500", 18, 30, "budget.cost", "US dollars"),
    ("cost: 500.00", "cost: 0.00001", 18, 30, "budget.cost", "4 decimal places"),
    ("[booked, opt_out]", "[" + "a, " * 101 + "]", 19, 26, "stopWhen.dispositions", "a list of at most 100"),
    ("[booked, opt_out]", "[booked, opt out]", 19, 35, "stopWhen.dispositions[1]", "one word"),
    ("stopWhen:", "stopwhen:", 19, 1, "stopwhen", "did you mean stopWhen?"),
    ("stopWhen: {dispositions: [booked, opt_out]}", "endGuard: 2h", 19, 11, "endGuard", "at most 1h"),
    ("stopWhen: {dispositions: [booked, opt_out]}", "weight: true", 19, 9, "weight", "whole number"),
    ("stopWhen: {dispositions: [booked, opt_out]}", "<<: {weight: 2}", 19, 1, "", "merge key"),
    ("stopWhen: {dispositions: [booked, opt_out]}", "account: other", 19, 1, "account", "stands already in line 4"),
]


@pytest.mark.parametrize(("piece", "instead", "line", "column", "path", "part"), SPOILT)
def test_a_mistake_is_told_once_at_its_line_and_column(
    spoil: Spoil, problems_of: Problems, piece: str, instead: str, line: int, column: int, path: str, part: str
) -> None:
    (problem,) = problems_of(spoil(piece, instead))
    assert (problem.line, problem.column, problem.path) == (line, column, path)
    assert part in problem.message


SPOILT_INLINE = [
    ('number: "+12125550123", ', "", 9, 7, "customers.list[0].number", "number is missing"),
    ("zip: 02134", "zpi: 02134", 9, 43, "customers.list[0].zpi", "did you mean zip?"),
    ("level: pec", "level: oral", 11, 24, "customers.list[1].consent.level", "pewc, pec"),
    ("source: form", "sauce: form", 11, 63, "customers.list[1].consent.sauce", "did you mean source?"),
    ("variables: {plan: gold}", "variables: {paln: gold}", 9, 55, "customers.list[0].variables.plan", "mean paln?"),
    (
        "variables: {plan: gold}",
        "variables: {plan: gold, number: x}",
        9,
        79,
        "customers.list[0].variables.number",
        "number is taken",
    ),
    ("name: Ann", "timezone: Mars", 9, 42, "customers.list[0].timezone", "no time zone"),
    ("name: Ann", "lineType: cell", 9, 42, "customers.list[0].lineType", "mobile, landline, voip, unknown"),
    ("  list:\n", "  columns: {number: a}\n  list:\n", 8, 3, "customers.columns", "columns only with file"),
    ("  list:\n", "  file: a.csv\n  list:\n", 9, 3, "customers.list", "cannot stand beside file"),
]


@pytest.mark.parametrize(("piece", "instead", "line", "column", "path", "part"), SPOILT_INLINE)
def test_a_mistake_in_an_inline_customer_is_told_at_its_line_and_column(
    spoil_inline: Spoil, problems_of: Problems, piece: str, instead: str, line: int, column: int, path: str, part: str
) -> None:
    found = {problem.path: problem for problem in problems_of(spoil_inline(piece, instead))}
    problem = found[path]
    assert (problem.line, problem.column) == (line, column)
    assert part in problem.message


def test_every_mistake_is_told_at_once_in_the_order_of_the_file(good: str, problems_of: Problems) -> None:
    text = (
        good.replace("purpose: tele", "purpose: telle")
        .replace("latestAt: 2026-12-12", "latestAt: 2026-11-12")
        .replace("perDay", "perday")
        .replace("stopWhen", "account")
        .replace("10m", "10x")
    )
    assert [(each.line, each.path) for each in problems_of(text)] == [
        (2, "purpose"),
        (12, "window.latestAt"),
        (16, "retries.perday"),
        (16, "retries.ladder.busy[0]"),
        (19, "account"),
    ]


def test_all_missing_keys_are_named(problems_of: Problems) -> None:
    paths = {problem.path for problem in problems_of("campaign: a\n")}
    assert paths == {"purpose", "seller", "account", "assistant", "lines", "customers", "window"}


def test_more_than_ten_thousand_inline_customers_belong_into_a_file(inline: str, problems_of: Problems) -> None:
    rows = "".join(f'    - {{number: "+1212555{n % 10_000:04}", variables: {{plan: a}}}}\n' for n in range(10_001))
    start, end = inline.index('    - {number: "+1212'), inline.index("window:")
    (problem,) = problems_of(inline[:start] + rows + inline[end:])
    assert problem.path == "customers.list"
    assert "there are 10,001 customers; allowed: at most 10,000" in problem.message


def test_a_problem_has_the_shape_that_json_output_prints(spoil: Spoil, problems_of: Problems) -> None:
    (problem,) = problems_of(spoil("perDay: 2", "perday: 2"))
    assert problem.as_dict() == {
        "file": "spring.yaml",
        "line": 16,
        "column": 27,
        "path": "retries.perday",
        "found": "perday",
        "allowed": "maxAttempts, perDay, ladder, ambiguous",
        "nearest": "perDay",
        "message": 'the key "perday" is not known here; did you mean perDay?',
    }


def test_a_problem_is_one_line_for_a_terminal(spoil: Spoil, problems_of: Problems) -> None:
    (problem,) = problems_of(spoil("purpose: telemarketing", "purpose: sales"))
    assert problem.render() == (
        'spring.yaml:2:10: purpose: found "sales"; allowed: telemarketing, informational, debt_collection, emergency'
    )


def test_what_a_file_says_does_not_steer_the_terminal(spoil: Spoil, problems_of: Problems) -> None:
    (problem,) = problems_of(spoil("purpose: telemarketing", 'purpose: "\\e[2Jx\\ny"'))
    assert problem.render().isprintable()


@pytest.mark.parametrize(
    "customer", ['{number: ["+12125550123"]}', '"+12125550123"', '{number: "+1", name: {Ann: 1}, zip: "+12125550123 "}']
)
def test_no_message_repeats_who_a_customer_is(spoil_inline: Spoil, problems_of: Problems, customer: str) -> None:
    problems = problems_of(
        spoil_inline('{number: "+12125550123", name: Ann, zip: 02134, variables: {plan: gold}}', customer)
    )
    told = " ".join(f"{each.found} {each.message}" for each in problems)
    assert "5550123" not in told
    assert "Ann" not in told


def test_the_error_itself_names_places_and_no_values(spoil: Spoil) -> None:
    with pytest.raises(DefinitionError) as caught:
        parse_definition(spoil("seller: Example Energy, Inc.", "seller: {Ann: 1}").encode(), file="spring.yaml")
    assert str(caught.value) == "1 problem in spring.yaml, the first at line 3, column 9 (seller)"


def test_a_stored_definition_with_values_of_other_kinds_is_refused(good: str) -> None:
    stored = dump_definition(parse_definition(good.encode(), file="a.yaml"))
    with pytest.raises(DefinitionError) as caught:
        load_definition(stored | {"priority": True, "weight": 1.5, "budget": 7, "endGuard": 60})
    assert {problem.path: problem.found for problem in caught.value.problems} == {
        "priority": '"True"',
        "weight": "1.5",
        "budget": "7",
        "endGuard": "60",
    }


def test_a_stored_definition_that_is_none_is_refused_without_a_place() -> None:
    with pytest.raises(DefinitionError) as caught:
        load_definition({"campaign": "a"})
    assert caught.value.problems[0].line is None
    assert "no place" in str(caught.value)
