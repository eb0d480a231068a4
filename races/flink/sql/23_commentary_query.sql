-- name: commentary-query
-- kind: query
-- group: commentary
-- property: sql.state-ttl = 4 h
-- property: sql.tables.scan.startup.mode = latest-offset
--
-- A line for what happens in the race. AI_COMPLETE is called once for each row that reaches it, so the rows are chosen
-- in a query of their own that stands before the call, `happened`: a WHERE after it would leave it to the planner
-- whether answers are paid for and thrown away. EXPLAIN shows it: the filter has to stand below the Correlate.
-- Race control's messages are the changes already (a place taken, a stop, a flag), and of these only the ones pass that
-- people would want to hear of. A row of positions, 110 a second in each race, never calls the model.
-- Expected: about 40 calls for a default race of 90 seconds, and none between races.
--
-- 'latest-offset': a query that starts anew speaks of what happens from now on. From the beginning, it would pay for
-- a day of old races. It remembers nothing, and the state's time to live holds if somebody adds what does.
--
-- The id is made from the race and the event, so that a row that is written twice is recognised as one.
-- The answer is a stranger's text: spaces and control characters become one space, and it is cut at 160 characters;
-- the page escapes it as well. An answer that is NULL, or empty after that, is no line: `said` <> '' is true of neither.
-- Without it a NULL would stop the statement, because the table's message is NOT NULL.
-- Whom a line speaks of is known before the model is asked: `drivers` has race control's codes, and is NULL where the
-- message is of no driver.
INSERT INTO `${commentary}`
SELECT
  CONCAT(`race_id`, ':e', CAST(`event` AS STRING)) AS `id`,
  SUBSTRING(`said`, 1, 160) AS `message`,
  `timestamp`,
  CASE
    WHEN `type` IN ('retirement', 'vsc', 'safety_car', 'red_flag') THEN 'warning'
    WHEN `type` = 'overtake' AND `position` > 3 THEN 'info'
    WHEN `type` IN ('pit_in', 'fastest_lap') THEN 'info'
    ELSE 'highlight'
  END AS `type`,
  `race_id`,
  CASE
    WHEN `other_code` <> '' THEN ARRAY[`driver_code`, `other_code`]
    WHEN `driver_code` <> '' THEN ARRAY[`driver_code`]
  END AS `drivers`
FROM (
  SELECT
    `happened`.*,
    TRIM(REGEXP_REPLACE(`answer`.`commentary`, '[\p{Cntrl}\s]+', ' ')) AS `said`
  FROM (
    SELECT `race_id`, `event`, `timestamp`, `type`, `position`, `lap`, `message`, `driver_code`, `other_code`
    FROM `${race_control}`
    WHERE `type` IN (
        'lights_out', 'retirement', 'vsc', 'safety_car', 'green', 'red_flag', 'last_lap', 'chequered'
      )
      OR (`type` = 'overtake' AND `position` BETWEEN 1 AND 10)
      OR (`type` = 'pit_in' AND `position` BETWEEN 1 AND 5)
      OR (`type` = 'fastest_lap' AND `lap` > 3)
  ) AS `happened`,
    LATERAL TABLE(AI_COMPLETE(
      '${model}',
      CONCAT('Lap ', CAST(`happened`.`lap` AS STRING), ': ', `happened`.`message`)
    )) AS `answer`(`commentary`)
)
WHERE `said` <> '';
