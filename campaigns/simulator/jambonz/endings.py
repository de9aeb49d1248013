"""The SIP status with which a simulated outcome ends at jambonz."""

from campaigns.simulator.dialect import Endings

ANSWERED = "200 OK"
NOT_TAKEN = "487 Request Terminated"
"""Nobody picked up in time, or we gave up."""
LIMIT_REACHED = "503 Maximum Calls In Progress"
"""The account's call limit is told by SIP, after the create was answered 201."""

JAMBONZ_ENDINGS = Endings(
    by_outcome={
        "answered": {ANSWERED: 1.0},
        "voicemail": {ANSWERED: 1.0},
        "pipeline_error": {ANSWERED: 1.0},
        "no_answer": {NOT_TAKEN: 0.9, "480 Temporarily Unavailable": 0.05, "408 Request Timeout": 0.05},
        "busy": {"486 Busy Here": 0.9, "600 Busy Everywhere": 0.1},
        "rejected": {"603 Decline": 0.8, "607 Unwanted": 0.1, "608 Rejected": 0.1},
        "invalid_number": {
            "404 Not Found": 0.5,
            "484 Address Incomplete": 0.2,
            "410 Gone": 0.1,
            "604 Does Not Exist Anywhere": 0.2,
        },
        "provider_error": {
            "503 Service Unavailable": 0.4,
            "500 Internal Server Error": 0.3,
            "502 Bad Gateway": 0.15,
            "504 Server Timeout": 0.15,
        },
        "config_error": {
            "403 Forbidden": 0.5,
            "488 Not Acceptable Here": 0.3,
            "407 Proxy Authentication Required": 0.2,
        },
    },
    over_limit=LIMIT_REACHED,
    stopped=NOT_TAKEN,
    unscheduled=NOT_TAKEN,
)
