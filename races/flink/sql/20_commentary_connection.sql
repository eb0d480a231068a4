-- name: commentary-connection
-- kind: connection
-- group: commentary
--
-- The way to a model on Amazon Bedrock. The region is the one in the endpoint and need not be Flink's own.
-- To be read, not to be run: a statement's text is stored with whatever stands in it. The provisioner makes the same
-- object through the REST interface for connections, which keeps the keys out of every text.
-- A session token (temporary AWS keys) runs out within hours; then the commentary query fails at its next call, and only
-- that one. provision_confluent, run again with new keys, renews them and starts it anew.
CREATE CONNECTION IF NOT EXISTS `${connection}`
WITH (
  'type'              = 'bedrock',
  'endpoint'          = '${bedrock_endpoint}',
  'aws-access-key'    = '<AWS_ACCESS_KEY_ID>',
  'aws-secret-key'    = '<AWS_SECRET_ACCESS_KEY>',
  'aws-session-token' = '<AWS_SESSION_TOKEN, with temporary keys only>'
);
