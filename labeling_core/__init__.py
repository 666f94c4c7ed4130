"""Active-learning labeling on DuckDB: everything that does not need a web page."""
