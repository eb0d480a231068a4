-- name: exercise-robust-detector
-- kind: query
-- group: exercises
-- ask: Which readings does a detector flag that goes by the median instead of a model?
-- see: A row for each reading of one car. Compare its flags with the lab's: which is calm between faults, which is first?
-- state: Open preview in November 2026.
SELECT
  $rowtime AS `ts`,
  `engine_temperature`,
  ML_DETECT_ANOMALIES_ROBUST(
    `engine_temperature`,
    $rowtime,
    JSON_OBJECT('window' VALUE 50, 'threshold' VALUE 3.0)
  ) OVER (
    PARTITION BY `key`
    ORDER BY $rowtime
    RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS `outcome`
FROM `${car_metrics}`
WHERE CAST(`key` AS STRING) LIKE '%VER';
