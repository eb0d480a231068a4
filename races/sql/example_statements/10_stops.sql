-- title: Stops: lane and standing time
-- about: An interval join puts each pit_in beside the pit_out of the same car within a minute.
SELECT i.`driver_code`, i.`lap`, TIMESTAMPDIFF(SECOND, i.`$rowtime`, o.`$rowtime`) AS `lane_s`, o.`value` AS `stood_s`
FROM `${race_control}` AS i
JOIN `${race_control}` AS o
  ON i.`race_id` = o.`race_id` AND i.`driver_code` = o.`driver_code`
  AND o.`$rowtime` BETWEEN i.`$rowtime` AND i.`$rowtime` + INTERVAL '60' SECOND
WHERE i.`type` = 'pit_in' AND o.`type` = 'pit_out';
