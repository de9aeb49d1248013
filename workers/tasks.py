"""The tasks: each takes ids, calls one service, and returns nothing that Flower could show of a person.

An exception's text ends up in Flower and in the log, so a failed task is logged by its name and ids, and what went
wrong by its type; the rows in Postgres still hold the work, and a tick finds it again.
"""

from celery import Task

from campaigns.services.ports import CallRef
from workers.app import app
from workers.lifecycle import runtime


@app.task(name="ringfence.dispatch", bind=True)
def dispatch(self: "Task[..., None]", *, campaign_id: int, calls: list[tuple[int, int]]) -> None:
    """Dial these calls: pairs of call id and epoch, all of one campaign."""
    refs = [CallRef(call_id=call_id, epoch=epoch) for call_id, epoch in calls]
    runtime().dispatch.begin(refs, campaign_id=campaign_id, task_id=self.request.id or "local")


@app.task(name="ringfence.feed")
def feed(*, limit_group: str) -> None:
    """Release what this limit group has room for."""
    runtime().feed.run(limit_group)


@app.task(name="ringfence.tick_feed")
def tick_feed() -> None:
    """Feed every limit group that has open work."""
    runtime().feed.run_all()


@app.task(name="ringfence.process_inbox")
def process_inbox() -> None:
    """Turn received webhooks into outcomes, and act on people who called us."""
    runtime().inbox.process()
    runtime().callers.process()


@app.task(name="ringfence.ask_back")
def ask_back() -> None:
    """Cancel calls that wait at a provider for people who revoked."""
    runtime().ask_back.run()


@app.task(name="ringfence.late_ring")
def late_ring() -> None:
    """Take back calls that were accepted and do not ring."""
    runtime().late_ring.run()


@app.task(name="ringfence.purge")
def purge() -> None:
    """Delete conversations and webhooks that were kept for long enough."""
    runtime().purge.run()


@app.task(name="ringfence.hand_over")
def hand_over() -> None:
    """Give calls to a provider that is to dial them at their time."""
    runtime().provider_schedule.run()


@app.task(name="ringfence.rescue")
def rescue() -> None:
    """Bring back what a dead worker or a lost message left behind; see whether a backup left calls behind."""
    runtime().restored.run()
    runtime().rescue.run()


@app.task(name="ringfence.poll")
def poll() -> None:
    """Ask the providers after calls that should be over."""
    runtime().poll.run()


@app.task(name="ringfence.reconcile")
def reconcile() -> None:
    """Find out what became of attempts of unknown fate."""
    runtime().reconcile.run()


@app.task(name="ringfence.audit_calls")
def audit_calls() -> None:
    """Compare one account's calls of the last day with the record, once its day is over."""
    runtime().daily_audit.run()


@app.task(name="ringfence.roll_on")
def roll_on() -> None:
    """Give calls whose opening has passed their next one."""
    runtime().roll_on.run()


@app.task(name="ringfence.seal")
def seal() -> None:
    """Put committed decisions into the ledger's chain."""
    runtime().seal.run()


@app.task(name="ringfence.launch_due")
def launch_due() -> None:
    """Launch the runs whose slot has come, and take up every expansion that waits or was interrupted."""
    for run_id in runtime().launch_due.run():
        expand.apply_async(kwargs={"run_id": run_id})


@app.task(name="ringfence.expand")
def expand(*, run_id: int) -> None:
    """Read a run's customer list; a run that is being expanded already is left alone."""
    runtime().expand.run(run_id)
