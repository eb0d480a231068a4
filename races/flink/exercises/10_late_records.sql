-- ask: Which records come after the watermark has passed them?
-- see: Nothing, while table.exec.source.idle-timeout is 10 s. Read from the beginning with 1 s, and see thousands.
SELECT `driver_code`, `tick`, `$rowtime`, CURRENT_WATERMARK(`$rowtime`) AS `watermark`
FROM `${car_metrics}`
WHERE CURRENT_WATERMARK(`$rowtime`) IS NOT NULL AND `$rowtime` <= CURRENT_WATERMARK(`$rowtime`);
