"""One message may carry two phones of one person: the second must be judged with the first attempt counted."""

from campaigns.services.ports import CallRef

HOME, MOBILE = "+13055550101", "+13055550102"


def test_two_phones_of_one_person_in_one_group_are_not_permitted_together(world):
    """The feed packs up to fifty calls into a message, and one claim judges them all on facts read once."""
    spring = world.campaign()
    phones = [world.call(spring, number) for number in (HOME, MOBILE)]
    for call_id in phones:
        world.sql("UPDATE customers SET person = 'p-1' WHERE id = :id", id=call_id)
    world.feed.run("g")
    refs = [CallRef(row.id, row.epoch) for row in world.sql("SELECT id, epoch FROM calls ORDER BY id")]
    world.claim.run(refs, campaign_id=spring, task_id="task-1")
    assert world.one("SELECT count(*) FROM attempts") == 1, "calls to one person keep an hour apart (POL-GAP)"
