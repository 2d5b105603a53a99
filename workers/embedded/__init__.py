"""The real Kafka, Postgres and Temporal as children of one process, for one machine."""
