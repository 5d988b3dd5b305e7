"""The demo: a sample market, the DAGs through Airflow, a campaign played to its end, what it cost, a report."""
