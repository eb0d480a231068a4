-- ask: How many readings come after the watermark has passed them?
-- see: `late` stays 0 while table.exec.source.idle-timeout is 10 s. Read from the beginning with 1 s, and see thousands.
-- table: `race_id` STRING, `late` BIGINT, `readings` BIGINT
-- key: `race_id`
SELECT `race_id`, COUNT(*) FILTER (WHERE `is_late`) AS `late`, COUNT(*) AS `readings`
FROM (
  SELECT `race_id`, `$rowtime` <= CURRENT_WATERMARK(`$rowtime`) AS `is_late` FROM `${car_metrics}`
)
GROUP BY `race_id`;
