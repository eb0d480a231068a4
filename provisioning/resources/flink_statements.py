"""Flink statements: the lab's SQL, running. One statement a call, each with the lab's label."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from provisioning.api import JsonObject, part
from provisioning.config import FLINK, MANAGED, MODEL
from provisioning.create import create_when_known, name_taken
from provisioning.errors import ApiError, ProvisioningError
from provisioning.resources import bedrock_connection, statement_words
from provisioning.session import Session
from provisioning.sql_variants import managed, without_order
from provisioning.steps import MINUTE, Steps, Waiter, Waiting, wait
from races.flink.confluent import LABEL
from races.flink.statements import Statement
from races.flink.statements import statements as sql_statements

GROUP_ROLES = {"average": "avg_speed", "commentary": "commentary", "anomalies": "car_metrics_anomalies"}
PATCH_TYPE = "application/json-patch+json"
ACTIVE = ("PENDING", "RUNNING", "DEGRADED", "FAILING")
STOPPED_MEANWHILE = (
    "Somebody stopped it, its compute pool was deleted, or the cost guard stopped it: the time of --hours is up. "
    "Running again resumes it, or starts it anew."
)
MARKED_FOR_DELETION = "marked for deletion"
NO_MODEL = "Model failed to process data"
DOCS = "https://docs.confluent.io/cloud/current/flink/operate-and-deploy/monitor-statements.html"


def path(session: Session, name: str = "") -> str:
    return f"{session.flink_path}/statements" + (f"/{name}" if name else "")


def find(session: Session, name: str) -> JsonObject | None:
    return session.api("flink").find(path(session, name))


def ours(session: Session) -> list[JsonObject]:
    """Lists our statements, by label and by the journal, because the list may lag. Each is looked at by its name."""
    listed = session.api("flink").pages(path(session), label_selector=f"{LABEL}={session.lab}")
    names = dict.fromkeys([*(str(s["name"]) for s in listed), *(session.entry.get("queries") or [])])
    found = (find(session, name) for name in names)
    return [s for s in found if s is not None and is_ours(session, s)]


def everyone(session: Session) -> list[JsonObject]:
    return list(session.api("flink").pages(path(session)))


def is_ours(session: Session, statement: JsonObject) -> bool:
    labels = part(statement, "metadata").get("labels") or {}
    return bool(labels.get(LABEL) == session.lab)


def desired(session: Session, *kinds: str) -> list[Statement]:
    """The statements of these kinds whose topic Flink makes."""
    by_flink = {role for role, maker in session.makers.items() if maker == FLINK}
    found = [
        managed(s) if s.kind == "model" and session.desired.flink_model == MANAGED else s
        for s in sql_statements(sql_names(session))
    ]
    return [s for s in found if s.kind in kinds and GROUP_ROLES[s.group] in by_flink]


def sql_names(session: Session) -> Mapping[str, str]:
    return {
        **session.desired.topics,
        "connection": bedrock_connection.name(session),
        "model": MODEL,
        "bedrock_endpoint": session.desired.bedrock_endpoint,
    }


def ensure(session: Session, statement: Statement, tries: int = 24) -> Steps[bool]:
    """Returns whether something was made or resumed. Tables and models are done once; queries are kept running.

    tries: a topic that was dropped a moment ago keeps its name for a while, and CREATE TABLE fails meanwhile.
    """
    name = session.names.statement(statement.name)
    found = yield from _standing(session, name)
    statement = _fitting(session, statement, found)
    if found is not None and statement_words.text(found) != statement.sql:
        if statement.kind == "table" and statement_words.phase(found) == "COMPLETED":
            session.note(_other_table(session, name))
            return False
        if statement.kind == "model":
            # CREATE MODEL IF NOT EXISTS would leave the old one. Its query holds it, so that goes first.
            query = session.names.statement("commentary-query")
            if _our_own(session, query) is not None:
                yield from delete(session, query)
            yield from drop_model(session)
        yield from delete(session, name)
        found = None
    resumed = found is not None and statement.kind == "query" and statement_words.phase(found) not in ACTIVE
    if found is not None and resumed:
        found = yield from _revive(session, found)
    elif found is not None and statement_words.phase(found) == "FAILED":
        yield from delete(session, name)
        found = None
    made = found is None
    if made:
        yield from _submit(session, name, statement)
        session.changes.append(f"started the statement {name}")
    target = "RUNNING" if statement.kind == "query" else "COMPLETED"
    stopped = frozenset({"STOPPED"} if made else ())  # a resumed one may still show it
    found = yield from _reach(
        session, name, frozenset({target, "DEGRADED"}) | statement_words.ENDED_BADLY, stopped
    )
    if MARKED_FOR_DELETION in str(part(found, "status").get("detail")) and tries:
        yield Waiting("waits for its topic's old namesake to go", 5.0, statement.name)
        return (yield from ensure(session, statement, tries - 1))
    if _refuses_order(session, found):
        return (yield from ensure(session, statement, tries))
    _check(session, found)
    return made or resumed


def is_same(found: JsonObject, sql: str) -> bool:
    """Whether the statement that stands is this one, with or without the detector's order."""
    return statement_words.text(found) in (sql, without_order(sql))


