"""What mediarithmics understands, without Airflow: endpoints without I/O, and two thin transports that send them."""

from __future__ import annotations
