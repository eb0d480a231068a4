-- name: commentary-table
-- kind: table
-- group: commentary
--
-- Lines of commentary, one after another: an append table without a key, so that nothing is ever replaced.
-- JSON Schema here, Avro elsewhere: the lab shows both. BIGINT becomes a JSON number with "connect.type": "int64".
CREATE TABLE IF NOT EXISTS `${commentary}` (
  `id`        STRING NOT NULL,
  `message`   STRING NOT NULL,
  `timestamp` BIGINT NOT NULL,
  `type`      STRING NOT NULL,
  `race_id`   STRING,
  `drivers`   ARRAY<STRING>
)
DISTRIBUTED INTO 1 BUCKETS
WITH (
  'changelog.mode'       = 'append',
  'value.format'         = 'json-registry',
  'kafka.cleanup-policy' = 'delete',
  'kafka.retention.time' = '1 d'
);
