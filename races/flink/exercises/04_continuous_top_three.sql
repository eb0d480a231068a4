-- ask: Who holds the three fastest laps of the race just now?
-- see: A table that is revised: -U and +U as a lap is beaten.
SELECT `place`, `driver_code`, `best_lap_s` FROM (
  SELECT `driver_code`, `best_lap_s`, ROW_NUMBER() OVER (ORDER BY `best_lap_s`) AS `place`
  FROM (
    SELECT `driver_code`, MIN(`best_lap_s`) AS `best_lap_s` FROM `${positions}`
    WHERE `best_lap_s` IS NOT NULL GROUP BY `driver_code`
  )
) WHERE `place` <= 3;
