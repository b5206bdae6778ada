"""What every method of the mediarithmics hook stands on: its connection and its datamart."""

from __future__ import annotations

from airflow_provider_mics.api.identifiers import numeric_id
from airflow_provider_mics.exceptions import MicsConfigurationError
from airflow_provider_mics.hooks._base import APIHook
from airflow_provider_mics.hooks.connection import MicsConnection, read_connection


class MicsBaseHook(APIHook[MicsConnection]):
    """Sends calls to mediarithmics.

    :param mics_conn_id: The :ref:`Airflow connection <connection>`, of type ``mics``.
    :param datamart_id: The datamart to work in; None: the connection's.
    """

    conn_name_attr = "mics_conn_id"
    default_conn_name = "mics_default"
    conn_type = "mics"
    hook_name = "mediarithmics"
    read_fields = staticmethod(read_connection)

    def __init__(self, mics_conn_id: str = default_conn_name, datamart_id: str | None = None) -> None:
        super().__init__(mics_conn_id)
        self.mics_conn_id = mics_conn_id
        self._datamart_id = datamart_id

    @property
    def datamart_id(self) -> str:
        """The datamart to work in, from the argument or else the connection.

        :raises MicsConfigurationError: Neither names one.
        """
        if self._datamart_id:
            return numeric_id(self._datamart_id, "datamart id")
        if not self.connection.datamart_id:
            raise MicsConfigurationError(
                f"No datamart is named, neither by the task nor by connection {self.mics_conn_id}.",
                hint="Set datamart_id in one of them; Navigator shows it under Settings > Datamart > Datamarts.",
            )
        return self.connection.datamart_id
