"""The reckoning at the end of the demo: from rows to final states, and what became of each part."""

from collections.abc import Iterator, Mapping

from rich.table import Table

from campaigns.calls.states import FINAL_CALL_STATES
from campaigns.cli.demo.run import DemoResult
from campaigns.cli.status_view import STATE_COLOURS


def funnel(result: DemoResult) -> Table:
    """Rows → rejected → calls → refused → dialed → outcomes → final."""
    status = result.status
    table = Table(
        title="From list to last outcome", title_justify="left", box=None, header_style="bold", pad_edge=False
    )
    table.add_column("step")
    table.add_column("count", justify="right")
    table.add_column("what of it")
    table.add_row("rows on the list", str(status.customers), "")
    table.add_row("rejected rows", str(status.rejected), "none is skipped in silence: each has a reason on record")
    _details(table, status.rejects_by_reason)
    table.add_row("calls to make", str(sum(status.by_state.values())), "one a customer")
    refusals = sum(status.refusals_by_rule.values())
    table.add_row("refusals by the gate", str(refusals), "each with its rule on record; some only wait for their hour")
    _details(table, status.refusals_by_rule)
    table.add_row("dials", str(status.dials), "requests to the provider, second tries included")
    _details(table, status.by_outcome)
    table.add_row("final", str(status.final), "every customer, with a reason")
    _details(table, dict(_final_states(status.by_state)))
    table.add_row("double dials", str(result.witness.double_dials), "counted by the provider, not by us")
    return table


def pace_line(result: DemoResult) -> str:
    """What the provider saw, and how long it took."""
    witness = result.witness
    return (
        f"{witness.dials} dials seen by the provider, at most {witness.most_in_flight} at one time; "
        f"{result.seconds:.0f} s in all"
    )


def _details(table: Table, numbers: Mapping[str, int]) -> None:
    for name, count in numbers.items():
        if count:
            table.add_row("", str(count), f"  {name}", style="dim")


def _final_states(by_state: Mapping[str, int]) -> Iterator[tuple[str, int]]:
    return ((state, by_state.get(state, 0)) for state in STATE_COLOURS if state in FINAL_CALL_STATES)
