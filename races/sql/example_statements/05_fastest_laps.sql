-- title: The three fastest laps so far
-- about: A top-N that never ends. Whoever falls out of it is deleted (-D).
SELECT `place`, `driver_code`, `best_lap_s` FROM (
  SELECT `driver_code`, `best_lap_s`, ROW_NUMBER() OVER (ORDER BY `best_lap_s`) AS `place`
  FROM (
    SELECT `driver_code`, MIN(`best_lap_s`) AS `best_lap_s`
    FROM `${positions}`
    WHERE `best_lap_s` IS NOT NULL
    GROUP BY `driver_code`
  )
) WHERE `place` <= 3;
