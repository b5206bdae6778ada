"""What a load is, without Airflow: files, parts, upload, waiting, verdict, summary."""

from __future__ import annotations
