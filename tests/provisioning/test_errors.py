"""Each way to fail has its own message: what, on which call, whether running again helps, and where to look."""

from __future__ import annotations

import traceback

import pytest

from provisioning.config import Aws
from provisioning.errors import ApiError, OutcomeUnknown, ProvisioningError, WaitTimeout
from provisioning.resources import flink_statements
from provisioning.standin import Fault, administrator
from tests.fakes.laptop import NOTHING_STANDS, SHORT, Laptop, desired_state, new_laptop


def test_no_key_at_all_tells_how_to_make_one(laptop: Laptop) -> None:
    laptop.standin.key = laptop.standin.secret = ""
    with pytest.raises(ProvisioningError, match="no Cloud API key") as caught:
        laptop.provision()
    assert "CONFLUENT_CLOUD_API_KEY" in str(caught.value)
    assert "https://confluent.cloud/settings/api-keys" in str(caught.value)
    assert laptop.standin.calls == []


def test_a_kafka_key_where_a_cloud_key_belongs_is_named_as_that(laptop: Laptop) -> None:
    kafka = laptop.provision().key("kafka") or {}
    laptop.key, laptop.secret = kafka["id"], kafka["secret"]
    with pytest.raises(ApiError, match="has to be a Cloud API key") as caught:
        laptop.provision()
    assert caught.value.status == 401
    assert laptop.secret not in str(caught.value)


def test_a_key_without_the_role_is_told_which_role_it_needs(laptop: Laptop) -> None:
    administrator.add_cloud_key(laptop.standin.state, "WEAKKEY", "cfltWeakSecretOfNoUseAtAll1234", "u-weak")
    laptop.key, laptop.secret = "WEAKKEY", "cfltWeakSecretOfNoUseAtAll1234"
    with pytest.raises(ApiError, match="OrganizationAdmin") as caught:
        laptop.provision()
    assert "POST /org/v2/environments" in str(caught.value)


@pytest.mark.parametrize("quota", ["environments", "clusters", "service_accounts"])
def test_a_quota_names_itself_and_is_not_tried_again(laptop: Laptop, quota: str) -> None:
    laptop.standin.state.quotas[quota] = 0
    with pytest.raises(ApiError, match="quota") as caught:
        laptop.provision()
    refused = [call for call in laptop.standin.calls if call.status == 402]
    assert len(refused) == 1
    assert "after something was deleted or the quota was raised" in str(caught.value)


def test_a_region_without_flink_lists_those_with(laptop: Laptop) -> None:
    laptop.desired = desired_state(region="af-south-1")
    with pytest.raises(ProvisioningError, match="Flink is not offered in AWS af-south-1") as caught:
        laptop.provision()
    assert "us-east-2" in str(caught.value)
    assert [call.method for call in laptop.standin.calls if call.method != "GET"] == []


def test_an_expired_aws_token_is_named_as_that(laptop: Laptop) -> None:
    laptop.desired = desired_state(aws=Aws("ASIAEXPIREDKEYS", "secret-of-an-hour", "expired-token"))
    (note,) = laptop.provision().notes
    assert "the AWS session token has expired" in note
    assert "aws sts get-session-token" in note
    assert "secret-of-an-hour" not in note


def test_a_key_that_never_works_is_kept_and_running_again_waits_on(tmp_path: object) -> None:
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


def test_a_post_that_stays_unknown_says_that_running_again_looks_first(laptop: Laptop) -> None:
    laptop.standin.faults.add(Fault("timeout_before", method="POST", path="clusters", times=9))
    with pytest.raises(OutcomeUnknown, match="looks first"):
        laptop.provision()
    laptop.standin.faults.clear()
    laptop.provision()
    assert len(laptop.living_keys()) == 3


@pytest.mark.parametrize("kind", ["cluster", "pool"])
def test_what_failed_ends_the_wait_at_once_and_says_what_helps(laptop: Laptop, kind: str) -> None:
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


def test_a_statement_that_fails_gives_the_services_words(laptop: Laptop) -> None:
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
def test_a_pending_statement_shows_what_it_waits_for(
    laptop: Laptop, detail: str, exhausted: bool, words: str
) -> None:
    session = laptop.provision()
    query = next(s for s in laptop.standin.state.statements if s.name.endswith("speed-query"))
    query.phase, query.detail, query.exhausted = "PENDING", detail, exhausted
    query.due = laptop.manual_clock.seconds + 60
    assert (
        next(flink_statements._reach(session, query.name, frozenset({"RUNNING"}))).text
        == f"{query.name} {words}"
    )


def test_an_exhausted_pool_is_noted_with_what_to_do(laptop: Laptop) -> None:
    laptop.provision()
    for statement in laptop.standin.state.statements:
        statement.exhausted = True
    assert any("raise confluent.flink_max_cfu" in note for note in laptop.provision().notes)


@pytest.mark.parametrize("kind", ["500", "429", "timeout_before", "timeout_after"])
def test_no_secret_in_any_message_or_traceback(laptop: Laptop, kind: str) -> None:
    laptop.standin.faults.add(Fault(kind, path="statements|api-keys|connections", times=99))  # type: ignore[arg-type]
    try:
        laptop.provision()
    except ProvisioningError as error:
        said = "".join(traceback.format_exception(error)) + str(error) + repr(error)
        for secret in (*laptop.living_keys().values(), laptop.standin.secret, laptop.desired.aws.secret_key):  # type: ignore[union-attr]
            assert secret not in said
    else:
        pytest.fail("it should have failed")


def test_a_session_shows_no_secret_when_it_is_printed(laptop: Laptop) -> None:
    session = laptop.provision()
    for secret in (*laptop.living_keys().values(), laptop.standin.secret):
        assert secret not in repr(session)
    assert repr(laptop.desired.aws) == "Aws()"
