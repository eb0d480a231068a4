"""Each way to fail has its own message: what, on which call, whether running again helps, and where to look."""

from __future__ import annotations

import traceback

import pytest

from provisioning.errors import ApiError, OutcomeUnknown, ProvisioningError, WaitTimeout
from provisioning.resources import statements
from provisioning.standin import Fault, seed
from provisioning.wanted import Aws
from tests.provisioning.bench import NOTHING, SHORT, Bench, bench, wish


def test_no_key_at_all_tells_how_to_make_one(person: Bench) -> None:
    person.standin.key = person.standin.secret = ""
    with pytest.raises(ProvisioningError, match="no Cloud API key") as caught:
        person.provision()
    assert "CONFLUENT_CLOUD_API_KEY" in str(caught.value)
    assert "https://confluent.cloud/settings/api-keys" in str(caught.value)
    assert person.standin.calls == []


def test_a_kafka_key_where_a_cloud_key_belongs_is_named_as_that(person: Bench) -> None:
    kafka = person.provision().key("kafka") or {}
    person.key, person.secret = kafka["id"], kafka["secret"]
    with pytest.raises(ApiError, match="has to be a Cloud API key") as caught:
        person.provision()
    assert caught.value.status == 401
    assert person.secret not in str(caught.value)


def test_a_key_without_the_role_is_told_which_role_it_needs(person: Bench) -> None:
    seed.add_cloud_key(person.standin.state, "WEAKKEY", "cfltWeakSecretOfNoUseAtAll1234", "u-weak")
    person.key, person.secret = "WEAKKEY", "cfltWeakSecretOfNoUseAtAll1234"
    with pytest.raises(ApiError, match="OrganizationAdmin") as caught:
        person.provision()
    assert "POST /org/v2/environments" in str(caught.value)


@pytest.mark.parametrize("quota", ["environments", "clusters", "service_accounts"])
def test_a_quota_names_itself_and_is_not_tried_again(person: Bench, quota: str) -> None:
    person.standin.state.quotas[quota] = 0
    with pytest.raises(ApiError, match="quota") as caught:
        person.provision()
    refused = [call for call in person.standin.calls if call.status == 402]
    assert len(refused) == 1
    assert "after something was deleted or the quota was raised" in str(caught.value)


def test_a_region_without_flink_lists_those_with(person: Bench) -> None:
    person.wanted = wish(region="af-south-1")
    with pytest.raises(ProvisioningError, match="Flink is not offered in AWS af-south-1") as caught:
        person.provision()
    assert "us-east-2" in str(caught.value)
    assert [call.method for call in person.standin.calls if call.method != "GET"] == []


def test_an_expired_aws_token_is_named_as_that(person: Bench) -> None:
    person.wanted = wish(aws=Aws("ASIAEXPIREDKEYS", "secret-of-an-hour", "expired-token"))
    (note,) = person.provision().notes
    assert "the AWS session token has expired" in note
    assert "aws sts get-session-token" in note
    assert "secret-of-an-hour" not in note


def test_a_key_that_never_works_is_kept_and_running_again_waits_on(tmp_path: object) -> None:
    from dataclasses import replace
    from pathlib import Path

    assert isinstance(tmp_path, Path)
    with bench(tmp_path, replace(SHORT, key=3000.0)) as person:
        with pytest.raises(WaitTimeout, match="still not accepted yet") as caught:
            person.provision()
        assert "kept in the journal" in str(caught.value)
        keys = person.living_keys()
        person.hands.turn(3000)
        person.provision()
        assert person.living_keys() == keys


def test_a_post_that_stays_unknown_says_that_running_again_looks_first(person: Bench) -> None:
    person.standin.faults.add(Fault("timeout_before", method="POST", path="clusters", times=9))
    with pytest.raises(OutcomeUnknown, match="looks first"):
        person.provision()
    person.standin.faults.clear()
    person.provision()
    assert len(person.living_keys()) == 3


@pytest.mark.parametrize("kind", ["cluster", "pool"])
def test_what_failed_ends_the_wait_at_once_and_says_what_helps(person: Bench, kind: str) -> None:
    session, state = person.provision(), person.standin.state
    (state.clusters if kind == "cluster" else state.pools)[session.id(kind)].failed = True
    began = person.hands.seconds
    with pytest.raises(ProvisioningError, match="went to FAILED") as caught:
        person.provision()
    assert person.hands.seconds - began < 60
    assert "does not come back by itself" in str(caught.value)
    assert "teardown_confluent takes it away, then provision_confluent makes it anew" in str(caught.value)
    assert person.teardown() == []
    assert person.picture() == NOTHING
    person.provision()


def test_a_statement_that_fails_gives_the_services_words(person: Bench) -> None:
    person.provision()
    query = next(s for s in person.standin.state.statements if s.name.endswith("speed-query"))
    query.phase, query.detail = "FAILING", "SQL validation failed near line 1"
    with pytest.raises(ProvisioningError, match="SQL validation failed near line 1"):
        person.provision()


@pytest.mark.parametrize(
    ("detail", "exhausted", "words"),
    [
        ("Waiting for\n  resources in the pool", False, "PENDING: Waiting for resources in the pool"),
        ("", True, "PENDING: the Flink pool is exhausted"),
        ("", False, "PENDING"),
    ],
)
def test_a_pending_statement_shows_what_it_waits_for(
    person: Bench, detail: str, exhausted: bool, words: str
) -> None:
    session = person.provision()
    query = next(s for s in person.standin.state.statements if s.name.endswith("speed-query"))
    query.phase, query.detail, query.exhausted = "PENDING", detail, exhausted
    query.due = person.hands.seconds + 60
    assert (
        next(statements._reach(session, query.name, frozenset({"RUNNING"}))).text == f"{query.name} {words}"
    )


def test_an_exhausted_pool_is_noted_with_what_to_do(person: Bench) -> None:
    person.provision()
    for statement in person.standin.state.statements:
        statement.exhausted = True
    assert any("raise confluent.flink_max_cfu" in note for note in person.provision().notes)


@pytest.mark.parametrize("kind", ["500", "429", "timeout_before", "timeout_after"])
def test_no_secret_in_any_message_or_traceback(person: Bench, kind: str) -> None:
    person.standin.faults.add(Fault(kind, path="statements|api-keys|connections", times=99))  # type: ignore[arg-type]
    try:
        person.provision()
    except ProvisioningError as error:
        said = "".join(traceback.format_exception(error)) + str(error) + repr(error)
        for secret in (*person.living_keys().values(), person.standin.secret, person.wanted.aws.secret_key):  # type: ignore[union-attr]
            assert secret not in said
    else:
        pytest.fail("it should have failed")


def test_a_session_shows_no_secret_when_it_is_printed(person: Bench) -> None:
    session = person.provision()
    for secret in (*person.living_keys().values(), person.standin.secret):
        assert secret not in repr(session)
    assert repr(person.wanted.aws) == "Aws()"
