-- ask: How many overtakes has this minute seen so far, counted every ten seconds?
-- see: Six rows a minute at most; each is larger than the one before; then it begins anew.
-- table: `race_id` STRING, `window_start` TIMESTAMP(3), `window_end` TIMESTAMP(3), `overtakes` BIGINT
SELECT `race_id`, `window_start`, `window_end`, COUNT(*) AS `overtakes`
FROM TABLE(CUMULATE(TABLE `${race_control}`, DESCRIPTOR(`$rowtime`), INTERVAL '10' SECOND, INTERVAL '60' SECOND))
WHERE `type` = 'overtake'
GROUP BY `race_id`, `window_start`, `window_end`;
