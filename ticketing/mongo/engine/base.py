"""What Django loads for `ENGINE = "ticketing.mongo.engine"`."""

from django_mongodb_backend import base, operations

from ticketing.mongo.engine.schema import DatabaseSchemaEditor


class DatabaseOperations(operations.DatabaseOperations):  # type: ignore[misc]
    compiler_module = "ticketing.mongo.engine.compiler"


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    SchemaEditorClass = DatabaseSchemaEditor
    ops_class = DatabaseOperations
