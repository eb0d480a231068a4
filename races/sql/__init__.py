"""A SQL workspace: what a person types, run on the Flink that is configured, and its results as a changelog."""
