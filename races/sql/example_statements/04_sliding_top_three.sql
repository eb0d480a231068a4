-- title: The three fastest, sliding
-- about: Windows of 15 seconds that begin every five, and the three fastest of each.
SELECT * FROM (
  SELECT `window_start`, `window_end`, `driver_code`, `kmh`,
    ROW_NUMBER() OVER (PARTITION BY `window_start`, `window_end` ORDER BY `kmh` DESC) AS `place`
  FROM (
    SELECT `window_start`, `window_end`, `driver_code`, AVG(`speed`) AS `kmh`
    FROM TABLE(HOP(TABLE `${positions}`, DESCRIPTOR(`$rowtime`), INTERVAL '5' SECOND, INTERVAL '15' SECOND))
    GROUP BY `window_start`, `window_end`, `driver_code`
  )
) WHERE `place` <= 3;
