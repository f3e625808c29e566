"""What Django loads for `ENGINE = "ticketing.mongo.engine"`."""

from typing import Any

from bson.codec_options import CodecOptions
from django_mongodb_backend import base, operations
from pymongo.collection import Collection

from ticketing.mongo.engine.schema import DatabaseSchemaEditor
from ticketing.mongo.monitoring import CommandListener


class DatabaseOperations(operations.DatabaseOperations):  # type: ignore[misc]
    compiler_module = "ticketing.mongo.engine.compiler"


class DatabaseWrapper(base.DatabaseWrapper):  # type: ignore[misc]
    connection: Any  # this thread's reference to the process's client

    SchemaEditorClass = DatabaseSchemaEditor
    ops_class = DatabaseOperations

    def get_connection_params(self) -> dict[str, Any]:
        return {**super().get_connection_params(), "event_listeners": [CommandListener()]}

    def init_connection_state(self) -> None:
        self._collections: dict[tuple[str, str, type], Collection[Any]] = {}
        super().init_connection_state()  # asks the server, and fails where there is none

    def collection_of(self, name: str, options: CodecOptions[Any]) -> Collection[Any]:
        """The collection whose documents come as ``options`` say; made once, as every command asks for one."""
        database = self.database  # connects, where that is still to be done
        key = (database.name, name, options.document_class)
        if key not in self._collections:
            self._collections[key] = database.get_collection(name, codec_options=options)
        return self._collections[key]

    def forget_client(self) -> None:
        """Lets the next query sign in anew. Other threads go on with the old client, which ends with its last user."""
        client, self.connection = self.connection, None
        self.__dict__.pop("database", None)
        if self._connection_pools.get(self.alias) is client:
            self._connection_pools.pop(self.alias, None)
