-- name: anomalies-query
-- kind: query
-- group: anomalies
-- property: sql.state-ttl = 4 h
-- property: sql.tables.scan.startup.mode = earliest-offset
--
-- The detector in SQL alone: a first-order autoregression over the newest 512 readings of each car.
-- OVER windows end with the current row, so what the current row adds is taken off again: a reading is judged by those
-- before it. x is the reading before, y the reading; both less 100, so that squares lose no digits.
-- A reading that was published again has the instant of the one before, and is left out. LAG would not see that: of two
-- rows with one time it gives both the same.
INSERT INTO `${car_metrics_anomalies}`
SELECT `key`, `ts`, `team_name`, `engine_temperature`,
  ABS(`error`) > `half`, `forecast`, `forecast` - `half`, `forecast` + `half`,
  SQRT(AVG(`error` * `error`) OVER (PARTITION BY `key` ORDER BY `ts` ROWS BETWEEN 4 PRECEDING AND CURRENT ROW))
FROM (
  SELECT `key`, `ts`, `team_name`, `engine_temperature`,
    `forecast`, `engine_temperature` - `forecast` AS `error`,
    2.5758293035489004 * GREATEST(CAST(0.05 AS DOUBLE), SQRT(`variance` * (1 + 1.0 / `n`))) AS `half`
  FROM (
    SELECT *,
      100 + `sy` / `n` + `slope` * (`x` - `sx` / `n`) AS `forecast`,
      GREATEST(CAST(0 AS DOUBLE), `yy` - `slope` * (2 * `xy` - `slope` * `xx`)) / (`n` - 2) AS `variance`
    FROM (
      SELECT *, CASE WHEN `xx` > 1E-9 THEN GREATEST(CAST(-0.999 AS DOUBLE), LEAST(CAST(0.999 AS DOUBLE), `xy` / `xx`)) ELSE CAST(0 AS DOUBLE) END AS `slope`
      FROM (
        SELECT *, `sxx` - `sx` * `sx` / `n` AS `xx`, `sxy` - `sx` * `sy` / `n` AS `xy`, `syy` - `sy` * `sy` / `n` AS `yy`
        FROM (
          SELECT `key`, `ts`, `team_name`, `engine_temperature`, `x`, `y`,
            CASE WHEN `pairs` >= 16 THEN CAST(`pairs` - 1 AS DOUBLE) END AS `n`,
            `sumx` - `x` AS `sx`, `sumy` - `y` AS `sy`,
            `sumxx` - `x` * `x` AS `sxx`, `sumxy` - `x` * `y` AS `sxy`, `sumyy` - `y` * `y` AS `syy`
          FROM (
            SELECT `key`, `ts`, `team_name`, `engine_temperature`, `x`, `y`,
              COUNT(`x`) OVER w AS `pairs`,
              SUM(`x`) OVER w AS `sumx`, SUM(CASE WHEN `x` IS NULL THEN 0 ELSE `y` END) OVER w AS `sumy`,
              SUM(`x` * `x`) OVER w AS `sumxx`, SUM(`x` * `y`) OVER w AS `sumxy`,
              SUM(CASE WHEN `x` IS NULL THEN 0 ELSE `y` * `y` END) OVER w AS `sumyy`
            FROM (
              SELECT `key`, `ts`, `team_name`, `engine_temperature`,
                `engine_temperature` - 100 AS `y`,
                CASE WHEN `readings` = 2 THEN `temperatures` - `engine_temperature` - 100 END AS `x`
              FROM (
                SELECT CAST(`key` AS STRING) AS `key`, `$rowtime` AS `ts`, `team_name`, `engine_temperature`,
                  `timestamp` AS `instant`,
                  COUNT(`timestamp`) OVER two AS `readings`,
                  SUM(`timestamp`) OVER two AS `instants`,
                  SUM(`engine_temperature`) OVER two AS `temperatures`
                FROM `${car_metrics}`
                WHERE `key` IS NOT NULL
                WINDOW two AS (PARTITION BY `key` ORDER BY `$rowtime` ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
              )
              WHERE `readings` = 1 OR `instants` - `instant` < `instant`
            )
            WINDOW w AS (PARTITION BY `key` ORDER BY `ts` ROWS BETWEEN 511 PRECEDING AND CURRENT ROW)
          )
        )
      )
    )
  )
);
