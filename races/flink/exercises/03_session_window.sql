-- ask: How long was each car in the pit lane?
-- see: A row for each visit, a second after the car has left: a session ends with silence.
-- table: `race_id` STRING, `driver_code` STRING, `came_in` TIMESTAMP(3), `records` BIGINT
CREATE TEMPORARY VIEW `in_pit` AS SELECT * FROM `${positions}` WHERE `pit`;
SELECT `race_id`, `driver_code`, `window_start` AS `came_in`, COUNT(*) AS `records`
FROM TABLE(
  SESSION(TABLE `in_pit` PARTITION BY (`race_id`, `driver_code`), DESCRIPTOR(`$rowtime`), INTERVAL '1' SECOND)
)
GROUP BY `race_id`, `driver_code`, `window_start`, `window_end`;
