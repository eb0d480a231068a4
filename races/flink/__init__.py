"""The lab's Flink: the SQL files, and all that reads them."""