def _fitting(session: Session, statement: Statement, found: JsonObject | None) -> Statement:
    """Leaves out the detector's order where the statement stands so, or the service could not fit a model of it."""
    simpler = replace(statement, sql=without_order(statement.sql))
    if found is None or simpler == statement:
        return statement
    if _refuses_order(session, found):
        session.note(
            f"{found['name']} goes on without p, d and q: the service could not fit a model of that order."
        )
        return simpler
    return simpler if statement_words.text(found) == simpler.sql else statement


def _refuses_order(session: Session, found: JsonObject) -> bool:
    """Whether the statement failed for its fixed order. A series that hardly moves is said to do that; which ones,
    only the service knows."""
    fixed = statement_words.text(found) != without_order(statement_words.text(found))
    return (
        fixed
        and statement_words.phase(found) in statement_words.ENDED_BADLY
        and NO_MODEL in statement_words.why(session, found)
    )


def _other_table(session: Session, name: str) -> str:
    """Says why a table stays: CREATE TABLE IF NOT EXISTS does not change one, and its topic would have to go."""
    return (
        f"The table of {name} was made by another version of this lab, and stays as it is: a table changes only "
        "with its topic. To make it anew, which loses its records: provision_confluent --embedded, then --flink."
    )


def drop_model(session: Session) -> Steps[None]:
    """Drops the model with all its versions: a learner may have made more by hand."""
    name = session.names.statement("drop-model")
    yield from run_once(session, name, f"DROP MODEL IF EXISTS `{MODEL}$all`")


def _our_own(session: Session, name: str) -> JsonObject | None:
    """Finds our statement. Raises NameTaken: names are unique in an environment, and only the label says whose one
    is."""
    found = find(session, name)
    if found is not None and not is_ours(session, found):
        raise name_taken(f"the Flink statement {name}", session.id("environment"))
    return found


def _standing(session: Session, name: str) -> Steps[JsonObject | None]:
    """Finds our statement, and waits while one that an interrupted run has deleted still shows itself."""
    found = _our_own(session, name)
    if found is not None and statement_words.phase(found) == "DELETING":
        yield from _reach(session, name, frozenset({"gone"}))
        return None
    return found


def _revive(session: Session, found: JsonObject) -> Steps[JsonObject | None]:
    """Lets the statement go on where it was, if the service can. None means that it was deleted, to be started
    anew."""
    name = str(found["name"])
    if part(found, "spec").get("compute_pool_id") != session.id("pool"):  # its own was deleted, and made anew
        yield from delete(session, name)
        return None
    if statement_words.phase(found) in ("STOPPED", "STOPPING"):
        yield from _reach(session, name, frozenset({"STOPPED"}))
        if _set_stopped(session, name, False):
            session.changes.append(f"resumed the statement {name}")
            return found
    elif statement_words.phase(found) == "FAILED" and _set_stopped(session, name, False):
        left = yield from _reach(session, name, frozenset({"PENDING", "RUNNING", "DEGRADED", "FAILED"}))
        if statement_words.phase(left) != "FAILED":
            session.changes.append(f"resumed the statement {name} where it had failed")
            return found
    yield from delete(session, name)
    return None


def _submit(session: Session, name: str, statement: Statement) -> Steps[None]:
    environment = session.need("environment")
    properties = {
        "sql.current-catalog": str(environment["name"]),
        "sql.current-database": str(session.need("cluster")["name"]),
        **statement.properties,
    }
    body = {
        "name": name,
        "organization_id": session.organization,
        "environment_id": environment["id"],
        "metadata": {"labels": {LABEL: session.lab}},
        "spec": {
            "statement": statement.sql,
            "properties": properties,
            "compute_pool_id": session.id("pool"),
            "principal": session.id("account"),
            "stopped": False,
        },
    }
    yield from create_when_known(
        session,
        lambda: session.api("flink").post(path(session), body),
        lambda: _our_own(session, name) is not None,
    )


