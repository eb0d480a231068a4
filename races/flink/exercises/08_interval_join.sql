-- ask: How long did each stop take? Join entry and exit of the pit lane.
-- see: A row for each stop as the car leaves. An entry waits in state for a minute at most.
-- table: `race_id` STRING, `driver_code` STRING, `lap` INT, `stood_s` DOUBLE
SELECT i.`race_id`, i.`driver_code`, i.`lap`, o.`value` AS `stood_s`
FROM `${race_control}` AS i
JOIN `${race_control}` AS o
  ON i.`race_id` = o.`race_id` AND i.`driver_code` = o.`driver_code`
  AND o.`$rowtime` BETWEEN i.`$rowtime` AND i.`$rowtime` + INTERVAL '60' SECOND
WHERE i.`type` = 'pit_in' AND o.`type` = 'pit_out';
