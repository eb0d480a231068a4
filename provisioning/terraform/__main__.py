"""python -m provisioning.terraform: writes main.tf from the lab's own topics, schemas, roles and statements."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from provisioning.config import DEFAULT_MODEL, FLINK, DesiredState
from provisioning.resources.flink_statements import GROUP_ROLES
from provisioning.resources.service_account import ROLE
from provisioning.resources.subjects import Subject, of_topic
from races.flink.statements import Statement, statements
from races.lib.spelling import write_anywhere
from races.streams.topics import DEFAULT_NAMES, TOPICS

FILE = Path(__file__).with_name("main.tf")
ABOUT = """\
Writes provisioning/terraform/main.tf: the lab with Flink analytics (averages and
anomalies; the commentary stays with the lab's own commentator) as a configuration
for Terraform's provider confluentinc/confluent. --check says whether the file is
the one that these lists give, and writes nothing."""
HEAD = """\
# Written by `python -m provisioning.terraform` from the lists that provision_confluent uses. Do not edit by hand.
#
#   export CONFLUENT_CLOUD_API_KEY=…  CONFLUENT_CLOUD_API_SECRET=…
#   terraform init && terraform apply
#   terraform output -raw config_yaml > config.yaml
#
# State holds the keys' secrets: keep it private. Nothing was run against the real service.

terraform {
  required_version = ">= 1.3"
  required_providers {
    confluent = {
      source  = "confluentinc/confluent"
      version = "~> 2.67"
    }
  }
}

provider "confluent" {}

variable "name" {
  description = "The environment's name; give each person one of their own."
  type        = string
  default     = "f1-terraform"
}

variable "region" {
  type    = string
  default = "us-east-2"
}

data "confluent_organization" "this" {}

data "confluent_flink_region" "this" {
  cloud  = "AWS"
  region = var.region
}

resource "confluent_environment" "lab" {
  display_name = var.name
  stream_governance {
    package = "ESSENTIALS"
  }
}

resource "confluent_kafka_cluster" "lab" {
  display_name = "f1-leaderboard-cluster"
  availability = "SINGLE_ZONE"
  cloud        = "AWS"
  region       = var.region
  basic {
    max_ecku = 1
  }
  environment {
    id = confluent_environment.lab.id
  }
}

data "confluent_schema_registry_cluster" "lab" {
  environment {
    id = confluent_environment.lab.id
  }
  depends_on = [confluent_kafka_cluster.lab]
}

resource "confluent_flink_compute_pool" "lab" {
  display_name = "f1-leaderboard-flink-pool"
  cloud        = "AWS"
  region       = var.region
  max_cfu      = 5
  default_pool = true
  environment {
    id = confluent_environment.lab.id
  }
}

resource "confluent_service_account" "lab" {
  display_name = "${var.name}-lab"
  description  = "F1 streaming lab, by Terraform"
}
"""
KEYS = {
    "kafka": (
        "confluent_kafka_cluster.lab.id",
        "confluent_kafka_cluster.lab.api_version",
        "confluent_kafka_cluster.lab.kind",
    ),
    "registry": (
        "data.confluent_schema_registry_cluster.lab.id",
        "data.confluent_schema_registry_cluster.lab.api_version",
        "data.confluent_schema_registry_cluster.lab.kind",
    ),
    "flink": (
        "data.confluent_flink_region.this.id",
        "data.confluent_flink_region.this.api_version",
        "data.confluent_flink_region.this.kind",
    ),
}


def role(name: str) -> str:
    return f'''
resource "confluent_role_binding" "lab" {{
  principal   = "User:${{confluent_service_account.lab.id}}"
  role_name   = "{name}"
  crn_pattern = confluent_environment.lab.resource_name
}}
'''


def key(kind: str) -> str:
    identity, version, what = KEYS[kind]
    return f'''
resource "confluent_api_key" "{kind}" {{
  display_name = "${{var.name}}-{kind}"
  owner {{
    id          = confluent_service_account.lab.id
    api_version = confluent_service_account.lab.api_version
    kind        = confluent_service_account.lab.kind
  }}
  managed_resource {{
    id          = {identity}
    api_version = {version}
    kind        = {what}
    environment {{
      id = confluent_environment.lab.id
    }}
  }}
  depends_on = [confluent_role_binding.lab]
}}
'''


def topic(role_name: str, name: str) -> str:
    made = TOPICS[role_name]
    return f'''
resource "confluent_kafka_topic" "{role_name}" {{
  topic_name       = "{name}"
  partitions_count = {made.partitions}
  rest_endpoint    = confluent_kafka_cluster.lab.rest_endpoint
  config = {{
    "cleanup.policy" = "{made.cleanup_policy}"
    "retention.ms"   = "{made.retention_ms}"
  }}
  kafka_cluster {{
    id = confluent_kafka_cluster.lab.id
  }}
  credentials {{
    key    = confluent_api_key.kafka.id
    secret = confluent_api_key.kafka.secret
  }}
}}
'''


def schema(role_name: str, subject: Subject) -> str:
    part = subject.name.rpartition("-")[2]
    common = """
  schema_registry_cluster {
    id = data.confluent_schema_registry_cluster.lab.id
  }
  rest_endpoint = data.confluent_schema_registry_cluster.lab.rest_endpoint
  credentials {
    key    = confluent_api_key.registry.id
    secret = confluent_api_key.registry.secret
  }
}
"""
    return f'''
resource "confluent_schema" "{role_name}_{part}" {{
  subject_name = "{subject.name}"
  format       = "{subject.kind}"
  schema       = {_heredoc(subject.schema)}{common}
resource "confluent_subject_config" "{role_name}_{part}" {{
  subject_name        = confluent_schema.{role_name}_{part}.subject_name
  compatibility_level = "{subject.level}"{common}'''


def statement(made: Statement, needs: Sequence[str]) -> str:
    properties = "".join(f'    "{name}" = "{value}"\n' for name, value in made.properties.items())
    return f'''
resource "confluent_flink_statement" "{made.name.replace("-", "_")}" {{
  statement_name = "${{var.name}}-{made.name}"
  statement      = {_heredoc(made.sql)}
  properties = {{
    "sql.current-catalog"  = confluent_environment.lab.display_name
    "sql.current-database" = confluent_kafka_cluster.lab.display_name
{properties}  }}
  organization {{
    id = data.confluent_organization.this.id
  }}
  environment {{
    id = confluent_environment.lab.id
  }}
  compute_pool {{
    id = confluent_flink_compute_pool.lab.id
  }}
  principal {{
    id = confluent_service_account.lab.id
  }}
  rest_endpoint = data.confluent_flink_region.this.rest_endpoint
  credentials {{
    key    = confluent_api_key.flink.id
    secret = confluent_api_key.flink.secret
  }}
  depends_on = [{", ".join(needs)}]
}}
'''


def _heredoc(text: str) -> str:
    """A text that Terraform takes as it stands: ${ and %{ are escaped."""
    return f"<<-EOT\n{text.replace('${', '$${').replace('%{', '%%{').rstrip()}\nEOT"


CONFIG = """
output "config_yaml" {
  sensitive = true
  value = yamlencode({
    kafka = {
      "bootstrap.servers"         = replace(confluent_kafka_cluster.lab.bootstrap_endpoint, "SASL_SSL://", "")
      "security.protocol"         = "SASL_SSL"
      "sasl.mechanism"            = "PLAIN"
      "sasl.username"             = confluent_api_key.kafka.id
      "sasl.password"             = confluent_api_key.kafka.secret
      "schema_registry_url"       = data.confluent_schema_registry_cluster.lab.rest_endpoint
      "schema_registry_api_key"   = confluent_api_key.registry.id
      "schema_registry_secret"    = confluent_api_key.registry.secret
    }
    features  = { anomaly_detection = { enabled = true } }
    analytics = { engine = "flink", commentary = "embedded" }
  })
}
"""


def parts() -> Iterator[str]:
    lab = DesiredState("", "", "AWS", "", "", "", 5, "", DEFAULT_MODEL, DEFAULT_NAMES, True, FLINK)
    makers = lab.makers(commentary_by_flink=False)
    yield HEAD
    yield role(ROLE)
    yield from (key(kind) for kind in KEYS)
    for role_name, maker in makers.items():
        if maker != FLINK:
            yield topic(role_name, DEFAULT_NAMES[role_name])
            yield from (
                schema(role_name, subject) for subject in of_topic(role_name, DEFAULT_NAMES[role_name])
            )
    for made in statements():
        if made.kind in ("table", "query") and makers[GROUP_ROLES[made.group]] == FLINK:
            # a table needs its keys' role; a query needs its table and the schemas of what it reads
            if made.kind == "table":
                needs = ["confluent_role_binding.lab"]
            else:
                table = made.name.removesuffix("-query") + "-table"
                read = [
                    f"confluent_schema.{role_name}_value"
                    for role_name, maker in makers.items()
                    if maker != FLINK
                ]
                needs = [f"confluent_flink_statement.{table.replace('-', '_')}", *read]
            yield statement(made, needs)
    yield CONFIG


def written() -> str:
    return "".join(parts())


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m provisioning.terraform",
        description=ABOUT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="compare only; exit code 1 if it is another")
    options = parser.parse_args(arguments)
    if options.check:
        return int(FILE.read_text(encoding="utf-8") != written())
    FILE.write_text(written(), encoding="utf-8")
    sys.stdout.write(f"Wrote {FILE}\n")
    return 0


if __name__ == "__main__":
    write_anywhere()
    sys.exit(main())
