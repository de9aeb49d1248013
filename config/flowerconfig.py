"""Settings of Flower, the view into Celery: `celery -A workers.app flower --conf=config/flowerconfig.py`.

Flower can revoke tasks and shut workers down, so it listens on this machine only and is read-only, unless told
otherwise. Its own `FLOWER_*` environment variables, such as FLOWER_BASIC_AUTH, still count.
"""

import os
from typing import Any

import tornado.web
from flower.views.monitor import Metrics

from config.logging import mask_numbers

# This file is applied after Flower's environment variables, so each default here lets its variable win.
address = os.environ.get("FLOWER_ADDRESS", "127.0.0.1")
port = int(os.environ.get("FLOWER_PORT", "5555"))
read_only = os.environ.get("FLOWER_READ_ONLY", "true").lower() in ("1", "true", "yes")

SHOWN_TEXTS = ("args", "kwargs", "result", "exception", "traceback")


def format_task(task: Any) -> Any:
    """The task as the pages show it, with anything like a phone number masked.

    Our tasks carry ids only. This is the second belt, for the day somebody forgets; it covers the pages, not the API.
    """
    for name in SHOWN_TEXTS:
        if text := getattr(task, name, None):
            setattr(task, name, mask_numbers(str(text)))
    return task


# Flower leaves /metrics open even when everything else asks for a password; its manual shows this very wrapping.
# Prometheus then needs the password too. Without any authentication configured it changes nothing.
Metrics.get = tornado.web.authenticated(Metrics.get)
