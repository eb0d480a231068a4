"""One request(), its retry policy, and what is read from the four shapes of errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from hypothesis import given
from hypothesis import strategies as st

from provisioning.api import Api
from provisioning.client import Client, Login, read_error
from provisioning.clock import Clock
from provisioning.errors import ApiError, NetworkError, OutcomeUnknown, ProvisioningError
from provisioning.standin import KINDS, Fault, Latencies, Standin, administrator
from races.streams.redaction import HIDDEN, Redactor
from tests.fakes import standin_fixtures
from tests.fakes.laptop import ManualClock
from tests.fakes.standin_snapshot import snapshot

SECRET = "cfltTheSecretThatNobodyMaySee1234567890"


@pytest.fixture
def standin() -> Iterator[Standin]:
    with Standin(kafka=False) as found:
        yield found


@dataclass
class Naps:
    """What was slept."""

    taken: list[float] = field(default_factory=list)

    def clock(self) -> Clock:
        return Clock(sleep=self.taken.append)


def cloud(standin: Standin, naps: Naps | None = None, patience: float = 20.0) -> Api:
    session = requests.Session()
    session.trust_env = False
    client = Client(Redactor(), (naps or Naps()).clock(), session, timeout=(20.0, patience))
    return Api(client, standin.url, Login("Cloud", standin.key, standin.secret))


def patience(kind: str) -> float:
    """A time-out is waited for; anything else has time on a busy machine."""
    return 0.5 if kind.startswith("timeout") else 20.0


BODY = {"display_name": "one", "stream_governance_config": {"package": "ESSENTIALS"}}
PATH = "/org/v2/environments"


@pytest.mark.parametrize("kind", KINDS)
def test_reads_are_retried(standin: Standin, kind: Any) -> None:
    """What only reads is asked again over a real connection."""
    standin.faults.add(Fault(kind, path="environments"))
    assert list(cloud(standin, patience=patience(kind)).pages(PATH)) == []
    assert len(standin.calls) >= 2


@pytest.mark.parametrize(
    "kind", ["timeout_before", "timeout_after", "drop_before", "drop_after", "500", "503"]
)
def test_lost_post_is_not_retried(standin: Standin, kind: Any) -> None:
    """A post whose answer is lost is not sent again."""
    standin.faults.add(Fault(kind, method="POST"))
    with pytest.raises(OutcomeUnknown, match="not known whether it was carried out"):
        cloud(standin, patience=patience(kind)).post(PATH, BODY)
    assert [call.method for call in standin.calls] == ["POST"]


@pytest.mark.parametrize("kind", ["429", "429_bare"])
def test_rate_limited_post_is_retried(standin: Standin, kind: Any) -> None:
    """A post that was refused for its rate is sent again."""
    standin.faults.add(Fault(kind, method="POST", times=2))
    assert cloud(standin).post(PATH, BODY)["display_name"] == "one"
    assert list(snapshot(standin.state)["environments"]) == ["one"]


def test_wait_as_asked_or_doubled(standin: Standin) -> None:
    """The wait is what the answer asks for else it doubles."""
    naps = Naps()
    standin.faults.add(Fault("429", times=1, retry_after="7"), Fault("429_bare", path="api-keys", times=3))
    api = cloud(standin, naps)
    list(api.pages(PATH))
    list(api.pages("/iam/v2/api-keys"))
    assert naps.taken == [7.0, 1.0, 2.0, 4.0]


def test_gives_up_after_six_tries(standin: Standin) -> None:
    """It gives up after six tries and says whether to try again."""
    standin.faults.add(Fault("503", times=99))
    with pytest.raises(ApiError, match="trouble of its own") as caught:
        cloud(standin).get(PATH)
    assert len(standin.calls) == 6
    assert "goes on from here" in str(caught.value)


def test_errors_carry_call_and_request_id(standin: Standin) -> None:
    """Every error carries call status detail and request id."""
    with pytest.raises(ApiError) as caught:
        cloud(standin).get(f"{PATH}/env-none")
    error = caught.value
    said = standin.calls[-1].headers["X-Request-Id"]
    assert error.gone
    for part in (f"GET {PATH}/env-none", "404", "resource_not_found", "was not found", said):
        assert part in str(error)


def test_all_pages_of_a_list_are_read(standin: Standin) -> None:
    for number in range(230):
        standin_fixtures.add_environment(standin.state, f"e{number}")
    assert len(list(cloud(standin).pages(PATH))) == 230
    assert len(standin.calls) == 3


def test_new_keys_are_retried_on_data_planes() -> None:
    """A new key is tried again on its data plane but not on the control plane."""
    manual_clock = ManualClock()
    with Standin(Latencies(), clock=manual_clock, kafka=False) as standin:
        session = requests.Session()
        session.trust_env = False
        client = Client(Redactor(), Clock(sleep=manual_clock.advance), session)
        for plane, calls in (("Cloud", 1), ("Flink", 6)):
            standin.calls.clear()
            with pytest.raises(ApiError):
                Api(client, standin.url, Login(plane, "NOKEY", "nosecret")).get(PATH)
            assert len(standin.calls) == calls


def test_keys_are_not_sent_unencrypted() -> None:
    """Keys are not sent unencrypted beyond this machine."""
    api = Api(Client(Redactor(), Clock()), "http://api.example", Login("Cloud", "key", SECRET))
    with pytest.raises(ProvisioningError, match="https:// only"):
        api.get("/anything")


@pytest.mark.parametrize(
    ("body", "code", "detail"),
    [
        (
            '{"errors":[{"id":"1","status":"409","code":"taken","detail":"is there","source":{}}]}',
            "taken",
            "is there",
        ),
        ('{"errors":[{"status":"401","title":"No"}]}', "", "No"),
        ('{"error_code":40301,"message":"Either unauthorized or"}', "40301", "Either unauthorized or"),
        ('{"status":"x","error":{"code":"c","message":"m","details":""},"requestId":"r"}', "c", "m"),
        ("<html><head><title>429</title></head><body><h1>Too Many</h1></body></html>", "", "429 Too Many"),
        ("", "", ""),
        ("[1, 2]", "", "[1, 2]"),
    ],
)
def test_four_shapes_of_errors(body: str, code: str, detail: str) -> None:
    """The four shapes of errors are read."""
    assert read_error(body) == (code, detail)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
ERRORISH = st.dictionaries(st.sampled_from(["errors", "error", "error_code", "message", "status"]), JSON)


@given(JSON | ERRORISH)
def test_any_error_body_can_be_read(body: Any) -> None:
    """No answer breaks the reader of errors."""
    code, detail = read_error(json.dumps(body))
    assert isinstance(code, str)
    assert isinstance(detail, str)


@given(st.text(), st.text(alphabet="abcdefgh/+=1234", min_size=8, max_size=40))
def test_known_secrets_never_come_through(text: str, secret: str) -> None:
    """A known secret never comes through."""
    redact = Redactor()
    redact.add(secret)
    assert secret not in redact(f"{text}{secret}{text}").replace(HIDDEN, "")


def test_secret_looking_text_is_hidden() -> None:
    """What looks like a secret is hidden even if nobody announced it."""
    assert Redactor()(f"it was {SECRET} and AKIAIOSFODNN7EXAMPLE") == f"it was {HIDDEN} and {HIDDEN}"


class Portal(requests.Session):
    """A sign-in page where the API should be, or a way that is broken."""

    def __init__(self, answer: Callable[[], requests.Response]) -> None:
        super().__init__()
        self.answer = answer

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        return self.answer()


def page() -> requests.Response:
    found = requests.Response()
    found.status_code, found._content = 200, b"<html>Welcome to the Hotel</html>"
    return found


def redirection() -> requests.Response:
    found = requests.Response()
    found.status_code, found._content = 302, b""
    return found


def broken(error: Exception) -> Callable[[], requests.Response]:
    def answer() -> requests.Response:
        raise error

    return answer


class Moved(requests.Session):
    """Sends each call on to another address, and notes what came."""

    def __init__(self, status: int, where: str) -> None:
        super().__init__()
        self.status, self.where = status, where
        self.came: list[tuple[str, str, Any]] = []

    def request(self, method: str, url: str, **given: Any) -> requests.Response:  # type: ignore[override]
        self.came.append((method, url, given["data"]))
        found = requests.Response()
        moved = len(self.came) == 1
        found.status_code, found._content = (self.status, b"") if moved else (200, b'{"id": "one"}')
        if moved:
            found.headers["Location"] = self.where
        return found


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("where", ["https://eu.api.confluent.cloud/moved?now=1", "/moved?now=1"])
def test_the_service_may_send_on(status: int, where: str) -> None:
    """The same method and body go to the new address, within the service."""
    moved = Moved(status, where)
    api = Api(
        Client(Redactor(), Naps().clock(), moved), "https://api.confluent.cloud", Login("Cloud", "k", SECRET)
    )
    assert api.post(PATH, BODY) == {"id": "one"}
    (first, second), (_, url, _) = moved.came, moved.came[1]
    assert second[::2] == first[::2] == ("POST", json.dumps(BODY))
    assert url.endswith("confluent.cloud/moved?now=1")


@pytest.mark.parametrize(
    ("text", "deleted"), [(b"OK", True), (b"", True), (b"deleted lkc-1", True), (b"<html>Sign in", False)]
)
def test_a_deletion_needs_no_json(text: bytes, deleted: bool) -> None:
    """Whether a thing is gone is looked at afterwards. HTML is a sign-in page's, which deletes nothing."""

    def said() -> requests.Response:
        found = requests.Response()
        found.status_code, found._content = 200, text
        return found

    api = Api(
        Client(Redactor(), Naps().clock(), Portal(said)), "https://api.example", Login("Cloud", "k", SECRET)
    )
    if deleted:
        api.remove("/thing")
    else:
        with pytest.raises(NetworkError, match="sign-in page"):
            api.remove("/thing")


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (page, "not the API's JSON. A sign-in page"),
        (redirection, "not the API's JSON. A sign-in page"),
        (broken(requests.exceptions.SSLError("certificate verify failed")), "could not prove to be it"),
        (broken(requests.exceptions.ProxyError("407")), "The proxy in HTTPS_PROXY"),
        (broken(OSError("no CA bundle, invalid path: /gone")), "REQUESTS_CA_BUNDLE"),
        (broken(requests.exceptions.ReadTimeout("timed out")), "did not answer in time"),
        (
            broken(requests.exceptions.ConnectionError("Name or service not known")),
            "cannot be reached from here",
        ),
    ],
)
def test_network_troubles_have_their_words(answer: Callable[[], requests.Response], words: str) -> None:
    """Each trouble on the way has its own words."""
    client = Client(Redactor(), Naps().clock(), Portal(answer))
    with pytest.raises(NetworkError, match=words):
        Api(client, "https://api.example", Login("Cloud", "key", SECRET)).get("/org/v2/organizations")


