-- name: exercise-race-engineer-leaves
-- kind: agent
-- group: exercises
-- ask: How does the race engineer go again?
-- see: COMPLETED. In an environment of the lab's own it would go with the teardown too; in a lent one only so.
-- state: Open preview in November 2026; the form may change.
DROP AGENT IF EXISTS `${agent}`;
