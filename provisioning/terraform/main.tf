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

resource "confluent_role_binding" "lab" {
  principal   = "User:${confluent_service_account.lab.id}"
  role_name   = "EnvironmentAdmin"
  crn_pattern = confluent_environment.lab.resource_name
}

resource "confluent_api_key" "kafka" {
  display_name = "${var.name}-kafka"
  owner {
    id          = confluent_service_account.lab.id
    api_version = confluent_service_account.lab.api_version
    kind        = confluent_service_account.lab.kind
  }
  managed_resource {
    id          = confluent_kafka_cluster.lab.id
    api_version = confluent_kafka_cluster.lab.api_version
    kind        = confluent_kafka_cluster.lab.kind
    environment {
      id = confluent_environment.lab.id
    }
  }
  depends_on = [confluent_role_binding.lab]
}

resource "confluent_api_key" "registry" {
  display_name = "${var.name}-registry"
  owner {
    id          = confluent_service_account.lab.id
    api_version = confluent_service_account.lab.api_version
    kind        = confluent_service_account.lab.kind
  }
  managed_resource {
    id          = data.confluent_schema_registry_cluster.lab.id
    api_version = data.confluent_schema_registry_cluster.lab.api_version
    kind        = data.confluent_schema_registry_cluster.lab.kind
    environment {
      id = confluent_environment.lab.id
    }
  }
  depends_on = [confluent_role_binding.lab]
}

resource "confluent_api_key" "flink" {
  display_name = "${var.name}-flink"
  owner {
    id          = confluent_service_account.lab.id
    api_version = confluent_service_account.lab.api_version
    kind        = confluent_service_account.lab.kind
  }
  managed_resource {
    id          = data.confluent_flink_region.this.id
    api_version = data.confluent_flink_region.this.api_version
    kind        = data.confluent_flink_region.this.kind
    environment {
      id = confluent_environment.lab.id
    }
  }
  depends_on = [confluent_role_binding.lab]
}

resource "confluent_kafka_topic" "positions" {
  topic_name       = "f1-driver-positions"
  partitions_count = 4
  rest_endpoint    = confluent_kafka_cluster.lab.rest_endpoint
  config = {
    "cleanup.policy" = "delete"
    "retention.ms"   = "86400000"
  }
  kafka_cluster {
    id = confluent_kafka_cluster.lab.id
  }
  credentials {
    key    = confluent_api_key.kafka.id
    secret = confluent_api_key.kafka.secret
  }
}

