-- ask: Which three cars were fastest on average over the newest 15 seconds, every five seconds?
-- see: Three rows every five seconds. Each record counts in three windows.
-- table: `race_id` STRING, `window_start` TIMESTAMP(3), `driver_code` STRING, `kmh` DOUBLE, `place` BIGINT
SELECT `race_id`, `window_start`, `driver_code`, `kmh`, `place` FROM (
  SELECT *, ROW_NUMBER() OVER (PARTITION BY `race_id`, `window_start`, `window_end` ORDER BY `kmh` DESC) AS `place`
  FROM (
    SELECT `race_id`, `window_start`, `window_end`, `driver_code`, AVG(`speed`) AS `kmh`
    FROM TABLE(HOP(TABLE `${positions}`, DESCRIPTOR(`$rowtime`), INTERVAL '5' SECOND, INTERVAL '15' SECOND))
    GROUP BY `race_id`, `window_start`, `window_end`, `driver_code`
  )
) WHERE `place` <= 3;
