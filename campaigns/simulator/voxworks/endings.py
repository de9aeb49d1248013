"""Voxworks' final statuses for each simulated outcome, as the automation screen names them."""

from campaigns.simulator.dialect import Endings

HANG_UP = "hang-up"
CANCELLED = "cancelled"

VOXWORKS_ENDINGS = Endings(
    by_outcome={
        "answered": {"completed": 1.0},
        "voicemail": {"voicemail": 1.0},
        "no_answer": {"rang-out": 0.8, "User unavailable": 0.2},
        # There is no word for a busy line; this is the nearest.
        "busy": {"User unavailable": 1.0},
        "rejected": {"User rejected": 1.0},
        "invalid_number": {"failed": 1.0},
        "provider_error": {"failed": 1.0},
        "pipeline_error": {"dropout": 1.0},
        "config_error": {"failed": 1.0},
    },
    over_limit="failed",
    stopped=CANCELLED,
    unscheduled=CANCELLED,
)
