-- title: Top speed in ten seconds
-- about: A tumbling window says its result once, when the watermark has passed its end.
SELECT `window_start`, `driver_code`, ROUND(MAX(`speed`), 1) AS `top_kmh`
FROM TABLE(TUMBLE(TABLE `${positions}`, DESCRIPTOR(`$rowtime`), INTERVAL '10' SECOND))
WHERE `phase` = 'race'
GROUP BY `window_start`, `window_end`, `driver_code`;
