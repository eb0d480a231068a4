-- name: anomalies-query
-- kind: query
-- group: anomalies
-- property: sql.state-ttl = 4 h
-- property: sql.tables.scan.startup.mode = earliest-offset
--
-- Each reading is compared with what its own car's past lets one expect: an ARIMA model for each key, trained again as
-- readings come in, gives a forecast and an interval; outside the interval is an anomaly. That is the flag, point by
-- point. Whether flags make an alarm is decided where they are read, by the same rule as for the embedded engine.
--
-- Why it is written so:
--   ORDER BY $rowtime     the record's own event time; an OVER window wants a time attribute, no expression
--   PARTITION BY `key`      one model for each car of each race; the key is bytes, and text after the CAST
--   RANGE ... CURRENT ROW   the frame that the function asks for; maxTrainingSize limits what it learns from
--   WHERE `key` IS NOT NULL a reading of no car has no place in a table whose key is the car, and would stop the statement
--   the input is append-only, and so is the output of OVER: every row is written once
-- What it is told, every parameter that public documentation attests by its name, so that no default changes under it:
--   minTrainingSize 16      is_anomaly is NULL for a car's first 16 readings, 3.2 seconds
--   maxTrainingSize 512     learns from the newest 102 seconds
--   confidencePercentage    99: one reading in a hundred lies outside on a good day
--   p 1                     the forecast looks back at one reading, the one before: the autoregressive order
--   d 0                     it forecasts the reading itself, not its change: how often differences are taken
--   q 0                     what the forecasts before were off by plays no part: the moving-average order
--   enableStl false         no seasons in an engine's temperature; m, a season's length, is the one that has no
--                           meaning then, and the only one left out
--   horizon 1               the next reading
-- p, d and q are those of the embedded engine, an ARIMA(1,0,0). Left out, the function picks an order for each car by
-- itself. They are for readings that move: of its sister ML_FORECAST it is said that a series which hardly moves fails
-- with a fixed order (Model failed to process data). provision_confluent then starts the query without those three lines;
-- in a workspace take them out by hand.
--
-- 'earliest-offset': a car's model begins with its race's first reading, also when the query starts in mid-race. What
-- it writes again then has the same keys, and replaces itself.
-- A row comes out when the watermark has passed it; a car's last readings wait until others come.
INSERT INTO `${car_metrics_anomalies}`
SELECT
  `car`                     AS `key`,
  `ts`,
  `team_name`,
  `engine_temperature`,
  `outcome`.`is_anomaly`     AS `is_anomaly`,
  `outcome`.`forecast_value` AS `forecast_value`,
  `outcome`.`lower_bound`    AS `lower_bound`,
  `outcome`.`upper_bound`    AS `upper_bound`,
  `outcome`.`rmse`           AS `rmse`
FROM (
  SELECT
    CAST(`key` AS STRING) AS `car`,
    $rowtime AS `ts`,
    `team_name`,
    `engine_temperature`,
    ML_DETECT_ANOMALIES(
      `engine_temperature`,
      $rowtime,
      JSON_OBJECT(
        'minTrainingSize' VALUE 16,
        'maxTrainingSize' VALUE 512,
        'confidencePercentage' VALUE 99.0,
        'p' VALUE 1,
        'd' VALUE 0,
        'q' VALUE 0,
        'enableStl' VALUE FALSE,
        'horizon' VALUE 1
      )
    ) OVER (
      PARTITION BY `key`
      ORDER BY $rowtime
      RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS `outcome`
  FROM `${car_metrics}`
  WHERE `key` IS NOT NULL
);
