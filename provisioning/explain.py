"""From a refused call or a broken connection to words that help."""

from __future__ import annotations

from urllib.parse import urlsplit

import requests

from provisioning.errors import ApiError, Failure, NetworkError

LOOPBACK = ("127.0.0.1", "localhost", "::1")
KEYS = "https://confluent.cloud/settings/api-keys"
ACCESS = "https://confluent.cloud/settings/org/accounts"
QUOTAS = "https://docs.confluent.io/cloud/current/quotas/overview.html"
STATUS = "https://status.confluent.cloud"
ROLES = "https://docs.confluent.io/cloud/current/security/access-control/rbac/predefined-rbac-roles.html"

AGAIN = "Running the same command again goes on from here."
NOT_AGAIN = "Running again changes nothing until that is put right."


def api_error(failure: Failure) -> ApiError:
    problem, again, look = _words(failure)
    return ApiError(failure, problem, again, look)


def _words(failure: Failure) -> tuple[str, str, str]:
    if failure.status in (401, 403):
        return _not_allowed(failure)
    if failure.status == 402:
        return (
            f"A quota of your Confluent Cloud organisation is reached ({failure.code or 'no code given'}).",
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


def _not_allowed(failure: Failure) -> tuple[str, str, str]:
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
    if host in LOOPBACK:
        return NetworkError(
            f"The stand-in at {host}:{urlsplit(url).port} cannot be reached.",
            "Start it (python -m provisioning.standin), or unset CONFLUENT_CLOUD_URL for the real service. What stood "
            "in a stand-in is gone with it: teardown_confluent then forgets it, and clears config.yaml.",
        )
    return NetworkError(
        f"{host} cannot be reached from here: no network, no name resolution, or a firewall.",
        f"Check the connection. {AGAIN}",
        STATUS,
    )


def certificate_file(error: OSError) -> NetworkError:
    return NetworkError(
        f"The certificates that prove who answers cannot be read: {error}",
        "Running again helps once REQUESTS_CA_BUNDLE (or CURL_CA_BUNDLE) names a file that is there, or is unset.",
    )


def not_the_api(url: str) -> NetworkError:
    host = urlsplit(url).hostname or url
    return NetworkError(
        f"{host} answered with something that is not the API's JSON. A sign-in page of the Wi-Fi or a proxy "
        "may stand in between.",
        f"Open any page in a browser and sign in to the network. {AGAIN}",
    )
