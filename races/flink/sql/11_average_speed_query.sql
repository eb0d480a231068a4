-- name: average-speed-query
-- kind: query
-- group: average
-- property: sql.state-ttl = 4 h
-- property: sql.tables.scan.startup.mode = earliest-offset
--
-- A continuous aggregate: for each record that comes in, the driver's average changes and is written again, so the
-- query emits as many upserts as it reads records (22 cars, five times a second). It never ends; nor would what it
-- remembers (a sum and a count for each driver and race). The state's time to live forgets a race that has been
-- silent for four hours: longer than any race can pause, shorter than a day of races.
--
-- 'earliest-offset': an average is over a race's records from its first one on. From the latest, a race that runs as
-- the query starts would get an average of its rest. So a query that starts anew reads the topic's whole day again and
-- writes each old race's averages once more; a newer record of the same key replaces the older one, so nothing changes.
INSERT INTO `${avg_speed}`
SELECT
  `driver_name`,
  `race_id`,
  AVG(`speed`) AS `avg_speed`
FROM `${positions}`
GROUP BY `driver_name`, `race_id`;