resource "confluent_schema" "positions_value" {
  subject_name = "f1-driver-positions-value"
  format       = "AVRO"
  schema       = <<-EOT
{
  "type": "record",
  "name": "DriverPosition",
  "namespace": "f1.races",
  "doc": "One car at one tick. Every tick holds every car of the field, retired ones included.",
  "fields": [
    {"name": "driver_name", "type": "string"},
    {"name": "position", "type": "int", "doc": "1 is the leader"},
    {"name": "timestamp", "type": "long", "doc": "event time, epoch milliseconds: start instant + tick * 200 + waits before the tick"},
    {"name": "race_id", "type": "string"},
    {"name": "team_name", "type": "string"},
    {"name": "speed", "type": "double", "doc": "km/h, mean over the tick"},
    {"name": "driver_code", "type": "string", "default": ""},
    {"name": "driver_number", "type": "int", "default": 0},
    {"name": "tick", "type": "int", "default": -1},
    {"name": "field_size", "type": "int", "default": 0, "doc": "cars in this tick"},
    {"name": "phase", "type": "string", "default": "race", "doc": "grid (lights), race, flag (the winner is home), over (last tick)"},
    {"name": "lights", "type": "int", "default": 0, "doc": "red lights on, 0 to 5, in phase grid"},
    {"name": "flag", "type": "string", "default": "green", "doc": "green, yellow, vsc, safety_car, red, chequered"},
    {"name": "yellow_sector", "type": "int", "default": 0, "doc": "1 to 3 under a yellow flag, else 0"},
    {"name": "race_time_s", "type": "double", "default": 0.0, "doc": "race seconds since lights out, negative on the grid"},
    {"name": "lap", "type": "int", "default": 0, "doc": "the lap this car is on, 0 on the grid; laps after its flag"},
    {"name": "laps", "type": "int", "default": 0, "doc": "race distance"},
    {"name": "lap_fraction", "type": "double", "default": 0.0, "doc": "share of the lap's length, 0 to 1"},
    {"name": "gap_s", "type": ["null", "double"], "default": null, "doc": "behind the leader; null for the leader and the retired"},
    {"name": "interval_s", "type": ["null", "double"], "default": null, "doc": "behind the car ahead; null for the leader and the retired"},
    {"name": "laps_down", "type": "int", "default": 0, "doc": "whole laps behind the leader"},
    {"name": "last_lap_s", "type": ["null", "double"], "default": null},
    {"name": "best_lap_s", "type": ["null", "double"], "default": null},
    {"name": "sector_1_s", "type": ["null", "double"], "default": null, "doc": "newest completed first sector"},
    {"name": "sector_2_s", "type": ["null", "double"], "default": null},
    {"name": "sector_3_s", "type": ["null", "double"], "default": null},
    {"name": "tyre", "type": "string", "default": "", "doc": "SOFT, MEDIUM, HARD"},
    {"name": "tyre_age", "type": "int", "default": 0, "doc": "laps"},
    {"name": "stints", "type": "string", "default": "", "doc": "compound and first lap of each stint: M1 H14"},
    {"name": "stops", "type": "int", "default": 0},
    {"name": "pit", "type": "boolean", "default": false, "doc": "in the pit lane"},
    {"name": "status", "type": "string", "default": "racing", "doc": "racing, pit, retired, finished"},
    {"name": "grid", "type": "int", "default": 0, "doc": "place on the grid"},
    {"name": "overtake_mode", "type": "boolean", "default": false, "doc": "within a second at the detection point: extra power"},
    {"name": "events", "type": "int", "default": 0, "doc": "race-control messages of this tick: who reads both topics knows when it has them all"}
  ]
}
EOT
  schema_registry_cluster {
    id = data.confluent_schema_registry_cluster.lab.id
  }
  rest_endpoint = data.confluent_schema_registry_cluster.lab.rest_endpoint
  credentials {
    key    = confluent_api_key.registry.id
    secret = confluent_api_key.registry.secret
  }
}

resource "confluent_subject_config" "positions_value" {
  subject_name        = confluent_schema.positions_value.subject_name
  compatibility_level = "BACKWARD"
  schema_registry_cluster {
    id = data.confluent_schema_registry_cluster.lab.id
  }
  rest_endpoint = data.confluent_schema_registry_cluster.lab.rest_endpoint
  credentials {
    key    = confluent_api_key.registry.id
    secret = confluent_api_key.registry.secret
  }
}

resource "confluent_kafka_topic" "race_control" {
  topic_name       = "f1-race-control"
  partitions_count = 4
  rest_endpoint    = confluent_kafka_cluster.lab.rest_endpoint
  config = {
    "cleanup.policy" = "delete"
    "retention.ms"   = "86400000"
  }
  kafka_cluster {
    id = confluent_kafka_cluster.lab.id
  }
  credentials {
    key    = confluent_api_key.kafka.id
    secret = confluent_api_key.kafka.secret
  }
}

resource "confluent_schema" "race_control_value" {
  subject_name = "f1-race-control-value"
  format       = "AVRO"
  schema       = <<-EOT
{
  "type": "record",
  "name": "RaceControlMessage",
  "namespace": "f1.races",
  "fields": [
    {"name": "race_id", "type": "string"},
    {"name": "tick", "type": "int"},
    {"name": "timestamp", "type": "long", "doc": "event time, epoch milliseconds"},
    {"name": "type", "type": "string", "doc": "lights_out, overtake, fastest_lap, pit_in, pit_out, off_track, retirement, yellow, vsc, vsc_ending, safety_car, lapped_cars, safety_car_ending, green, last_lap, chequered, finish, red_flag"},
    {"name": "driver_code", "type": "string"},
    {"name": "lap", "type": "int"},
    {"name": "message", "type": "string"},
    {"name": "event", "type": "int", "default": -1, "doc": "ordinal within the race, from 0"},
    {"name": "other_code", "type": "string", "default": "", "doc": "the car overtaken"},
    {"name": "position", "type": "int", "default": 0, "doc": "place taken or held by the driver"},
    {"name": "value", "type": ["null", "double"], "default": null, "doc": "seconds: lap time, stationary time, time lost off the track"}
  ]
}
EOT
  schema_registry_cluster {
    id = data.confluent_schema_registry_cluster.lab.id
  }
  rest_endpoint = data.confluent_schema_registry_cluster.lab.rest_endpoint
  credentials {
    key    = confluent_api_key.registry.id
    secret = confluent_api_key.registry.secret
  }
}

