-- name: exercise-snapshot
-- kind: query
-- group: exercises
-- property: sql.snapshot.mode = now
-- ask: How many records does each driver have by now, and what was the top speed?
-- see: One row a driver, once. The statement ends as COMPLETED: nothing is left running, and nothing costs.
-- state: Generally available since July 2026.
SELECT `driver_code`, COUNT(*) AS `records`, MAX(`speed`) AS `top_kmh`
FROM `${positions}`
GROUP BY `driver_code`;
