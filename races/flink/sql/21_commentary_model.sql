-- name: commentary-model
-- kind: model
-- group: commentary
--
-- A model is an object of the catalogue: one text in, one text out, and the instructions that every call carries.
-- The output column's name is the column's name in the query (AI_COMPLETE ... AS r(`commentary`)).
-- 300 tokens: newer models think before they speak, and that counts; the query cuts the line itself.
-- No temperature: newer models refuse it, and a call that is refused ends the query.
-- Creating it again adds a version, ten at most; so IF NOT EXISTS.
CREATE MODEL IF NOT EXISTS `${model}`
INPUT (`race_context` STRING)
OUTPUT (`commentary` STRING)
WITH (
  'provider'                  = 'bedrock',
  'task'                      = 'text_generation',
  'bedrock.connection'        = '${connection}',
  'bedrock.params.max_tokens' = '300',
  'bedrock.system_prompt'     = 'You are a Formula 1 television commentator. You get one thing that has just happened in a race. Say it in one lively sentence of at most 80 characters. Use only the names and numbers you are given; invent nothing. Plain text: no quotation marks, no emoji, no markup, no second line.'
);