resource "confluent_subject_config" "race_control_value" {
  subject_name        = confluent_schema.race_control_value.subject_name
  compatibility_level = "BACKWARD"
  schema_registry_cluster {
    id = data.confluent_schema_registry_cluster.lab.id
  }
  rest_endpoint = data.confluent_schema_registry_cluster.lab.rest_endpoint
  credentials {
    key    = confluent_api_key.registry.id
    secret = confluent_api_key.registry.secret
  }
}

resource "confluent_kafka_topic" "car_metrics" {
  topic_name       = "f1-car-metrics"
  partitions_count = 4
  rest_endpoint    = confluent_kafka_cluster.lab.rest_endpoint
  config = {
    "cleanup.policy" = "delete"
    "retention.ms"   = "86400000"
  }
  kafka_cluster {
    id = confluent_kafka_cluster.lab.id
  }
  credentials {
    key    = confluent_api_key.kafka.id
    secret = confluent_api_key.kafka.secret
  }
}

resource "confluent_schema" "car_metrics_value" {
  subject_name = "f1-car-metrics-value"
  format       = "AVRO"
  schema       = <<-EOT
{
  "type": "record",
  "name": "CarMetric",
  "namespace": "f1.races",
  "fields": [
    {"name": "team_name", "type": "string"},
    {"name": "timestamp", "type": "long", "doc": "event time, epoch milliseconds"},
    {"name": "engine_temperature", "type": "double", "doc": "coolant, degrees Celsius, as the sensor reads"},
    {"name": "race_id", "type": "string", "default": ""},
    {"name": "driver_code", "type": "string", "default": ""},
    {"name": "lap", "type": "int", "default": 0},
    {"name": "tick", "type": "int", "default": -1}
  ]
}
EOT
  schema_registry_cluster {
    id = data.confluent_schema_registry_cluster.lab.id
  }
  rest_endpoint = data.confluent_schema_registry_cluster.lab.rest_endpoint
  credentials {
    key    = confluent_api_key.registry.id
    secret = confluent_api_key.registry.secret
  }
}

resource "confluent_subject_config" "car_metrics_value" {
  subject_name        = confluent_schema.car_metrics_value.subject_name
  compatibility_level = "BACKWARD"
  schema_registry_cluster {
    id = data.confluent_schema_registry_cluster.lab.id
  }
  rest_endpoint = data.confluent_schema_registry_cluster.lab.rest_endpoint
  credentials {
    key    = confluent_api_key.registry.id
    secret = confluent_api_key.registry.secret
  }
}

resource "confluent_kafka_topic" "commentary" {
  topic_name       = "f1-commentary"
  partitions_count = 4
  rest_endpoint    = confluent_kafka_cluster.lab.rest_endpoint
  config = {
    "cleanup.policy" = "delete"
    "retention.ms"   = "86400000"
  }
  kafka_cluster {
    id = confluent_kafka_cluster.lab.id
  }
  credentials {
    key    = confluent_api_key.kafka.id
    secret = confluent_api_key.kafka.secret
  }
}

