-- ask: Which temperature sensor is stuck, giving the same reading ten times or more?
-- see: Seldom a row, and each is a fault that the simulation has injected.
-- table: `race_id` STRING, `driver_code` STRING, `stuck_at` DOUBLE, `n` BIGINT
SELECT `race_id`, `driver_code`, `stuck_at`, `n`
FROM `${car_metrics}`
MATCH_RECOGNIZE (
  PARTITION BY `race_id`, `driver_code`
  ORDER BY `$rowtime`
  MEASURES FIRST(`a`.`engine_temperature`) AS `stuck_at`, COUNT(`same`.`tick`) + 1 AS `n`
  ONE ROW PER MATCH
  AFTER MATCH SKIP PAST LAST ROW
  PATTERN (`a` `same`{9,}? `other`)
  DEFINE
    `same` AS `same`.`engine_temperature` = FIRST(`a`.`engine_temperature`),
    `other` AS `other`.`engine_temperature` <> FIRST(`a`.`engine_temperature`)
);
