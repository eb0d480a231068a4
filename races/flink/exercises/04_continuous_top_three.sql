-- ask: Who holds the three fastest laps of the race just now?
-- see: A table that is revised: -U and +U as a lap is beaten.
-- table: `race_id` STRING, `place` BIGINT, `driver_code` STRING, `best_lap_s` DOUBLE
-- key: `race_id`, `place`
SELECT `race_id`, `place`, `driver_code`, `best_lap_s` FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `race_id` ORDER BY `best_lap_s`) AS `place`
  FROM (
    SELECT `race_id`, `driver_code`, MIN(`best_lap_s`) AS `best_lap_s` FROM `${positions}`
    WHERE `best_lap_s` IS NOT NULL GROUP BY `race_id`, `driver_code`
  )
) WHERE `place` <= 3;
