-- ask: What is the newest record of each car?
-- see: One row for each car that is replaced five times a second: deduplication by the last row.
-- table: `race_id` STRING, `driver_code` STRING, `tick` INT, `position` INT
-- key: `race_id`, `driver_code`
SELECT `race_id`, `driver_code`, `tick`, `position` FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `race_id`, `driver_code` ORDER BY `$rowtime` DESC) AS `n`
  FROM `${positions}`
) WHERE `n` = 1;
