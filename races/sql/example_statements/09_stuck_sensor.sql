-- title: The stuck sensor
-- about: Ten equal readings in a row are no engine: they are a sensor that hangs. Needs anomaly detection.
SELECT `team_name`, `driver_code`, `stuck_at`, `since`, `n`
FROM `${car_metrics}`
MATCH_RECOGNIZE (
  PARTITION BY `race_id`, `driver_code`
  ORDER BY `$rowtime`
  MEASURES
    FIRST(A.`engine_temperature`) AS `stuck_at`,
    FIRST(A.`$rowtime`) AS `since`,
    COUNT(SAME.`tick`) + 1 AS `n`,
    FIRST(A.`team_name`) AS `team_name`
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (A SAME{9,}? OTHER)
  DEFINE
    SAME AS SAME.`engine_temperature` = FIRST(A.`engine_temperature`),
    OTHER AS OTHER.`engine_temperature` <> FIRST(A.`engine_temperature`)
);
