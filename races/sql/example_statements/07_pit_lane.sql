-- title: Time in the pit lane
-- about: A session window ends when a car has sent nothing from the lane for a second.
CREATE VIEW IF NOT EXISTS `in_pit` AS SELECT * FROM `${positions}` WHERE `pit`;
SELECT `driver_code`, `window_start` AS `came_in`,
  TIMESTAMPDIFF(SECOND, `window_start`, `window_end`) AS `lane_s`, COUNT(*) AS `records`
FROM TABLE(SESSION(TABLE `in_pit` PARTITION BY `driver_code`, DESCRIPTOR(`$rowtime`), INTERVAL '1' SECOND))
GROUP BY `driver_code`, `window_start`, `window_end`;
