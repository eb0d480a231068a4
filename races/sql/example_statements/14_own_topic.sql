-- title: A topic of your own
-- about: CREATE TABLE makes the topic, INSERT INTO fills it until you stop it, SELECT reads it again.
CREATE TABLE IF NOT EXISTS `my-overtakes` (
  `race_id` STRING,
  `lap`     INT,
  `message` STRING
);
INSERT INTO `my-overtakes`
SELECT `race_id`, `lap`, `message` FROM `${race_control}` WHERE `type` = 'overtake';
SELECT * FROM `my-overtakes`;
