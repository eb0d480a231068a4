-- ask: How long was each car in the pit lane?
-- see: A row for each visit, a second after the car has left: a session ends with silence.
CREATE TEMPORARY VIEW `in_pit` AS SELECT * FROM `${positions}` WHERE `pit`;
SELECT `driver_code`, `window_start` AS `came_in`, COUNT(*) AS `records`
FROM TABLE(SESSION(TABLE `in_pit` PARTITION BY `driver_code`, DESCRIPTOR(`$rowtime`), INTERVAL '1' SECOND))
GROUP BY `driver_code`, `window_start`, `window_end`;
