"""Each way to fail has its own message: what, on which call, whether running again helps, and where to look."""

from __future__ import annotations

import json
import traceback
from typing import Any

import pytest
import requests

from provisioning.client import read_error
from provisioning.config import Aws
from provisioning.errors import ApiError, Failure, OutcomeUnknown, ProvisioningError, WaitTimeout, api_error
from provisioning.resources import flink_statements
from provisioning.standin import Fault, administrator
from tests.fakes.in_process_session import InProcessSession
from tests.fakes.laptop import NOTHING_STANDS, SHORT, Laptop, desired_state, new_laptop


def test_no_key_tells_how_to_make_one(laptop: Laptop) -> None:
    """No key at all tells how to make one."""
    laptop.standin.key = laptop.standin.secret = ""
    with pytest.raises(ProvisioningError, match="no Cloud API key") as caught:
        laptop.provision()
    assert "CONFLUENT_CLOUD_API_KEY" in str(caught.value)
    assert "https://confluent.cloud/settings/api-keys" in str(caught.value)
    assert laptop.standin.calls == []


def test_kafka_key_for_a_cloud_key(laptop: Laptop) -> None:
    """A Kafka key where a cloud key belongs is named as that."""
    kafka = laptop.provision().key("kafka") or {}
    laptop.key, laptop.secret = kafka["id"], kafka["secret"]
    with pytest.raises(ApiError, match="has to be a Cloud API key") as caught:
        laptop.provision()
    assert caught.value.status == 401
    assert laptop.secret not in str(caught.value)


def test_key_without_the_role(laptop: Laptop) -> None:
    """A key without the role is told which role it needs."""
    administrator.add_cloud_key(laptop.standin.state, "WEAKKEY", "cfltWeakSecretOfNoUseAtAll1234", "u-weak")
    laptop.key, laptop.secret = "WEAKKEY", "cfltWeakSecretOfNoUseAtAll1234"
    with pytest.raises(ApiError, match="OrganizationAdmin") as caught:
        laptop.provision()
    assert "POST /org/v2/environments" in str(caught.value)


@pytest.mark.parametrize("quota", ["environments", "clusters", "service_accounts"])
def test_quota_is_named(laptop: Laptop, quota: str) -> None:
    """A quota names itself and is not tried again."""
    laptop.standin.state.quotas[quota] = 0
    with pytest.raises(ApiError, match="quota") as caught:
        laptop.provision()
    refused = [call for call in laptop.standin.calls if call.status == 402]
    assert len(refused) == 1
    assert "after something was deleted or the quota was raised" in str(caught.value)


def test_region_without_flink_lists_others(laptop: Laptop) -> None:
    """A region without Flink lists those with."""
    laptop.desired = desired_state(region="af-south-1")
    with pytest.raises(ProvisioningError, match="Flink is not offered in AWS af-south-1") as caught:
        laptop.provision()
    assert "us-east-2" in str(caught.value)
    assert [call.method for call in laptop.standin.calls if call.method != "GET"] == []


def test_expired_aws_token_is_named(laptop: Laptop) -> None:
    """An expired AWS token is named as that."""
    laptop.desired = desired_state(aws=Aws("ASIAEXPIREDKEYS", "secret-of-an-hour", "expired-token"))
    (note,) = laptop.provision().notes
    assert "the AWS session token has expired" in note
    assert "aws sts get-session-token" in note
    assert "secret-of-an-hour" not in note


def test_key_that_never_works_is_kept(tmp_path: object) -> None:
    """A key that never works is kept and running again waits on."""
    from dataclasses import replace
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    with new_laptop(tmp_path, replace(SHORT, key=3000.0)) as laptop:
        with pytest.raises(WaitTimeout, match="still not accepted yet") as caught:
            laptop.provision()
        assert "kept in the journal" in str(caught.value)
        keys = laptop.living_keys()
        laptop.manual_clock.advance(3000)
        laptop.provision()
        assert laptop.living_keys() == keys


def test_unknown_post_says_run_again(laptop: Laptop) -> None:
    """A post that stays unknown says that running again looks first."""
    laptop.standin.faults.add(Fault("timeout_before", method="POST", path="clusters", times=9))
    with pytest.raises(OutcomeUnknown, match="looks first"):
        laptop.provision()
    laptop.standin.faults.clear()
    laptop.provision()
    assert len(laptop.living_keys()) == 3


@pytest.mark.parametrize("kind", ["cluster", "pool"])
def test_failure_ends_the_wait(laptop: Laptop, kind: str) -> None:
    """What failed ends the wait at once and says what helps."""
    session, state = laptop.provision(), laptop.standin.state
    (state.clusters if kind == "cluster" else state.pools)[session.id(kind)].failed = True
    began = laptop.manual_clock.seconds
    with pytest.raises(ProvisioningError, match="went to FAILED") as caught:
        laptop.provision()
    assert laptop.manual_clock.seconds - began < 60
    assert "does not come back by itself" in str(caught.value)
    assert "teardown_confluent takes it away, then provision_confluent makes it anew" in str(caught.value)
    assert laptop.teardown() == []
    assert laptop.snapshot() == NOTHING_STANDS
    laptop.provision()


