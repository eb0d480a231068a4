-- name: exercise-race-engineer-at-work
-- kind: query
-- group: exercises
-- property: sql.tables.scan.startup.mode = latest-offset
-- ask: What does the race engineer say to each stop and each safety car?
-- see: A row for each call, with its status and what the agent says. About 30 calls a race, each paid for: stop it.
-- state: Open preview in November 2026; the form may change.
SELECT `happened`.`message`, `answer`.`status`, `answer`.`response`
FROM (
  SELECT `race_id`, `event`, `lap`, `message`
  FROM `${race_control}`
  WHERE `type` IN ('pit_in', 'safety_car', 'vsc')
) AS `happened`,
  LATERAL TABLE(AI_RUN_AGENT(
    '${agent}',
    CONCAT('Lap ', CAST(`happened`.`lap` AS STRING), ': ', `happened`.`message`),
    CONCAT(`happened`.`race_id`, ':', CAST(`happened`.`event` AS STRING))
  )) AS `answer`(`status`, `response`);
