"""Vapi's `endedReason` for each simulated outcome."""

from campaigns.simulator.dialect import Endings

VAPI_ENDINGS = Endings(
    by_outcome={
        "answered": {
            "customer-ended-call": 0.55,
            "assistant-ended-call": 0.35,
            "assistant-said-end-call-phrase": 0.05,
            "silence-timed-out": 0.05,
        },
        "voicemail": {"voicemail": 1.0},
        "no_answer": {
            "customer-did-not-answer": 0.95,
            "call.in-progress.error-providerfault-outbound-sip-480-temporarily-unavailable": 0.05,
        },
        "busy": {"customer-busy": 1.0},
        "rejected": {"vonage-rejected": 1.0},
        "invalid_number": {"twilio-reported-customer-misdialed": 0.5, "sip-outbound-unallocated-number": 0.5},
        "provider_error": {
            "call.start.error-vapifault-get-org": 0.4,
            "call.in-progress.error-providerfault-outbound-sip-503-service-unavailable": 0.4,
            "call.in-progress.error-vapifault-worker-not-available": 0.2,
        },
        "pipeline_error": {
            "pipeline-error-openai-llm-failed": 0.5,
            "call.in-progress.error-providerfault-eleven-labs-500-server-error": 0.5,
        },
        "config_error": {"call.start.error-get-assistant": 1.0},
    },
    over_limit="call.start.error-subscription-concurrency-limit-reached",
    stopped="manually-canceled",
    unscheduled="scheduled-call-deleted",
)
