"""What every step of one command shares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from provisioning.client import Api, Client, Login
from provisioning.clock import Clock
from provisioning.errors import ApiError, ProvisioningError
from provisioning.journal import Entry, Record
from provisioning.scrub import Scrubber
from provisioning.waiting import Steps
from provisioning.wanted import Credentials, Names, Wanted

KEY_PLANES = {"kafka": "Kafka", "registry": "Schema Registry", "flink": "Flink"}
BINDINGS = "/iam/v2/role-bindings"
Ask = Callable[[str], bool]
Roundtrip = Callable[["Session"], Steps[str] | str]


@dataclass
class Session:
    """changes: what this run made, changed or deleted, in words; empty: nothing. notes: what a person should know.

    ask: a question, answered by the person or by --yes (unattended). agreed: topics that may be dropped. adopt: an
    environment named on the command line. sees_all: see administers.
    """

    wanted: Wanted
    credentials: Credentials
    client: Client
    clock: Clock
    scrub: Scrubber
    entry: Entry
    organization: str
    ask: Ask
    adopt: str = ""
    commentary_by_flink: bool = False
    unattended: bool = False
    sees_all: bool = False
    changes: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    agreed: set[str] = field(default_factory=set)

    @property
    def cloud(self) -> Api:
        return cloud_api(self.client, self.credentials, self.administers)

    def administers(self) -> bool:
        """Whether the Cloud API key sees all of the organisation, so that its 403 can mean: gone.

        Somebody always has the role OrganizationAdmin; who is not shown so much as one of them sees a part only.
        """
        if not self.sees_all:
            crn = f"crn://confluent.cloud/organization={self.organization}"
            api = cloud_api(self.client, self.credentials)
            try:
                self.sees_all = any(api.pages(BINDINGS, crn_pattern=crn, role_name="OrganizationAdmin"))
            except ApiError as error:
                if error.status != 403:
                    raise
        return self.sees_all

    @property
    def names(self) -> Names:
        """By the environment's name; before there is one, by the one it will have."""
        record = self.entry.get("environment") or {}
        return Names(str(record.get("name") or self.wanted.journal_name))

    @property
    def lab(self) -> str:
        """The lab's id as its mark has it: a laptop with another Cloud API key goes on with the first one's."""
        return str((self.entry.get("account") or {}).get("lab") or self.credentials.lab)

    def need(self, slot: str) -> Record:
        record: Record | None = self.entry.get(slot)
        if record is None:
            raise ProvisioningError(f"The journal holds no {slot} yet.")
        return record

    def id(self, slot: str) -> str:
        return str(self.need(slot)["id"])

    def key(self, kind: str) -> Record | None:
        found: Record | None = (self.entry.get("keys") or {}).get(kind)
        return found

    def api(self, kind: str, patient: bool = True) -> Api:
        """kind: kafka, registry or flink, with that service's own key and address."""
        key = self.key(kind)
        if key is None:
            raise ProvisioningError(f"The journal holds no {KEY_PLANES[kind]} API key yet.")
        self.scrub.add(key["secret"])
        return Api(
            self.client, str(key["endpoint"]), Login(KEY_PLANES[kind], key["id"], key["secret"]), patient
        )

    @property
    def flink_path(self) -> str:
        return f"/sql/v1/organizations/{self.organization}/environments/{self.id('environment')}"

    @property
    def kafka_path(self) -> str:
        return f"/kafka/v3/clusters/{self.id('cluster')}"

    @property
    def makers(self) -> dict[str, str]:
        return self.wanted.makers(self.commentary_by_flink)

    def topic(self, role: str) -> str:
        return self.wanted.topics[role]

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)


def cloud_api(client: Client, credentials: Credentials, sees_all: Callable[[], bool] = lambda: False) -> Api:
    login = Login("Cloud", credentials.key, credentials.secret)
    return Api(client, credentials.url, login, sees_all=sees_all)
