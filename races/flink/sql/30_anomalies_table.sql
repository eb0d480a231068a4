-- name: anomalies-table
-- kind: table
-- group: anomalies
--
-- One row for each reading: what was read, what the model had expected, and whether that is an anomaly.
-- The key (car, instant) is unique, so a row that Flink writes twice after a restart replaces itself. `key` is the
-- reading's own key, race id and driver code, and carries the race through.
-- ML_DETECT_ANOMALIES gives NULL until it has learnt enough: all columns outside the key allow it.
CREATE TABLE IF NOT EXISTS `${car_metrics_anomalies}` (
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
);
