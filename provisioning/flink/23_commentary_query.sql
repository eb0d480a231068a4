-- name: commentary-query
-- kind: query
-- group: commentary
-- property: sql.state-ttl = 4 h
-- property: sql.tables.scan.startup.mode = latest-offset
--
-- A line for what happens in the race. The model is called once for each row that passes WHERE, so the rows are chosen
-- before the call: race control's messages are the changes already (a place taken, a stop, a flag), and of these only
-- the ones that people would want to hear of. A row of positions, 110 a second in each race, never calls the model.
-- Expected: about 25 calls for a default race of 90 seconds, and none between races.
--
-- 'latest-offset': a query that starts anew speaks of what happens from now on. From the beginning, it would pay for
-- a day of old races. It remembers nothing, and the state's time to live holds if somebody adds what does.
--
-- The id is made from the race and the event, so that a row that is written twice is recognised as one.
-- The answer is a stranger's text: spaces and control characters become one space, and it is cut at 160 characters;
-- the page escapes it as well.
INSERT INTO `${commentary}`
SELECT
  CONCAT(`happened`.`race_id`, ':e', CAST(`happened`.`event` AS STRING)) AS `id`,
  SUBSTRING(TRIM(REGEXP_REPLACE(`answer`.`commentary`, '[\p{Cntrl}\s]+', ' ')), 1, 160) AS `message`,
  `happened`.`timestamp` AS `timestamp`,
  CASE
    WHEN `happened`.`type` IN ('retirement', 'vsc', 'safety_car', 'red_flag') THEN 'warning'
    WHEN `happened`.`type` = 'overtake' AND `happened`.`position` > 3 THEN 'info'
    WHEN `happened`.`type` IN ('pit_in', 'fastest_lap') THEN 'info'
    ELSE 'highlight'
  END AS `type`,
  `happened`.`race_id` AS `race_id`
FROM `${race_control}` AS `happened`,
  LATERAL TABLE(AI_COMPLETE(
    '${model}',
    CONCAT('Lap ', CAST(`happened`.`lap` AS STRING), ': ', `happened`.`message`)
  )) AS `answer`(`commentary`)
WHERE `happened`.`type` IN (
    'lights_out', 'retirement', 'vsc', 'safety_car', 'green', 'red_flag', 'last_lap', 'chequered'
  )
  OR (`happened`.`type` = 'overtake' AND `happened`.`position` BETWEEN 1 AND 10)
  OR (`happened`.`type` = 'pit_in' AND `happened`.`position` BETWEEN 1 AND 5)
  OR (`happened`.`type` = 'fastest_lap' AND `happened`.`lap` > 3);