def test_failed_statement_gives_its_words(laptop: Laptop) -> None:
    """A statement that fails gives the service's words."""
    laptop.provision()
    query = next(s for s in laptop.standin.state.statements if s.name.endswith("speed-query"))
    query.phase, query.detail = "FAILING", "SQL validation failed near line 1"
    with pytest.raises(ProvisioningError, match="SQL validation failed near line 1"):
        laptop.provision()


@pytest.mark.parametrize(
    ("detail", "exhausted", "words"),
    [
        ("Waiting for\n  resources in the pool", False, "PENDING: Waiting for resources in the pool"),
        ("", True, "PENDING: the Flink pool is exhausted"),
        ("", False, "PENDING"),
    ],
)
def test_pending_statement_says_why(laptop: Laptop, detail: str, exhausted: bool, words: str) -> None:
    """A pending statement shows what it waits for."""
    session = laptop.provision()
    query = next(s for s in laptop.standin.state.statements if s.name.endswith("speed-query"))
    query.phase, query.detail, query.exhausted = "PENDING", detail, exhausted
    query.due = laptop.manual_clock.seconds + 60
    waiting = next(flink_statements._reach(session, query.name, frozenset({"RUNNING"})))
    assert waiting.said == f"average-speed-query {words}"


def test_exhausted_pool_is_noted(laptop: Laptop) -> None:
    """An exhausted pool is noted with what to do."""
    laptop.provision()
    for statement in laptop.standin.state.statements:
        statement.exhausted = True
    assert any("raise confluent.flink_max_cfu" in note for note in laptop.provision().notes)


@pytest.mark.parametrize("kind", ["500", "429", "timeout_before", "timeout_after"])
def test_no_secret_in_any_message(laptop: Laptop, kind: str) -> None:
    """No secret in any message or traceback."""
    laptop.standin.faults.add(Fault(kind, path="statements|api-keys|connections", times=99))  # type: ignore[arg-type]
    try:
        laptop.provision()
    except ProvisioningError as error:
        said = "".join(traceback.format_exception(error)) + str(error) + repr(error)
        for secret in (*laptop.living_keys().values(), laptop.standin.secret, laptop.desired.aws.secret_key):  # type: ignore[union-attr]
            assert secret not in said
    else:
        pytest.fail("it should have failed")


def test_session_repr_has_no_secret(laptop: Laptop) -> None:
    """A session shows no secret when it is printed."""
    session = laptop.provision()
    for secret in (*laptop.living_keys().values(), laptop.standin.secret):
        assert secret not in repr(session)
    assert repr(laptop.desired.aws) == "Aws()"


def test_quota_that_comes_as_a_400() -> None:
    """The words decide, and what the service proposes is told."""
    failure = Failure(
        "Cloud", "POST", "/cmk/v2/clusters", 400, detail="The number is currently limited to 20"
    )
    assert "A quota of your Confluent Cloud organisation is reached" in str(api_error(failure))
    body = '{"errors": [{"detail": "No.", "resolution": "Ask for more."}]}'
    assert read_error(body) == ("", "No. Ask for more.")


@pytest.mark.parametrize("command", ["provision", "teardown"])
@pytest.mark.parametrize("field", ["id", "spec"])
@pytest.mark.parametrize("is_there", [False, True])
def test_answer_without_its_id(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, command: str, field: str, is_there: bool
) -> None:
    """No KeyError: the words name the call, and what was made is found when the answers are whole again."""
    whole = InProcessSession.request

    def without(self: InProcessSession, method: str, url: str, **given: Any) -> requests.Response:
        answer = whole(self, method, url, **given)
        if "/cmk/v2/clusters" in url and answer.ok and answer.content:
            found = answer.json()
            found.pop(field, None)
            found |= {field: None} if is_there else {}
            answer._content = json.dumps(found).encode()
        return answer

    if command == "teardown":
        laptop.provision()
    with monkeypatch.context() as mutated:
        mutated.setattr(InProcessSession, "request", without)
        with pytest.raises(ProvisioningError, match=f"/cmk/v2/clusters.* does not hold '{field}'"):
            getattr(laptop, command)()
    if command == "provision":
        laptop.provision()
    assert laptop.teardown() == []
    assert laptop.snapshot() == NOTHING_STANDS


@pytest.mark.parametrize("answer", [b"", b"[]", b"null"])
def test_post_with_an_empty_answer_is_looked_for(
    laptop: Laptop, monkeypatch: pytest.MonkeyPatch, answer: bytes
) -> None:
    """Each POST was carried out and says nothing of what it made: each thing is found, and made once."""
    whole = InProcessSession.request
    emptied: set[str] = set()

    def empty(self: InProcessSession, method: str, url: str, **given: Any) -> requests.Response:
        made = whole(self, method, url, **given)
        if method == "POST" and made.ok and url not in emptied:
            emptied.add(url)
            made._content = answer
        return made

    monkeypatch.setattr(InProcessSession, "request", empty)
    laptop.provision()
    assert len(emptied) > 8
    assert len(laptop.living_keys()) == 3
    laptop.manual_clock.advance(60)
    assert laptop.provision().changes == []
    assert laptop.teardown() == []
