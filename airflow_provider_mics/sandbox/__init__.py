"""A stand-in for the mediarithmics API on real sockets, with faults that can be planned.

It is not the vendor: what it does where the vendor's behaviour is not public is marked UNKNOWN or INFERRED in the code.
Nothing of the provider imports this package; it needs ``h11``, which the extra ``sandbox`` brings.
"""

from __future__ import annotations

from airflow_provider_mics.sandbox.faults import Fault
from airflow_provider_mics.sandbox.plans import FaultPlans
from airflow_provider_mics.sandbox.record import RequestRecord
from airflow_provider_mics.sandbox.sandbox import Sandbox
from airflow_provider_mics.sandbox.settings import Settings
from airflow_provider_mics.sandbox.state import DocumentImport, Execution

__all__ = ["DocumentImport", "Execution", "Fault", "FaultPlans", "RequestRecord", "Sandbox", "Settings"]
