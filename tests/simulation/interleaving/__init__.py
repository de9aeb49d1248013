"""Deterministic simulation: the real services on a virtual clock, over the real SQL, in an order that a seed chooses.

    dice ─▶ chaos ─▶ stage (one actor runs at a time, to its next pause) ─▶ services ─▶ Postgres, whose clock is virtual
                        │                                                       └─▶ a provider in memory, with faults
                        └─ after every commit and every request: promises

Nothing here waits for real time, and nothing happens that the seed did not choose: a failing seed fails again.
"""
