-- name: exercise-forecast
-- kind: query
-- group: exercises
-- ask: Where will one engine's temperature be in the next second?
-- see: After 16 readings each row has an array of five forecasts with their bounds. Note one, wait a second, compare.
-- state: Generally available in November 2026. AI_FORECAST, its sister with a foundation model, is in early access.
SELECT
  $rowtime AS `ts`,
  `engine_temperature`,
  ML_FORECAST(
    `engine_temperature`,
    $rowtime,
    JSON_OBJECT('minTrainingSize' VALUE 16, 'horizon' VALUE 5)
  ) OVER (
    PARTITION BY `key`
    ORDER BY $rowtime
    RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
  ) AS `outcome`
FROM `${car_metrics}`
WHERE CAST(`key` AS STRING) LIKE '%VER';