def test_machine_without_network() -> None:
    """A machine without network says so."""
    session = requests.Session()
    session.trust_env = False
    client = Client(Redactor(), Naps().clock(), session, timeout=(0.5, 0.5))
    with pytest.raises(NetworkError, match="cannot be reached"):
        Api(client, "https://127.0.0.1:9", Login("Cloud", "key", SECRET)).get("/")


def test_a_proxy_that_refuses_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    client = Client(Redactor(), Naps().clock(), timeout=(0.5, 0.5))
    with pytest.raises(NetworkError, match="proxy"):
        Api(client, "https://api.example", Login("Cloud", "key", SECRET)).get("/")


def test_secrets_are_in_no_repr() -> None:
    login = Login("Cloud", "key", SECRET)
    assert SECRET not in repr(login)
    assert SECRET not in repr(Api(Client(Redactor(), Clock()), "https://api.example", login))


@pytest.mark.parametrize(
    ("words", "early"),
    [
        ("[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed", True),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number", True),
        ("[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC] decryption failed or bad record mac", False),
        ("EOF occurred in violation of protocol", False),
    ],
)
def test_post_after_a_broken_handshake(words: str, early: bool) -> None:
    """A post is sent again only if tls broke before it."""
    portal = Portal(broken(requests.exceptions.SSLError(words)))
    api = Api(
        Client(Redactor(), Naps().clock(), portal), "https://api.example", Login("Cloud", "key", SECRET)
    )
    with pytest.raises(NetworkError if early else OutcomeUnknown):
        api.post(PATH, BODY)


def test_refused_delete_is_no_deletion(standin: Standin) -> None:
    """A deleted thing and a thing that the key may not delete both answer 403."""
    made = standin_fixtures.add_environment(standin.state, "theirs")
    administrator.add_cloud_key(standin.state, "WEAK", SECRET, "u-weak")
    api = cloud(standin)
    weak = Api(api.client, api.base, Login("Cloud", "WEAK", SECRET), sees_all=lambda: True)
    with pytest.raises(ApiError, match="OrganizationAdmin"):
        weak.remove(f"{PATH}/{made.id}")
    cluster = "/cmk/v2/clusters/lkc-gone"
    assert weak.find(cluster, environment=made.id) is None
    with pytest.raises(ApiError):
        api.find(cluster, environment=made.id)
