-- title: The newest record of each car
-- about: Deduplication: of many records with one key, the last. It is the tower of the race's page.
SELECT `driver_code`, `position`, `lap`, `tyre`, `tick` FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `race_id`, `driver_code` ORDER BY `$rowtime` DESC) AS `n`
  FROM `${positions}`
) WHERE `n` = 1;
