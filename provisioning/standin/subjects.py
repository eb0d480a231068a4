"""Schema Registry: the embedded registry's own REST interface, one for each environment, behind its keys."""

from .responses import Answer, coded
from .routing import Call


def handle(call: Call) -> Answer:
    cloud = call.cloud
    found = next(
        (r for r in cloud.registries.values() if r.endpoint == call.host and r.deleted is None), None
    )
    if found is None or not cloud.is_ready(found):
        raise coded(50001, "Schema Registry is not ready.", 503)
    status, body = cloud.subjects[found.id].handle(call.method, call.path, call.query, call.body)
    return Answer(status, body, {"Content-Type": "application/vnd.schemaregistry.v1+json"})
