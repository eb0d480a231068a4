-- title: Speed and tyre at each overtake
-- about: A temporal join asks how a car was at the instant of the message, not how it is now.
CREATE VIEW IF NOT EXISTS `car_at` AS
SELECT `race_id`, `driver_code`, `speed`, `tyre`, `tyre_age`, `$rowtime` FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `race_id`, `driver_code` ORDER BY `$rowtime` DESC) AS `n`
  FROM `${positions}`
) WHERE `n` = 1;
SELECT c.`lap`, c.`message`, c.`driver_code`, ROUND(p.`speed`, 1) AS `kmh`, p.`tyre`, p.`tyre_age`
FROM `${race_control}` AS c
LEFT JOIN `car_at` FOR SYSTEM_TIME AS OF c.`$rowtime` AS p
  ON c.`race_id` = p.`race_id` AND c.`driver_code` = p.`driver_code`
WHERE c.`type` = 'overtake';
