"""The three API keys of the service account. A secret is shown once: it is in the journal before anything else.

Keys with our names that the journal does not know lost their secret with an answer or a killed command. They are
deleted, and made anew.
"""

from __future__ import annotations

from provisioning.api import JsonObject, part
from provisioning.create import LOOK_EVERY_S, STALE_LIST_S, TRIES
from provisioning.errors import ApiError, NameUnknown, OutcomeUnknown
from provisioning.session import KEY_PLANES, Session
from provisioning.steps import MINUTE, Steps, Waiter, Waiting, wait

PATH = "/iam/v2/api-keys"
NEW_NAME_S = 300.0  # a cluster that was made a moment ago may not be in the DNS yet
KAFKA_BROKERS_S = 20.0  # brokers hear of a new key one after another
PENDING = (400, 401, 403, 404, 503)  # how a key that is not known everywhere yet is refused


def ensure(session: Session, kind: str) -> Steps[str]:
    """Makes the key usable: kind is kafka, registry or flink. A new key has to be accepted twice in a row."""
    record = session.key(kind)
    # It has to be of the resource that stands now: a cluster that was made anew needs a new key.
    ours = record is not None and record["resource"] == session.id(_slot(kind))
    if record is None or not ours or session.cloud.find(f"{PATH}/{record['id']}") is None:
        forget(session, kind)
        yield from _make_anew(session, kind)
    # Twice in a row for a new key: one frontend that knows it does not mean that all do.
    resolved_by = session.clock.monotonic() + NEW_NAME_S

    def look() -> tuple[str, str]:
        try:
            probe(session, kind)
        except NameUnknown:
            if session.clock.monotonic() >= resolved_by:
                raise
            return "its address is not in the DNS yet", ""
        except ApiError as error:
            if error.status not in PENDING:
                raise
            return f"not accepted yet ({error.status})", error.failure.detail
        return "accepted", ""

    key = session.key(kind) or {}
    until = Waiter(
        what=f"{KEY_PLANES[kind]} API key {key['id']}",
        target=frozenset({"accepted"}),
        timeout=(20 if kind == "kafka" else 10) * MINUTE,
        in_a_row=1 if key.get("checked") else 2,
        between=KAFKA_BROKERS_S if kind == "kafka" else 0.0,
        again="The key was made and is kept in the journal; running again goes on waiting for it.",
        look="https://confluent.cloud/settings/api-keys",
    )
    yield from wait(look, until, session.clock)
    if not key.get("checked"):
        session.entry.put("keys", (session.entry.get("keys") or {}) | {kind: key | {"checked": True}})
    return str((session.key(kind) or {})["id"])


def _make_anew(session: Session, kind: str) -> Steps[None]:
    slot = f"key {kind}"
    yield from _delete_lost(session, kind, patient=session.entry.intent(slot) is not None)
    for attempt in range(TRIES):
        session.entry.intend(slot, [], session.client.service_time())
        try:
            made = session.cloud.post(PATH, {"spec": _spec(session, kind)})
        except OutcomeUnknown:
            if attempt == TRIES - 1:
                raise
            yield from _delete_lost(session, kind, patient=True)
            continue
        spec = _spec(session, kind)
        record = {
            "id": made["id"],
            "secret": made["spec"]["secret"],
            "resource": spec["resource"]["id"],
            "endpoint": str(session.need(_slot(kind))["endpoint"]),
            "checked": False,
        }
        session.redact.add(record["secret"])
        session.entry.put("keys", (session.entry.get("keys") or {}) | {kind: record}, intent=f"key {kind}")
        session.changes.append(f"made the {KEY_PLANES[kind]} API key {made['id']}")
        return


def forget(session: Session, kind: str) -> None:
    keys = session.entry.get("keys") or {}
    if kind in keys:
        session.entry.put("keys", {k: v for k, v in keys.items() if k != kind})


def owned(session: Session) -> list[JsonObject]:
    return list(session.cloud.pages(PATH, **{"spec.owner": session.id("account")}))


def _delete_lost(session: Session, kind: str, patient: bool) -> Steps[None]:
    """Deletes keys whose secret was lost. patient: one may have been made a moment ago, which the list does not
    show yet."""
    end = session.clock.monotonic() + (STALE_LIST_S if patient else 0.0)
    while True:
        known = {record["id"] for record in (session.entry.get("keys") or {}).values()}
        name = session.names.key(kind)
        mine = [
            k for k in owned(session) if part(k, "spec").get("display_name") == name and k["id"] not in known
        ]
        # a list shows deleted keys for a while
        lost = [k for k in mine if session.cloud.find(f"{PATH}/{k['id']}")]
        for key in lost:
            session.cloud.remove(f"{PATH}/{key['id']}")
            session.changes.append(
                f"deleted the {KEY_PLANES[kind]} API key {key['id']}, whose secret was lost"
            )
        if lost or session.clock.monotonic() >= end:
            return
        yield Waiting("an answer was lost, looking for a key without its secret", LOOK_EVERY_S)


def _slot(kind: str) -> str:
    return {"kafka": "cluster", "registry": "registry", "flink": "flink"}[kind]


def _spec(session: Session, kind: str) -> JsonObject:
    resource: JsonObject = {"id": session.id(_slot(kind)), "kind": "Cluster"}
    if kind == "flink":
        environment = session.id("environment")
        resource |= {"api_version": "fcpm/v2", "kind": "Region", "environment": environment}
    return {
        "display_name": session.names.key(kind),
        "description": f"F1 streaming lab: lab={session.lab}",
        "owner": {"id": session.id("account"), "kind": "ServiceAccount"},
        "resource": resource,
    }


def probe(session: Session, kind: str) -> None:
    """Makes one cheap call to the key's own service. Raises ApiError."""
    api = session.api(kind, patient=False)
    if kind == "kafka":
        api.get(f"{session.kafka_path}/topics")
    elif kind == "registry":
        api.get("/subjects")
    else:
        api.get(f"{session.flink_path}/statements", page_size="1")