resource "confluent_schema" "commentary_value" {
  subject_name = "f1-commentary-value"
  format       = "JSON"
  schema       = <<-EOT
{
  "$schema": "http://json-schema.org/draft-07/schema#",
  "title": "Commentary",
  "type": "object",
  "properties": {
    "id": {"type": "string"},
    "message": {"type": "string"},
    "timestamp": {"type": "number", "connect.type": "int64"},
    "type": {"type": "string"},
    "race_id": {"oneOf": [{"type": "null"}, {"type": "string"}], "default": null},
    "drivers": {"oneOf": [{"type": "null"}, {"type": "array", "items": {"type": "string"}}], "default": null}
  },
  "required": ["id", "message", "timestamp", "type"]
}
EOT
  schema_registry_cluster {
    id = data.confluent_schema_registry_cluster.lab.id
  }
  rest_endpoint = data.confluent_schema_registry_cluster.lab.rest_endpoint
  credentials {
    key    = confluent_api_key.registry.id
    secret = confluent_api_key.registry.secret
  }
}

resource "confluent_subject_config" "commentary_value" {
  subject_name        = confluent_schema.commentary_value.subject_name
  compatibility_level = "FORWARD"
  schema_registry_cluster {
    id = data.confluent_schema_registry_cluster.lab.id
  }
  rest_endpoint = data.confluent_schema_registry_cluster.lab.rest_endpoint
  credentials {
    key    = confluent_api_key.registry.id
    secret = confluent_api_key.registry.secret
  }
}

resource "confluent_flink_statement" "average_speed_table" {
  statement_name = "${var.name}-average-speed-table"
  statement      = <<-EOT
CREATE TABLE IF NOT EXISTS `f1-driver-avg-speed` (
  `driver_name` STRING NOT NULL,
  `race_id`     STRING NOT NULL,
  `avg_speed`   DOUBLE,
  PRIMARY KEY (`driver_name`, `race_id`) NOT ENFORCED
)
DISTRIBUTED BY HASH(`driver_name`, `race_id`) INTO 1 BUCKETS
WITH (
  'changelog.mode'         = 'upsert',
  'key.format'             = 'avro-registry',
  'value.format'           = 'avro-registry',
  'value.fields-include'   = 'except-key',
  'kafka.cleanup-policy'   = 'delete',
  'kafka.retention.time'   = '1 d'
)
EOT
  properties = {
    "sql.current-catalog"  = confluent_environment.lab.display_name
    "sql.current-database" = confluent_kafka_cluster.lab.display_name
  }
  organization {
    id = data.confluent_organization.this.id
  }
  environment {
    id = confluent_environment.lab.id
  }
  compute_pool {
    id = confluent_flink_compute_pool.lab.id
  }
  principal {
    id = confluent_service_account.lab.id
  }
  rest_endpoint = data.confluent_flink_region.this.rest_endpoint
  credentials {
    key    = confluent_api_key.flink.id
    secret = confluent_api_key.flink.secret
  }
  depends_on = [confluent_role_binding.lab]
}

resource "confluent_flink_statement" "average_speed_query" {
  statement_name = "${var.name}-average-speed-query"
  statement      = <<-EOT
INSERT INTO `f1-driver-avg-speed`
SELECT
  `driver_name`,
  `race_id`,
  AVG(`speed`) AS `avg_speed`
FROM `f1-driver-positions`
GROUP BY `driver_name`, `race_id`
EOT
  properties = {
    "sql.current-catalog"  = confluent_environment.lab.display_name
    "sql.current-database" = confluent_kafka_cluster.lab.display_name
    "sql.state-ttl" = "4 h"
    "sql.tables.scan.startup.mode" = "earliest-offset"
  }
  organization {
    id = data.confluent_organization.this.id
  }
  environment {
    id = confluent_environment.lab.id
  }
  compute_pool {
    id = confluent_flink_compute_pool.lab.id
  }
  principal {
    id = confluent_service_account.lab.id
  }
  rest_endpoint = data.confluent_flink_region.this.rest_endpoint
  credentials {
    key    = confluent_api_key.flink.id
    secret = confluent_api_key.flink.secret
  }
  depends_on = [confluent_flink_statement.average_speed_table, confluent_schema.positions_value, confluent_schema.race_control_value, confluent_schema.car_metrics_value, confluent_schema.commentary_value]
}

