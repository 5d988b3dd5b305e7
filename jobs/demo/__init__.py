"""The demo: the whole chain on a sample market, through Airflow and Spark on this machine."""
