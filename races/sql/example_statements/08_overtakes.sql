-- title: Overtakes from positions alone
-- about: MATCH_RECOGNIZE looks for a pattern in the records of each car: a place gained from one tick to the next.
SELECT `driver_code`, `was`, `is_now`, `at_tick`
FROM `${positions}`
MATCH_RECOGNIZE (
  PARTITION BY `race_id`, `driver_code`
  ORDER BY `$rowtime`
  MEASURES
    FIRST(BEFORE_.`position`) AS `was`,
    LAST(GAINED.`position`) AS `is_now`,
    LAST(GAINED.`tick`) AS `at_tick`
  ONE ROW PER MATCH
  AFTER MATCH SKIP TO LAST GAINED
  PATTERN (BEFORE_ GAINED)
  DEFINE GAINED AS GAINED.`position` < BEFORE_.`position` AND GAINED.`phase` = 'race' AND NOT GAINED.`pit`
);
