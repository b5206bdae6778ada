"""One file into mediarithmics, by hand: open **Trigger**, fill in the form, press the button.

The document import gets the name you give and today's date in the Dag's time zone. The run is red if more lines are
rejected than you allow; its log then says why, without showing any line.
"""

from __future__ import annotations

import pendulum
from airflow.sdk import DAG, Param

from airflow_provider_mics.operators.import_files import MicsImportFilesOperator

with DAG(
    "import_file",
    schedule=None,
    start_date=pendulum.datetime(2026, 1, 1, tz="Europe/Paris"),
    catchup=False,
    doc_md=__doc__,
    tags=["mediarithmics", "example"],
    params={
        "path": Param(
            "",
            type="string",
            minLength=1,
            title="File",
            description="A path on the worker, such as /srv/crm/profiles.ndjson, or in object storage, such as "
            "s3://aws_default@crm/profiles.ndjson, with the Airflow connection before the @. With * it stands for "
            "several files. A file may have any size.",
        ),
        "document_type": Param(
            "USER_PROFILE",
            type="string",
            title="What the lines are",
            description="mediarithmics expects different lines for each of these.",
            enum=[
                "USER_PROFILE",
                "USER_ACTIVITY",
                "USER_SEGMENT",
                "USER_CHOICE",
                "USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS",
            ],
            values_display={
                "USER_PROFILE": "User profiles",
                "USER_ACTIVITY": "User activities",
                "USER_SEGMENT": "Users in segments",
                "USER_CHOICE": "User choices (consents)",
                "USER_IDENTIFIERS_ASSOCIATION_DECLARATIONS": "Identifiers that belong to one user",
            },
        ),
        "mime_type": Param(
            "APPLICATION_X_NDJSON",
            type="string",
            title="Format",
            description="Only users in segments may come as CSV.",
            enum=["APPLICATION_X_NDJSON", "TEXT_CSV"],
            values_display={
                "APPLICATION_X_NDJSON": "NDJSON, one JSON object per line",
                "TEXT_CSV": "CSV, with a header",
            },
        ),
        "name": Param(
            "Manual import",
            type="string",
            minLength=1,
            title="Name of the document import",
            description="As it shall appear in Navigator; today's date is added to it.",
        ),
        "max_rejected": Param(
            0,
            type="integer",
            minimum=0,
            title="Rejected lines to tolerate",
            description="The run fails if mediarithmics rejects more lines than this.",
        ),
    },
):
    MicsImportFilesOperator(
        task_id="import_file",
        document_type="{{ params.document_type }}",
        mime_type="{{ params.mime_type }}",
        name="{{ params.name }}",
        path="{{ params.path }}",
        max_rejected="{{ params.max_rejected }}",
        deferrable=True,
        poke_interval=15,
    )
