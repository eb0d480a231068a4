-- ask: On which tyre was the car that overtook, at that moment?
-- see: A row for each overtake, with the tyre as it was then and not as it is now.
-- table: `race_id` STRING, `event` INT, `driver_code` STRING, `tyre` STRING, `tyre_age` INT
CREATE TEMPORARY VIEW `car_at` AS
SELECT `race_id`, `driver_code`, `tyre`, `tyre_age`, `$rowtime` FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `race_id`, `driver_code` ORDER BY `$rowtime` DESC) AS `n`
  FROM `${positions}`
) WHERE `n` = 1;
SELECT c.`race_id`, c.`event`, c.`driver_code`, p.`tyre`, p.`tyre_age`
FROM `${race_control}` AS c
LEFT JOIN `car_at` FOR SYSTEM_TIME AS OF c.`$rowtime` AS p
  ON c.`race_id` = p.`race_id` AND c.`driver_code` = p.`driver_code`
WHERE c.`type` = 'overtake';
