"""A run's page: what `evaluations/report.py` reads, draws and writes."""
