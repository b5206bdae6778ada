"""``airflow mics imports ...``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

import msgspec

from airflow_provider_mics.api import document_imports
from airflow_provider_mics.api.conversation import every_page
from airflow_provider_mics.bulk.planning import check_document_import
from airflow_provider_mics.cli.connected import hook_of
from airflow_provider_mics.cli.running import BAD, OK, command
from airflow_provider_mics.cli.sources import document_type_from, mime_type_from
from airflow_provider_mics.exceptions import MicsConfigurationError, MicsError

if TYPE_CHECKING:
    import argparse

    from airflow_provider_mics.api.models import DocumentImport
    from airflow_provider_mics.cli.screen import Screen
    from airflow_provider_mics.hooks.mics import MicsHook

#: Size of the pages that lists are read in; the vendor's web UI asks for as many.
PAGE_SIZE: Final = 500


@command
def list_imports(args: argparse.Namespace, screen: Screen) -> int:
    """List document imports."""
    hook = hook_of(args)
    types = (document_type_from(args.document_type)[0],) if args.document_type else ()
    found = hook.run(
        every_page(
            lambda first_result: document_imports.find(
                hook.datamart_id,
                keywords=args.name,
                document_types=types,
                first_result=first_result,
                max_results=PAGE_SIZE,
            )
        )
    )
    # The API does not say in which direction it orders; ids rise.
    newest = sorted(found, key=lambda item: int(item.id), reverse=True)
    shown = newest[: args.limit]
    if screen.is_document:
        screen.document([_resource(item) for item in shown])
        return OK
    rows = [(str(item.id), item.name, item.document_type, item.mime_type, item.priority) for item in shown]
    screen.table(("id", "name", "type", "format", "priority"), rows, texts=5, name=1)
    screen.line(f"Document imports: {told_of(shown, newest, screen)}")
    return OK


@command
def show_import(args: argparse.Namespace, screen: Screen) -> int:
    """Show a document import."""
    hook = hook_of(args)
    _show(hook, hook.get_document_import(args.document_import_id), screen)
    return OK


@command
def create_import(args: argparse.Namespace, screen: Screen) -> int:
    """Create a document import, unless it is there."""
    hook = hook_of(args)
    document_type = document_type_from(args.document_type)[0]
    mime_type = mime_type_from(args.mime_type)
    if found := named(hook, args.name, document_type, mime_type):
        raise MicsConfigurationError(
            f"There already is a document import {args.name!r} of this type and format: {found[0].id}.",
            hint="Use it, or choose another name.",
        )
    created = hook.create_document_import(
        document_type=document_type,
        name=args.name,
        mime_type=mime_type,
        encoding=args.encoding,
        priority=args.priority.upper(),
    )
    _show(hook, created, screen)
    return OK


@command
def delete_import(args: argparse.Namespace, screen: Screen) -> int:
    """Delete a document import, if that is meant."""
    hook = hook_of(args)
    present = hook.get_document_import(args.document_import_id)
    if not args.yes:
        if not sys.stdin.isatty():
            raise MicsConfigurationError(
                "Nobody is there to be asked whether to delete it.", hint="Add --yes if that is what you want."
            )
        if not screen.ask(f"Remove document import {present.id} ({present.name}, {present.document_type}) from view?"):
            screen.warning("Nothing was deleted.")
            return BAD
    hook.delete_document_import(args.document_import_id)
    if screen.is_document:
        screen.document({"id": str(present.id), "name": present.name, "deleted": True})
    else:
        screen.line(f"Deleted document import {present.id} ({present.name}).")
    return OK


def named(hook: MicsHook, name: str, document_type: str, mime_type: str) -> list[DocumentImport]:
    """Return the document imports of a name, type and format, oldest first.

    :raises MicsConfigurationError: There can be none.
    """
    if not name.strip():
        raise MicsConfigurationError("The document import needs a name.")
    check_document_import(document_type, mime_type)
    return hook.run(
        document_imports.find_by_name(hook.datamart_id, name=name, document_type=document_type, mime_type=mime_type)
    )


def told_of(shown: list[Any], found: list[Any], screen: Screen) -> str:
    """Say how many of a list are shown."""
    if len(shown) == len(found):
        return screen.number(len(found))
    return f"the newest {screen.number(len(shown))} of {screen.number(len(found))}; --limit shows more"


def _show(hook: MicsHook, document_import: DocumentImport, screen: Screen) -> None:
    resource = _resource(document_import) | {"url": _url(hook, str(document_import.id))}
    if screen.is_document:
        screen.document(resource)
    else:
        screen.fields(resource)


def _resource(document_import: DocumentImport) -> dict[str, Any]:
    resource: dict[str, Any] = msgspec.to_builtins(document_import)
    return resource


def _url(hook: MicsHook, document_import_id: str) -> str | None:
    try:
        return hook.document_import_url(document_import_id)
    except MicsError:
        # A link is worth no failure.
        return None
