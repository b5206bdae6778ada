"""Apache Airflow provider for mediarithmics: nightly bulk imports as DAG tasks."""

from __future__ import annotations

__version__ = "0.1.0"
