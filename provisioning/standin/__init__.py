"""A local Confluent Cloud, as far as the provisioning commands can see one.

    with Standin() as standin:
        ...  # CONFLUENT_CLOUD_URL=standin.url, key standin.key, secret standin.secret

`standin.state` is what stands, `standin.calls` what was asked and answered, `standin.faults` what shall go
wrong.
Flink statements go through their phases and make tables; they compute nothing.
"""

from .administrator import DEMO_KEY, DEMO_SECRET
from .answers import Answers
from .app import Standin
from .faults import KINDS, Fault, Faults
from .latencies import CLOUD, INSTANT, Latencies
from .request_log import Exchange

__all__ = [
    "CLOUD",
    "DEMO_KEY",
    "DEMO_SECRET",
    "INSTANT",
    "KINDS",
    "Answers",
    "Exchange",
    "Fault",
    "Faults",
    "Latencies",
    "Standin",
]