resource "confluent_flink_statement" "anomalies_table" {
  statement_name = "${var.name}-anomalies-table"
  statement      = <<-EOT
CREATE TABLE IF NOT EXISTS `f1-car-metrics-anomalies` (
  `key`                STRING NOT NULL,
  `ts`                 TIMESTAMP_LTZ(3) NOT NULL,
  `team_name`          STRING,
  `engine_temperature` DOUBLE,
  `is_anomaly`         BOOLEAN,
  `forecast_value`     DOUBLE,
  `lower_bound`        DOUBLE,
  `upper_bound`        DOUBLE,
  `rmse`               DOUBLE,
  PRIMARY KEY (`key`, `ts`) NOT ENFORCED
)
DISTRIBUTED BY HASH(`key`, `ts`) INTO 1 BUCKETS
WITH (
  'changelog.mode'       = 'upsert',
  'key.format'           = 'avro-registry',
  'value.format'         = 'avro-registry',
  'value.fields-include' = 'except-key',
  'kafka.cleanup-policy' = 'delete',
  'kafka.retention.time' = '1 d'
)
EOT
  properties = {
    "sql.current-catalog"  = confluent_environment.lab.display_name
    "sql.current-database" = confluent_kafka_cluster.lab.display_name
  }
  organization {
    id = data.confluent_organization.this.id
  }
  environment {
    id = confluent_environment.lab.id
  }
  compute_pool {
    id = confluent_flink_compute_pool.lab.id
  }
  principal {
    id = confluent_service_account.lab.id
  }
  rest_endpoint = data.confluent_flink_region.this.rest_endpoint
  credentials {
    key    = confluent_api_key.flink.id
    secret = confluent_api_key.flink.secret
  }
  depends_on = [confluent_role_binding.lab]
}

resource "confluent_flink_statement" "anomalies_query" {
  statement_name = "${var.name}-anomalies-query"
  statement      = <<-EOT
INSERT INTO `f1-car-metrics-anomalies`
SELECT
  `car`                     AS `key`,
  `ts`,
  `team_name`,
  `engine_temperature`,
  `outcome`.`is_anomaly`     AS `is_anomaly`,
  `outcome`.`forecast_value` AS `forecast_value`,
  `outcome`.`lower_bound`    AS `lower_bound`,
  `outcome`.`upper_bound`    AS `upper_bound`,
  `outcome`.`rmse`           AS `rmse`
FROM (
  SELECT
    CAST(`key` AS STRING) AS `car`,
    $rowtime AS `ts`,
    `team_name`,
    `engine_temperature`,
    ML_DETECT_ANOMALIES(
      `engine_temperature`,
      $rowtime,
      JSON_OBJECT(
        'minTrainingSize' VALUE 16,
        'maxTrainingSize' VALUE 512,
        'confidencePercentage' VALUE 99.0,
        'p' VALUE 1,
        'd' VALUE 0,
        'q' VALUE 0,
        'enableStl' VALUE FALSE,
        'horizon' VALUE 1
      )
    ) OVER (
      PARTITION BY `key`
      ORDER BY $rowtime
      RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS `outcome`
  FROM `f1-car-metrics`
  WHERE `key` IS NOT NULL
)
EOT
  properties = {
    "sql.current-catalog"  = confluent_environment.lab.display_name
    "sql.current-database" = confluent_kafka_cluster.lab.display_name
    "sql.state-ttl" = "4 h"
    "sql.tables.scan.startup.mode" = "earliest-offset"
  }
  organization {
    id = data.confluent_organization.this.id
  }
  environment {
    id = confluent_environment.lab.id
  }
  compute_pool {
    id = confluent_flink_compute_pool.lab.id
  }
  principal {
    id = confluent_service_account.lab.id
  }
  rest_endpoint = data.confluent_flink_region.this.rest_endpoint
  credentials {
    key    = confluent_api_key.flink.id
    secret = confluent_api_key.flink.secret
  }
  depends_on = [confluent_flink_statement.anomalies_table, confluent_schema.positions_value, confluent_schema.race_control_value, confluent_schema.car_metrics_value, confluent_schema.commentary_value]
}

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
