"""What can go wrong between this machine and Confluent Cloud, and what the person can do about it.

ProvisioningError        a message for a person: what failed, whether running again helps, where to look
├── ApiError             the service answered no; carries call, status, code, detail and request id
├── OutcomeUnknown       a POST was sent and its answer lost: look before sending it again
├── NetworkError         no answer at all
│   └── NameUnknown      the DNS does not know the host: of a new cluster, not yet
├── WaitTimeout          something did not reach its state in time; names the last state seen
├── NameTaken            something of that name is there and is not ours
└── Refused              the configuration or what stands forbids it
    └── Declined         the person said no
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

import requests
import urllib3.exceptions


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
        """Whether the thing was deleted, or never there. Of most deleted things the control plane says 403, because
        it no longer knows who may see them. So it says of what this key may not see; Api.find tells these two
        apart. A data plane's 403 is a no."""
        return self.status == 404 or self.hidden

    @property
    def hidden(self) -> bool:
        """Whether the thing is gone, or not for this key. A key that is not accepted also gives 403, and says so."""
        seen = self.failure
        return seen.status == 403 and seen.plane == "Cloud" and "invalid API key" not in seen.detail


class OutcomeUnknown(ProvisioningError):
    pass


class NetworkError(ProvisioningError):
    pass


class NameUnknown(NetworkError):
    pass


class WaitTimeout(ProvisioningError):
    pass


class NameTaken(ProvisioningError):
    pass


class Refused(ProvisioningError):
    pass


class Declined(Refused):
    pass


# From a refused call or a broken connection to words that help.

LOOPBACK = ("127.0.0.1", "localhost", "::1")
KEYS = "https://confluent.cloud/settings/api-keys"
ACCESS = "https://confluent.cloud/settings/org/accounts"
QUOTAS = "https://docs.confluent.io/cloud/current/quotas/overview.html"
STATUS = "https://status.confluent.cloud"
ROLES = "https://docs.confluent.io/cloud/current/security/access-control/rbac/predefined-rbac-roles.html"

AGAIN = "Running the same command again goes on from here."
QUOTA_WORDS = re.compile(r"currently limited to|quota|limit (of|is) \d|maximum number", re.IGNORECASE)
NOT_AGAIN = "Running again changes nothing until that is put right."


def api_error(failure: Failure) -> ApiError:
    problem, again, look = _words(failure)
    return ApiError(failure, problem, again, look)


def _words(failure: Failure) -> tuple[str, str, str]:
    if failure.status in (401, 403):
        if failure.plane != "Cloud":
            return (
                f"The {failure.plane} API key of the lab is not accepted by {failure.plane} (yet).",
                f"New keys and roles take minutes to be known everywhere; the key is kept. {AGAIN}",
                f"{KEYS} (it must be a {failure.plane} key of this environment)",
            )
        if failure.status == 401:
            return (
                "Confluent Cloud does not accept the API key. It has to be a Cloud API key (scope 'Cloud resource "
                "management'); a key for Kafka, Schema Registry or Flink belongs to that one resource and fails here.",
                "A key that was made a minute ago may still be on its way; else running again does not help.",
                f"{KEYS} (or: confluent api-key create --resource cloud)",
            )
        return (
            "The Cloud API key is accepted, but its owner may not do this: building the lab needs the role "
            "OrganizationAdmin, because only that may create environments and service accounts.",
            "Running again helps once the owner of the key has the role.",
            f"{ACCESS} and {ROLES}",
        )
    if failure.status == 402 or (400 <= failure.status < 429 and QUOTA_WORDS.search(failure.detail)):
        which = failure.code if failure.status == 402 and failure.code else "its words are below"
        return (
            f"A quota of your Confluent Cloud organisation is reached ({which}).",
            "Running again helps only after something was deleted or the quota was raised.",
            QUOTAS,
        )
    if failure.status == 429:
        return (
            "Confluent Cloud asks to slow down, and still does after several waits.",
            _later("a few minutes"),
            STATUS,
        )
    if failure.status >= 500:
        return "Confluent Cloud has trouble of its own.", _later("some minutes"), STATUS
    if failure.status == 409:
        return "The service refuses because of something that is there already.", NOT_AGAIN, ""
    return "The service refuses this call.", NOT_AGAIN, ""


def _later(when: str) -> str:
    return f"{AGAIN} Wait {when} first."


def network_error(error: requests.RequestException, url: str) -> NetworkError:
    host = urlsplit(url).hostname or url
    if isinstance(error, requests.exceptions.ProxyError):
        return NetworkError(
            f"The proxy in HTTPS_PROXY (or HTTP_PROXY) did not let the call to {host} through.",
            "Running again helps once the proxy answers, or NO_PROXY names the host, or the variable is unset.",
        )
    if isinstance(error, requests.exceptions.SSLError):
        return NetworkError(
            f"Whoever answered for {host} could not prove to be it (TLS). A sign-in page of the Wi-Fi or an "
            "inspecting company proxy does that.",
            f"Sign in to the network, or name the company's certificate in REQUESTS_CA_BUNDLE. {AGAIN}",
        )
    if isinstance(error, requests.exceptions.Timeout):
        return NetworkError(f"{host} did not answer in time, several times over.", AGAIN, STATUS)
    reason = getattr(error.args[0], "reason", None) if error.args else None
    unknown = isinstance(reason, urllib3.exceptions.NameResolutionError)
    if host in LOOPBACK and not unknown:
        return NetworkError(
            f"The stand-in at {host}:{urlsplit(url).port} cannot be reached.",
            "Start it (python -m provisioning.standin), or unset CONFLUENT_CLOUD_URL for the real service. What stood "
            "in a stand-in is gone with it: teardown_confluent then forgets it, and clears config.yaml.",
        )
    return (NameUnknown if unknown else NetworkError)(
        f"{host} cannot be reached from here: no network, no name resolution, or a firewall.",
        f"Check the connection. {AGAIN}",
        STATUS,
    )


def certificate_file(error: OSError) -> NetworkError:
    return NetworkError(
        f"The certificates that prove who answers cannot be read: {error}",
        "Running again helps once REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) names a file that is there, or is unset.",
    )


def incomplete(call: str, name: str) -> ProvisioningError:
    """The error for an answer without a field that everything else hangs on, such as an id."""
    return ProvisioningError(
        f"The service's answer to {call} does not hold {name!r}, which this command cannot do without.",
        f"{AGAIN} If it stays so, the service has changed: docs/confluent.md says how to record what it answers.",
    )


def not_the_api(url: str) -> NetworkError:
    host = urlsplit(url).hostname or url
    return NetworkError(
        f"{host} answered with something that is not the API's JSON. A sign-in page of the Wi-Fi or a proxy "
        "may stand in between.",
        f"Open any page in a browser and sign in to the network. {AGAIN}",
    )
