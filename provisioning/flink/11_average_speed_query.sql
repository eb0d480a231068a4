-- name: average-speed-query
-- kind: query
-- group: average
-- property: sql.state-ttl = 4 h
--
-- A continuous aggregate: for each record that comes in, the driver's average changes and is written again, so the
-- query emits as many upserts as it reads records (22 cars, five times a second). It never ends; nor would what it
-- remembers (a sum and a count for each driver and race). The state's time to live forgets a race that has been
-- silent for four hours: longer than any race can pause, shorter than a day of races.
INSERT INTO `${avg_speed}`
SELECT
  `driver_name`,
  `race_id`,
  AVG(`speed`) AS `avg_speed`
FROM `${positions}`
GROUP BY `driver_name`, `race_id`;