def _check(session: Session, found: JsonObject) -> None:
    """Raises ProvisioningError for a statement that failed."""
    name = str(found["name"])
    scaling = part(part(found, "status"), "scaling_status").get("scaling_state")
    if scaling == "POOL_EXHAUSTED":
        session.note(
            f"The Flink pool is exhausted ({name} waits): raise confluent.flink_max_cfu and run again."
        )
    if statement_words.phase(found) == "DEGRADED":
        session.note(
            f"{name} is DEGRADED. That is normal while no race runs; it recovers by itself when records come. "
            f"If it stays so during a race, see {DOCS}"
        )
    if statement_words.phase(found) in statement_words.ENDED_BADLY:
        raise ProvisioningError(
            f"The Flink statement {name} went to {statement_words.phase(found)}.\n"
            f"The service says: {session.redact(statement_words.why(session, found))}",
            "It is left for you to look at. Running again deletes it and starts it anew.",
            DOCS,
        )


def _reach(
    session: Session, name: str, target: frozenset[str], failed: frozenset[str] = frozenset()
) -> Steps[JsonObject]:
    def look() -> tuple[str, JsonObject]:
        found = find(session, name)
        return ("gone" if found is None else statement_words.phase(found)), found or {}

    until = Waiter(
        what=f"statement {name}",
        target=target,
        failed=failed,
        timeout=15 * MINUTE,
        interval=3.0,
        label=name.removeprefix(session.names.statement("")),
        says=lambda found: session.redact(statement_words.waits_for(found)),
        after_failure=STOPPED_MEANWHILE,
        look=DOCS,
    )
    return (yield from wait(look, until, session.clock))


def _set_stopped(session: Session, name: str, stopped: bool) -> bool:
    """Stops or resumes by PATCH, which is in Early Access, or by PUT where that is refused. False: the service
    takes neither."""
    change = [{"op": "replace", "path": "/spec/stopped", "value": stopped}]
    hasty = session.api("flink", patient=False)  # PUT waits for a key that is refused now and then
    if _accepted(lambda: hasty.patch(path(session, name), change, PATCH_TYPE)):
        return True
    found = find(session, name)
    if found is None or (stopped and statement_words.phase(found) not in ACTIVE):
        return stopped  # it ended meanwhile
    body = found | {"spec": part(found, "spec") | {"stopped": stopped}}
    return _accepted(lambda: session.api("flink").put(path(session, name), body))


def _accepted(call: Callable[[], object]) -> bool:
    """Whether the service carried the call out. Where it refuses, the next call shows whether the key is refused."""
    try:
        call()
    except ApiError as error:
        if error.status >= 500 and error.status != 501:
            raise
        return False
    return True


def stop(session: Session, name: str) -> bool:
    """Ends the cost of a statement. One that is gone or ended already is fine. False: it can only be deleted."""
    found = find(session, name)
    if found is None or statement_words.phase(found) not in ACTIVE:
        return True
    return _set_stopped(session, name, True)


def delete(session: Session, name: str) -> Steps[None]:
    stop(session, name)  # or not: deleting ends its cost as well
    session.api("flink").remove(path(session, name))
    yield from _reach(session, name, frozenset({"gone"}))
    known = session.entry.get("queries") or []
    if name in known:
        session.entry.put("queries", [query for query in known if query != name])
    session.changes.append(f"deleted the statement {name}")


def may_run(session: Session, names: list[str]) -> None:
    """Writes the queries into the journal before the first one starts: a command that fails later must say
    what costs meanwhile."""
    known = session.entry.get("queries") or []
    if set(names) - set(known):
        session.entry.put("queries", sorted({*known, *names}))


def run_once(session: Session, name: str, sql: str) -> Steps[None]:
    """Runs a DDL statement that leaves no trace: it is submitted, awaited and deleted."""
    statement = Statement(name=name, kind="ddl", group="", properties={}, sql=sql)
    if (yield from _standing(session, name)) is None:
        yield from _submit(session, name, statement)
    _check(
        session, (yield from _reach(session, name, frozenset({"COMPLETED"}) | statement_words.ENDED_BADLY))
    )
    yield from delete(session, name)
