"""What Airflow reads to know this provider. Every Airflow process calls it, so it imports nothing."""

from __future__ import annotations

from typing import Any

_INTEGRATION = "mediarithmics"
_METAX = "JunctionTV MetaX"


def get_provider_info() -> dict[str, Any]:
    """Return the provider's description, in the form of Airflow's ``provider_info.schema.json``."""
    return {
        "package-name": "airflow-provider-mics",
        "name": "mediarithmics",
        "description": "`mediarithmics <https://www.mediarithmics.com/>`__ customer data platform: bulk imports.",
        "integrations": [
            {
                "integration-name": _INTEGRATION,
                "external-doc-url": "https://developer.mediarithmics.io/",
                "tags": ["service"],
            },
            {
                "integration-name": _METAX,
                "external-doc-url": "http://api.junctiontv.com/jtv/jtapi/",
                "tags": ["service"],
            },
        ],
        "hooks": [
            {"integration-name": _METAX, "python-modules": ["airflow_provider_mics.hooks.metax"]},
            {"integration-name": _INTEGRATION, "python-modules": ["airflow_provider_mics.hooks.mics"]},
        ],
        "operators": [
            {"integration-name": _METAX, "python-modules": ["airflow_provider_mics.operators.metax"]},
            {
                "integration-name": _INTEGRATION,
                "python-modules": [
                    "airflow_provider_mics.operators.document_import",
                    "airflow_provider_mics.operators.execution",
                    "airflow_provider_mics.operators.import_files",
                    "airflow_provider_mics.operators.tracking",
                    "airflow_provider_mics.operators.upload",
                    "airflow_provider_mics.operators.user_points",
                ],
            },
        ],
        "transfers": [
            {
                "source-integration-name": "Files of rows",
                "target-integration-name": _INTEGRATION,
                "python-module": "airflow_provider_mics.transfers.rows_to_mics",
            },
            {
                "source-integration-name": "Common SQL",
                "target-integration-name": _INTEGRATION,
                "python-module": "airflow_provider_mics.transfers.sql_to_mics",
            },
        ],
        # Airflow 3.3 reads "class-name" where its schema says "path".
        "task-decorators": [
            {
                "name": "mics_import",
                "class-name": "airflow_provider_mics.decorators.mics_import.mics_import_task",
            }
        ],
        "sensors": [{"integration-name": _INTEGRATION, "python-modules": ["airflow_provider_mics.sensors.execution"]}],
        "triggers": [
            {"integration-name": _INTEGRATION, "python-modules": ["airflow_provider_mics.triggers.execution"]}
        ],
        "extra-links": ["airflow_provider_mics.links.document_import.MicsDocumentImportLink"],
        "connection-types": [_mics_connection(), _metax_connection()],
        "cli": ["airflow_provider_mics.cli.definition.get_mics_cli_commands"],
    }


def _mics_connection() -> dict[str, Any]:
    # A field whose type admits null is optional; the form saves those left empty as null.
    return {
        "connection-type": "mics",
        "hook-class-name": "airflow_provider_mics.hooks.mics.MicsHook",
        "hook-name": "mediarithmics",
        "ui-field-behaviour": {
            # Airflow 3.3.1 and 3.3.2 refuse to test a stored connection that has no port (apache/airflow#73298).
            "hidden-fields": ["schema", "extra"],
            "relabeling": {
                "host": "API address",
                "login": "Login e-mail",
                "password": "Token or password",
            },
            "placeholders": {
                "host": "https://api.mediarithmics.com",
                "port": "443; without one, Airflow 3.3 cannot test it",
                "login": "leave empty if you have an API token",
                "password": "the API token, api:..., or the password of the e-mail",
            },
        },
        "conn-fields": {
            "datamart_id": {
                "label": "Datamart id",
                "description": "The datamart that tasks work in unless they name another. "
                "Navigator shows it under Settings > Datamart > Datamarts.",
                "schema": {"type": ["string", "null"], "pattern": "^[0-9]{1,19}$"},
            },
            "organisation_id": {
                "label": "Organisation id",
                "description": "For links to Navigator. Default: the datamart's, which the API is asked for",
                "schema": {"type": ["string", "null"], "pattern": "^[0-9]{1,19}$"},
            },
            "list_lag": {
                "label": "Lag of lists (s)",
                "description": "How long after an upload the platform's lists may not show it yet. Only when nobody "
                "knows what became of an upload is it waited for so long before it is sent again. Default: 60",
                "schema": {"type": ["number", "null"], "minimum": 0},
            },
            "navigator_url": {
                "label": "Navigator address",
                "description": "Address of the web UI, for links. Default: https://navigator.mediarithmics.com",
                "schema": {"type": ["string", "null"]},
            },
            **_common_fields(),
        },
    }


def _metax_connection() -> dict[str, Any]:
    return {
        "connection-type": "metax",
        "hook-class-name": "airflow_provider_mics.hooks.metax.MetaxHook",
        "hook-name": _METAX,
        "ui-field-behaviour": {
            "hidden-fields": ["schema", "extra"],
            "relabeling": {
                "host": "MetaX address",
                "login": "Client id",
                "password": "Access token or client secret",
            },
            "placeholders": {
                "host": "https://metax.example.com",
                "port": "443; without one, Airflow 3.3 cannot test it",
                "login": "leave empty if you have an access token",
                "password": "the access token, or the secret of the client id",
            },
        },
        "conn-fields": {
            "oauth_url": {
                "label": "OAuth address",
                "description": "Where a client id and secret are traded for access tokens. "
                "Default: https://cloud.junctiontv.net/ums/2.0/oauth/",
                "schema": {"type": ["string", "null"]},
            },
            **_common_fields(),
        },
    }


def _common_fields() -> dict[str, Any]:
    return {
        "timeout": {
            "label": "Timeout (s)",
            "description": "Seconds without any progress after which a call is given up. However long an upload "
            "takes, it goes on while bytes flow. Default: 120",
            "schema": {"type": ["number", "null"], "exclusiveMinimum": 0},
        },
        "rate_limit": {
            "label": "Requests per second",
            "description": "Most requests per second that each process sends. Default: no limit",
            "schema": {"type": ["number", "null"], "exclusiveMinimum": 0},
        },
        "verify": {
            "label": "Verify the certificate",
            "description": "true, false, or the path of a file of CA certificates. Default: true",
            "schema": {"type": ["string", "null"]},
        },
        "proxy": {
            "label": "Proxy",
            "description": "Address of an HTTP proxy. Default: the one that the environment names",
            "schema": {"type": ["string", "null"]},
        },
    }
