"""A local Confluent Cloud, as far as the provisioning commands can see one.

    with Standin() as standin:
        ...  # CONFLUENT_CLOUD_URL=standin.url, key standin.key, secret standin.secret

`standin.state` is what stands, `standin.calls` what was asked and answered, `standin.faults` what shall go
wrong; `seed` puts other people's things in, `picture` compares what stands.
Flink statements go through their phases and make tables; they compute nothing.
"""

from .exchanges import Exchange
from .faults import KINDS, Fault, Faults
from .picture import picture, strangers
from .service import DEMO_KEY, DEMO_SECRET, Standin
from .timings import CLOUD, INSTANT, Timings

__all__ = [
    "CLOUD",
    "DEMO_KEY",
    "DEMO_SECRET",
    "INSTANT",
    "KINDS",
    "Exchange",
    "Fault",
    "Faults",
    "Standin",
    "Timings",
    "picture",
    "strangers",
]
