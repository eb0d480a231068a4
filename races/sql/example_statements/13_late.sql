-- title: Which readings are late
-- about: A record is late when the watermark has passed it already. On a healthy race there is none.
SELECT `driver_code`, `tick`, `$rowtime`, CURRENT_WATERMARK(`$rowtime`) AS `watermark`
FROM `${car_metrics}`
WHERE CURRENT_WATERMARK(`$rowtime`) IS NOT NULL AND `$rowtime` <= CURRENT_WATERMARK(`$rowtime`);
