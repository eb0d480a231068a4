-- ask: What was each car's top speed in every ten seconds?
-- see: A row for each car as a window closes: nothing for ten seconds, then 22 rows at once.
-- table: `race_id` STRING, `window_start` TIMESTAMP(3), `driver_code` STRING, `top_kmh` DOUBLE
SELECT `race_id`, `window_start`, `driver_code`, MAX(`speed`) AS `top_kmh`
FROM TABLE(TUMBLE(TABLE `${positions}`, DESCRIPTOR(`$rowtime`), INTERVAL '10' SECOND))
WHERE `phase` = 'race'
GROUP BY `race_id`, `window_start`, `window_end`, `driver_code`;
