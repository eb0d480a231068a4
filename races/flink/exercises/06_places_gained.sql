-- ask: Who gains a place on the track? Find it in the positions alone.
-- see: A row for each place gained, a moment after race control says the same.
-- table: `race_id` STRING, `driver_code` STRING, `was` INT, `is_now` INT, `at_tick` INT
SELECT `race_id`, `driver_code`, `was`, `is_now`, `at_tick`
FROM `${positions}`
MATCH_RECOGNIZE (
  PARTITION BY `race_id`, `driver_code`
  ORDER BY `$rowtime`
  MEASURES LAST(`before`.`position`) AS `was`, LAST(`gained`.`position`) AS `is_now`, LAST(`gained`.`tick`) AS `at_tick`
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO LAST `gained`
  PATTERN (`before` `gained`)
  DEFINE `gained` AS `gained`.`position` < `before`.`position` AND `gained`.`phase` = 'race' AND NOT `gained`.`pit`
);
