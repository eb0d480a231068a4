-- ask: Which overtakes were undercuts: he had stopped, and the other one was just going in?
-- see: A row or two in a race, seldom more.
-- table: `race_id` STRING, `undercutter` STRING, `victim` STRING, `event` INT
SELECT o.`race_id`, o.`driver_code` AS `undercutter`, o.`other_code` AS `victim`, o.`event`
FROM `${race_control}` AS o
JOIN `${race_control}` AS a
  ON a.`race_id` = o.`race_id` AND a.`driver_code` = o.`driver_code` AND a.`type` = 'pit_out'
  AND a.`$rowtime` BETWEEN o.`$rowtime` - INTERVAL '30' SECOND AND o.`$rowtime`
JOIN `${race_control}` AS b
  ON b.`race_id` = o.`race_id` AND b.`driver_code` = o.`other_code` AND b.`type` = 'pit_in'
  AND b.`$rowtime` BETWEEN o.`$rowtime` - INTERVAL '5' SECOND AND o.`$rowtime` + INTERVAL '1' SECOND
WHERE o.`type` = 'overtake';
