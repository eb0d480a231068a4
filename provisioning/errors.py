"""What can go wrong between this machine and Confluent Cloud, and what the person can do about it.

ProvisioningError        a message for a person: what failed, whether running again helps, where to look
├── ApiError             the service answered no; carries call, status, code, detail and request id
├── OutcomeUnknown       a POST was sent and its answer lost: look before sending it again
├── NetworkError         no answer at all
├── WaitTimeout          something did not reach its state in time; names the last state seen
├── NameTaken            something of that name is there and is not ours
└── Refused              the person said no, or the configuration forbids it
"""

from __future__ import annotations

from dataclasses import dataclass


class ProvisioningError(Exception):
    """problem: what failed. again: whether running again helps. look: where in the console or the docs."""

    def __init__(self, problem: str, again: str = "", look: str = "") -> None:
        super().__init__(problem)
        self.problem, self.again, self.look = problem, again, look

    def __str__(self) -> str:
        return "\n".join(filter(None, (self.problem, self.again, self.look and f"Look: {self.look}")))


@dataclass(frozen=True, slots=True)
class Failure:
    """One refused call. plane: Cloud, Kafka, Schema Registry or Flink."""

    plane: str
    method: str
    path: str
    status: int
    code: str = ""
    detail: str = ""
    request_id: str = ""

    @property
    def call(self) -> str:
        return f"{self.method} {self.path}"


class ApiError(ProvisioningError):
    def __init__(self, failure: Failure, problem: str, again: str = "", look: str = "") -> None:
        super().__init__(problem, again, look)
        self.failure = failure

    def __str__(self) -> str:
        seen = self.failure
        service = f"{seen.call} answered {seen.status}" + (f" ({seen.code})" if seen.code else "")
        said = f"The service says: {seen.detail}" if seen.detail else "The service gives no detail."
        request = f"Request id: {seen.request_id}" if seen.request_id else "The answer had no request id."
        lines = (self.problem, service, said, request, self.again, self.look and f"Look: {self.look}")
        return "\n".join(filter(None, lines))

    @property
    def status(self) -> int:
        return self.failure.status

    @property
    def gone(self) -> bool:
        """Deleted, or never there. Of most deleted things the control plane says 403: it no longer knows who may see
        them. So it says of what this key may not see; Api.find tells these two apart. A data plane's 403 is a no."""
        return self.status == 404 or self.hidden

    @property
    def hidden(self) -> bool:
        """Gone, or not for this key. A key that is not accepted also gives 403, and says so."""
        seen = self.failure
        return seen.status == 403 and seen.plane == "Cloud" and "invalid API key" not in seen.detail


class OutcomeUnknown(ProvisioningError):
    pass


class NetworkError(ProvisioningError):
    pass


class WaitTimeout(ProvisioningError):
    pass


class NameTaken(ProvisioningError):
    pass


class Refused(ProvisioningError):
    pass
