-- name: average-speed-table
-- kind: table
-- group: average
--
-- A table of one row a driver and race. PRIMARY KEY makes it an upsert table: a newer record with the same key
-- replaces the older one. The key's columns travel in the record's key (Avro: driver_name, race_id), the rest in
-- its value; 'except-key' says so aloud. Creating the table creates the topic and both schemas.
--
-- Rows are small and each is worth a race: after a day the topic may forget them ('delete'). With 'compact' the last
-- average of every driver of every race would stay for ever.
CREATE TABLE IF NOT EXISTS `${avg_speed}` (
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
);
