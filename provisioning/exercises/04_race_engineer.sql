-- name: exercise-race-engineer
-- kind: agent
-- group: exercises
-- ask: Who is the race engineer?
-- see: COMPLETED: a model, a task and a limit of rounds, without tools. Nothing was called yet. The model is the commentary's, so that one has to stand.
-- state: Open preview in November 2026; the form may change.
CREATE AGENT IF NOT EXISTS `${agent}`
USING MODEL `${model}`
USING PROMPT 'You are the race engineer of one car in Formula 1. You get one thing that has just happened. Answer in one sentence: does your driver stay out or come in, and why? Use only what you are given.'
WITH ('max_iterations' = '3', 'max_consecutive_failures' = '2');
